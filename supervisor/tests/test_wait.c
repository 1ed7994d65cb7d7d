/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/wait.h"

static void places_read_as_people_say_them(void **state)
{
	static const struct {
		uint32_t number;
		const char *text;
	} cases[] = {
		{ 1, "1st" }, { 2, "2nd" }, { 3, "3rd" }, { 4, "4th" }, { 10, "10th" },
		{ 11, "11th" }, { 12, "12th" }, { 13, "13th" }, { 21, "21st" }, { 102, "102nd" },
		{ 111, "111th" }, { 512, "512th" }, { 523, "523rd" },
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(kw_wait_ordinal(text, sizeof(text), cases[i].number),
				    cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_read_as_people_say_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
