/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/utf8.h"

#define BAD "\uFFFD"

static const struct {
	const char *text, *repaired;
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "gr\u00fcn \u20ac \U0001f600", "gr\u00fcn \u20ac \U0001f600" },
	{ "a\xff" "b", "a" BAD "b" },
	{ "cut\xe2\x82", "cut" BAD BAD },
	{ "overlong\xc0\xaf", "overlong" BAD BAD },
	{ "surrogate\xed\xa0\x80", "surrogate" BAD BAD BAD },
	{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
};

static void what_is_no_character_is_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_free_ char *repaired = kw_utf8_repair(cases[i].text);

		assert_string_equal(repaired, cases[i].repaired);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_character_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
