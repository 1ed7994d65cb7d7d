/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line may say; libvirt is never there. */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "cli/move_look.h"

#define READ_WELL KW_EXIT_FAILED

enum kw_exit __wrap_kw_move_here_open(const char *command, struct kw_move_here *ret_here);
enum kw_exit __wrap_kw_move_here_open(const char *command, struct kw_move_here *ret_here)
{
	(void)command;
	(void)ret_here;
	return READ_WELL;
}

static enum kw_exit migrate(const char *kind, const char *option)
{
	char texts[2][32], *argv[] = { (char *)"migrate", texts[0], texts[1], (char *)"web",
				       (char *)"qemu+ssh://h2/system", NULL };

	strcpy(texts[0], kind);
	strcpy(texts[1], option);
	return kw_command_migrate.run(&kw_command_migrate, 5, argv);
}

static void options_are_of_the_kind_that_is_wanted(void **state)
{
	(void)state;
	assert_int_equal(migrate("--live", "--cold"), KW_EXIT_USAGE);
	assert_int_equal(migrate("--cold", "--timeout=9"), KW_EXIT_USAGE);
	assert_int_equal(migrate("--live", "--force"), KW_EXIT_USAGE);
	assert_int_equal(migrate("--live", "--shutdown-timeout=9"), KW_EXIT_USAGE);
	assert_int_equal(migrate("--live", "--timeout=9"), READ_WELL);
	assert_int_equal(migrate("--cold", "--force"), READ_WELL);
	assert_int_equal(migrate("--cold", "--shutdown-timeout=9"), READ_WELL);
}

/* It may become either kind, and 'kvmward drain' says all that it was told. */
static void without_a_kind_all_of_them_are(void **state)
{
	(void)state;
	assert_int_equal(migrate("--timeout=9", "--force"), READ_WELL);
	assert_int_equal(migrate("--timeout=9", "--shutdown-timeout=9"), READ_WELL);
	assert_int_equal(migrate("--force", "--timeout=0"), KW_EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_of_the_kind_that_is_wanted),
		cmocka_unit_test(without_a_kind_all_of_them_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
