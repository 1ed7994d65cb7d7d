/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/paragraph.h"

static const struct {
	const char *label, *text;
	size_t indent, width;
	const char *printed;
} cases[] = {
	{ "do", "one two three", 4, 12, "do  one two\n    three\n" },
	{ "do", "one two three", 4, 0, "do  one two three\n" },
	{ "", "unbreakable-word and", 2, 6, "  unbreakable-word\n  and\n" },
	{ "none", "", 6, 20, "none  \n" },
	{ "x", "a\nb", 2, 80, "x a\\x0ab\n" },
	{ "x", "tail ", 2, 80, "x tail \n" },
};

static void paragraphs_break_at_blanks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		kw_paragraph_labelled(to, cases[i].label, cases[i].indent, cases[i].width,
				      cases[i].text);
		fclose(to);
		assert_string_equal(text, cases[i].printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paragraphs_break_at_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
