/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

static char dir[] = "/tmp/kw-file-XXXXXX";
static char path[64], next[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(next, sizeof(next), "%s/file.tmp", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(next);
	return rmdir(dir);
}

static void gives_back_what_was_written(void **state)
{
	_cleanup_free_ char *text = NULL, *large = malloc(100000);
	size_t length = 0;

	(void)state;
	memset(large, 'x', 100000);
	assert_int_equal(kw_file_write(path, large, 100000, 0600), 0);
	assert_int_equal(kw_file_read(path, 100000, &text, &length), 0);
	assert_int_equal(length, 100000);
	assert_memory_equal(text, large, 100000);
	assert_int_equal(text[length], 0);
}

static void reads_no_more_than_max(void **state)
{
	char *text = (char *)1;

	(void)state;
	assert_int_equal(kw_file_write(path, "12345", 5, 0600), 0);
	assert_int_equal(kw_file_read(path, 4, &text, NULL), -EFBIG);
	assert_ptr_equal(text, (char *)1);
	assert_int_equal(kw_file_read(path, 5, &text, NULL), 0);
	assert_string_equal(text, "12345");
	free(text);
}

static void reads_files_without_a_size(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;

	(void)state;
	assert_int_equal(kw_file_read("/proc/self/status", 1 << 20, &text, &length), 0);
	assert_true(length > 100);
}

static void says_why_it_cannot_read(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(kw_file_read("/tmp/kw-no-such-file", 10, &text, NULL), -ENOENT);
	assert_int_equal(kw_file_read("/tmp", 10, &text, NULL), -EISDIR);
	assert_null(text);
}

static void replaces_over_what_a_crash_left(void **state)
{
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(kw_file_write(next, "half of a much longer te", 24, 0600), 0);
	assert_int_equal(kw_file_write(path, "whole", 5, 0640), 0);
	assert_int_equal(kw_file_read(path, 100, &text, NULL), 0);
	assert_string_equal(text, "whole");
	assert_int_equal(access(next, F_OK), -1);
}

static void sets_the_mode_whatever_the_umask(void **state)
{
	struct stat status;
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(kw_file_write(path, "x", 1, 0644), 0);
	umask(old);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
}

static void does_not_write_through_a_link(void **state)
{
	char victim[64];
	_cleanup_free_ char *text = NULL;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	assert_int_equal(kw_file_write(victim, "safe", 4, 0600), 0);
	assert_int_equal(symlink(victim, next), 0);
	assert_int_equal(kw_file_write(path, "other", 5, 0600), -ELOOP);
	assert_int_equal(kw_file_read(victim, 100, &text, NULL), 0);
	assert_string_equal(text, "safe");
	unlink(victim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_written),
		cmocka_unit_test(reads_no_more_than_max),
		cmocka_unit_test(reads_files_without_a_size),
		cmocka_unit_test(says_why_it_cannot_read),
		cmocka_unit_test(replaces_over_what_a_crash_left),
		cmocka_unit_test(sets_the_mode_whatever_the_umask),
		cmocka_unit_test(does_not_write_through_a_link),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
