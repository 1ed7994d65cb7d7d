/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/command.h"

static bool flag;
static const char *value;

static const struct kw_option options[] = {
	{ .name = "flag", .help = "a flag", .flag = &flag },
	{ .name = "value", .letter = 'v', .argument = "X", .help = "a value", .value = &value },
	{ .name = "both", .argument = "X", .help = "may have a value", .flag = &flag,
	  .value = &value },
};

static const struct kw_command command = {
	.name = "look", .arguments = "FILE", .summary = "Look", .help = "Looks.",
	.examples = "  kvmward look f\n", .least = 1, .most = 1,
};

static const struct {
	const char *argv[5];
	bool goes_on;
	enum kw_exit done;
	bool flag;
	const char *value, *first;
} cases[] = {
	{ { "look", "f" }, true, 0, false, NULL, "f" },
	{ { "look", "--flag", "f" }, true, 0, true, NULL, "f" },
	{ { "look", "f", "--value", "v" }, true, 0, false, "v", "f" },
	{ { "look", "--value=v", "f" }, true, 0, false, "v", "f" },
	{ { "look", "-v", "v", "f" }, true, 0, false, "v", "f" },
	{ { "look", "-vv", "f" }, true, 0, false, "v", "f" },
	{ { "look", "f", "-v" }, false, KW_EXIT_USAGE },
	{ { "look", "--fl", "--", "--flag" }, true, 0, true, NULL, "--flag" },
	{ { "look", "-" }, true, 0, false, NULL, "-" },
	{ { "look", "--both", "f" }, true, 0, true, NULL, "f" },
	{ { "look", "--both=v", "f" }, true, 0, true, "v", "f" },
	{ { "look", "--both", "v", "f" }, false, KW_EXIT_USAGE },
	{ { "look" }, false, KW_EXIT_USAGE },
	{ { "look", "f", "g" }, false, KW_EXIT_USAGE },
	{ { "look", "--flag=x", "f" }, false, KW_EXIT_USAGE },
	{ { "look", "--nothing", "f" }, false, KW_EXIT_USAGE },
	{ { "look", "-x", "f" }, false, KW_EXIT_USAGE },
	{ { "look", "f", "--value" }, false, KW_EXIT_USAGE },
	{ { "look", "--help" }, false, KW_EXIT_DONE },
	{ { "look", "--nothing", "--help" }, false, KW_EXIT_USAGE },
};

static void options_and_arguments_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *argv[6] = {};
		enum kw_exit done = KW_EXIT_FAILED;
		int argc = 0, first = -1;

		while (argc < 5 && cases[i].argv[argc]) {
			argv[argc] = (char *)cases[i].argv[argc];
			argc++;
		}
		flag = false;
		value = NULL;
		assert_int_equal(kw_options_read(&command, options, 3, argc, argv, &first, &done),
				 cases[i].goes_on);
		if (!cases[i].goes_on) {
			assert_int_equal(done, cases[i].done);
			assert_int_equal(first, -1);
			continue;
		}
		assert_int_equal(flag, cases[i].flag);
		assert_string_equal(value ? value : "", cases[i].value ? cases[i].value : "");
		assert_string_equal(argv[first], cases[i].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_arguments_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
