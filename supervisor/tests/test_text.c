/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/text.h"

static void copies_what_fits(void **state)
{
	char to[6];

	(void)state;
	assert_true(kw_text_copy(to, sizeof(to), "12345"));
	assert_string_equal(to, "12345");
	assert_false(kw_text_copy(to, sizeof(to), "123456"));
	assert_string_equal(to, "12345");
	assert_true(kw_text_copy(to, sizeof(to), NULL));
	assert_string_equal(to, "");
	assert_false(kw_text_copy(to, 0, "x"));
}

static void cuts_at_a_character(void **state)
{
	char to[6];

	(void)state;
	assert_false(kw_text_copy(to, sizeof(to), "abcd\xc3\xa4"));
	assert_string_equal(to, "abcd");
	assert_false(kw_text_copy(to, sizeof(to), "abc\xe2\x82\xac"));
	assert_string_equal(to, "abc");
	assert_true(kw_text_copy(to, sizeof(to), "ab\xe2\x82\xac"));
	assert_string_equal(to, "ab\xe2\x82\xac");
}

static void reads_numbers_strictly(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int error;
		uint64_t number;
	} rows[] = {
		{ "0", 10, 0, 0 },
		{ "007", 10, 0, 7 },
		{ "10", 10, 0, 10 },
		{ "11", 10, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "+1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1k", 10, -EINVAL, 0 },
		{ "0x1", 10, -EINVAL, 0 },
		{ NULL, 10, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t number = 42;

		assert_int_equal(kw_text_u64(rows[i].text, rows[i].max, &number), rows[i].error);
		assert_int_equal(number, rows[i].error ? 42 : rows[i].number);
	}
}

static void reads_launch_policies(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_int_equal(kw_text_number("0x00030000", UINT64_MAX, &number), 0);
	assert_int_equal(number, 0x30000);
	assert_int_equal(kw_text_number("0X3f", UINT64_MAX, &number), 0);
	assert_int_equal(number, 0x3f);
	assert_int_equal(kw_text_number("51", UINT64_MAX, &number), 0);
	assert_int_equal(number, 51);
	assert_int_equal(kw_text_number("0x", UINT64_MAX, &number), -EINVAL);
	assert_int_equal(kw_text_number("0xg", UINT64_MAX, &number), -EINVAL);
	assert_int_equal(kw_text_number("3f", UINT64_MAX, &number), -EINVAL);
	assert_int_equal(kw_text_number("0x10000000000000000", UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number, 51);
}

static void reads_scaled_sizes(void **state)
{
	static const struct {
		const char *number, *unit;
		int error;
		uint64_t bytes;
	} rows[] = {
		{ "4", NULL, 0, 4096 },		    { "4", "", 0, 4096 },
		{ "4", "b", 0, 4 },		    { "4", "bytes", 0, 4 },
		{ "4", "KB", 0, 4000 },		    { "4", "k", 0, 4096 },
		{ "4", "KiB", 0, 4096 },	    { "4", "mib", 0, 4ull << 20 },
		{ "4", "MB", 0, 4000000 },	    { "4", "G", 0, 4ull << 30 },
		{ "1", "TiB", 0, 1ull << 40 },	    { "1", "PiB", 0, 1ull << 50 },
		{ "15", "EiB", 0, 15ull << 60 },    { "16", "EiB", -ERANGE, 0 },
		{ "18446744073709551615", "KiB", -ERANGE, 0 },
		{ "4", "XiB", -EINVAL, 0 },	    { "4", "KiBs", -EINVAL, 0 },
		{ "4", "iB", -EINVAL, 0 },	    { "4.5", "MiB", -EINVAL, 0 },
		{ "-4", "MiB", -EINVAL, 0 },	    { "", "MiB", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t bytes = 42;

		assert_int_equal(kw_text_size(rows[i].number, rows[i].unit, 1024, &bytes),
				 rows[i].error);
		assert_int_equal(bytes, rows[i].error ? 42 : rows[i].bytes);
	}
}

static void brings_uuids_into_one_form(void **state)
{
	static const char usual[] = "01234567-89ab-cdef-0123-456789abcdef";
	char uuid[37] = "untouched";

	(void)state;
	assert_int_equal(kw_text_uuid("0123456789ABCDEF0123456789abcdef", uuid), 0);
	assert_string_equal(uuid, usual);
	assert_int_equal(kw_text_uuid(usual, uuid), 0);
	assert_string_equal(uuid, usual);
	assert_true(kw_text_is_uuid(usual));
	assert_false(kw_text_is_uuid("01234567-89AB-cdef-0123-456789abcdef"));
	assert_false(kw_text_is_uuid("0123456789abcdef0123456789abcdef"));
	assert_int_equal(kw_text_uuid("0123456789abcdef0123456789abcde", uuid), -EINVAL);
	assert_int_equal(kw_text_uuid("0123456789abcdef0123456789abcdef0", uuid), -EINVAL);
	assert_int_equal(kw_text_uuid("../../../../../../etc/passwd", uuid), -EINVAL);
	assert_int_equal(kw_text_uuid("", uuid), -EINVAL);
	assert_int_equal(kw_text_uuid(NULL, uuid), -EINVAL);
	assert_string_equal(uuid, usual);
}

static void tells_utf8(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
		{ "", true },		  { "plain", true },
		{ "\xc3\xa4", true },	  { "\xe2\x82\xac", true },
		{ "\xf0\x9f\x94\x91", true }, { "\xf4\x8f\xbf\xbf", true },
		{ "\xc3", false },	  { "\xc3(", false },
		{ "\x80", false },	  { "\xc0\xaf", false },	/* overlong */
		{ "\xe0\x80\xaf", false },  { "\xed\xa0\x80", false },	/* surrogate */
		{ "\xf4\x90\x80\x80", false }, { "\xff", false },
		{ "a\xe2\x82", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(kw_text_is_utf8(rows[i].text), rows[i].is);
}

static void writes_bytes_for_people(void **state)
{
	char to[32];

	(void)state;
	assert_string_equal(kw_text_bytes(to, sizeof(to), 17), "17 B");
	assert_string_equal(kw_text_bytes(to, sizeof(to), 300 * KW_KIB), "300 KiB");
	assert_string_equal(kw_text_bytes(to, sizeof(to), 4096 * KW_MIB), "4096 MiB");
	assert_string_equal(kw_text_bytes(to, sizeof(to), 12 * KW_GIB + 512 * KW_MIB), "12.5 GiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_fits),
		cmocka_unit_test(cuts_at_a_character),
		cmocka_unit_test(reads_numbers_strictly),
		cmocka_unit_test(reads_launch_policies),
		cmocka_unit_test(reads_scaled_sizes),
		cmocka_unit_test(brings_uuids_into_one_form),
		cmocka_unit_test(tells_utf8),
		cmocka_unit_test(writes_bytes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
