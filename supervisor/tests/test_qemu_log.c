/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "act/qemu_log.h"

static char dir[] = "/tmp/kw-log-XXXXXX";
static char path[64], kept[64];
static struct kw_qemu_log before;
static char text[16];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/web-1.log", dir);
	snprintf(kept, sizeof(kept), "%s/web-1.log.0", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int remove_log(void **state)
{
	(void)state;
	unlink(path);
	unlink(kept);
	return 0;
}

static void write_log(const char *mode, const char *words)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	fputs(words, file);
	fclose(file);
}

static void assert_said(const char *words)
{
	assert_int_equal(kw_qemu_log_since(&before, text, sizeof(text)), strlen(words));
	assert_string_equal(text, words);
}

static void tells_of_a_first_start(void **state)
{
	(void)state;
	kw_qemu_log_mark(dir, "web-1", &before);
	assert_said("");
	write_log("w", "it died\n");
	assert_said("it died\n");
}

static void leaves_out_earlier_starts(void **state)
{
	(void)state;
	write_log("w", "an earlier death\n");
	kw_qemu_log_mark(dir, "web-1", &before);
	assert_said("");
	write_log("a", "this one\n");
	assert_said("this one\n");
}

static void reads_a_log_that_was_begun_anew(void **state)
{
	(void)state;
	write_log("w", "a long one that is full\n");
	kw_qemu_log_mark(dir, "web-1", &before);
	write_log("w", "shorter\n");
	assert_said("shorter\n");
	kw_qemu_log_mark(dir, "web-1", &before);
	rename(path, kept);
	write_log("w", "as long\n");
	assert_said("as long\n");
}

static void keeps_the_end_of_much(void **state)
{
	(void)state;
	kw_qemu_log_mark(dir, "web-1", &before);
	write_log("w", "a command line of many words\nit died\n");
	assert_said(" words\nit died\n");
}

static void finds_nothing_where_no_log_can_be(void **state)
{
	char name[PATH_MAX];

	(void)state;
	write_log("w", "it died\n");
	kw_qemu_log_mark(dir, "../web-1", &before);
	assert_string_equal(before.path, "");
	assert_said("");
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	kw_qemu_log_mark(dir, name, &before);
	assert_string_equal(before.path, "");
	assert_said("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(tells_of_a_first_start, remove_log),
		cmocka_unit_test_teardown(leaves_out_earlier_starts, remove_log),
		cmocka_unit_test_teardown(reads_a_log_that_was_begun_anew, remove_log),
		cmocka_unit_test_teardown(keeps_the_end_of_much, remove_log),
		cmocka_unit_test_teardown(finds_nothing_where_no_log_can_be, remove_log),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
