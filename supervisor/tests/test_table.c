/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/table.h"

static const struct kw_column columns[] = {
	{ .title = "NAME", .least = 6 },
	{ .title = "ASID", .right = true },
	{ .title = "PINNED", .right = true },
	{ .title = "NOTE", .least = 4 },
};

static char *printed(const struct kw_table *table, size_t width)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(kw_table_print(table, to, width), 0);
	fclose(to);
	return text;
}

static void add(struct kw_table *table, const char *name, struct kw_u32 asid, struct kw_u64 pinned,
		const char *note)
{
	kw_table_text(table, name);
	kw_table_u32(table, asid);
	kw_table_bytes(table, pinned, false);
	kw_table_text(table, note);
}

static void numbers_stand_right_and_unknown_is_no_zero(void **state)
{
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 4);
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(table, "one", KW_U32(6), KW_U64(512ull << 20), "");
	add(table, "plain", (struct kw_u32){}, (struct kw_u64){}, "mirror");
	add(table, "zero", KW_U32(0), KW_U64(0), "");
	text = printed(table, 0);
	assert_string_equal(text, "NAME   ASID   PINNED  NOTE\n"
				  "one       6  512 MiB\n"
				  "plain     -        -  mirror\n"
				  "zero      0        0\n");
}

static void long_names_are_cut_on_terminals_only(void **state)
{
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 4);
	_cleanup_free_ char *whole = NULL, *cut = NULL, *narrow = NULL;

	(void)state;
	add(table, "a-name-that-goes-on-and-on-and-on", KW_U32(7), KW_U64(1), "outside");
	whole = printed(table, 0);
	assert_non_null(strstr(whole, "a-name-that-goes-on-and-on-and-on"));
	cut = printed(table, 40);
	assert_string_equal(cut, "NAME               ASID  PINNED  NOTE\n"
				 "a-name-that-goes\u2026     7     1 B  outside\n");
	narrow = printed(table, 5);
	assert_non_null(strstr(narrow, "a-nam\u2026     7     1 B  out\u2026\n"));
}

static void an_ascii_terminal_gets_ascii(void **state)
{
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 4);
	_cleanup_free_ char *text = NULL;

	(void)state;
	setlocale(LC_CTYPE, "C");
	add(table, "gr\u00fcn-and-long", KW_U32(7), KW_U64(1), "");
	text = printed(table, 30);
	setlocale(LC_CTYPE, "C.UTF-8");
	assert_non_null(strstr(text, "gr\\xc3"));
	for (const char *at = text; *at; at++)
		assert_true((unsigned char)*at < 0x80);
}

static void hostile_names_stay_in_their_cell(void **state)
{
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 4);
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(table, "x\n\033[2Jy", KW_U32(1), KW_U64(1), "\u202egnirts\xff");
	text = printed(table, 0);
	assert_non_null(strstr(text, "x\\x0a\\x1b[2Jy "));
	assert_non_null(strstr(text, "\\xe2\\x80\\xaegnirts\\xff\n"));
	assert_null(strchr(text, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_stand_right_and_unknown_is_no_zero),
		cmocka_unit_test(long_names_are_cut_on_terminals_only),
		cmocka_unit_test(an_ascii_terminal_gets_ascii),
		cmocka_unit_test(hostile_names_stay_in_their_cell),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
