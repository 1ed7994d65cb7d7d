/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/drain.c on a host that is made up: libvirt and the kernel module are stood in for. */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "cli/drain_look.h"
#include "facts/snapshot.h"

#define URI "qemu+ssh://h2/system"

static bool module_tells;

void __wrap_kw_snapshot_read(struct kw_netlink **netlink, const struct kw_guest_list *before,
			     struct kw_facts *ret_facts);
void __wrap_kw_snapshot_read(struct kw_netlink **netlink, const struct kw_guest_list *before,
			     struct kw_facts *ret_facts)
{
	(void)netlink;
	(void)before;
	*ret_facts = (struct kw_facts){ .guests.known = module_tells, .reason = "no module" };
}

/* libvirt has no guests here. */
enum kw_exit __wrap_kw_drain_look(const char *command, const char *const *uris, size_t uri_count,
				  const struct kw_move_wish *wish, struct kw_drain_look *ret_look);
enum kw_exit __wrap_kw_drain_look(const char *command, const char *const *uris, size_t uri_count,
				  const struct kw_move_wish *wish, struct kw_drain_look *ret_look)
{
	(void)command;
	(void)uris;
	(void)uri_count;
	(void)wish;
	*ret_look = (struct kw_drain_look){};
	return KW_EXIT_DONE;
}

static enum kw_exit drain(const char *option)
{
	char text[64], *argv[] = { (char *)"drain", (char *)"--dry-run", text, (char *)URI, NULL };

	strcpy(text, option);
	return kw_command_drain.run(&kw_command_drain, 4, argv);
}

/* Libvirt alone cannot tell that nobody is left. */
static void an_empty_host_is_one_that_the_module_calls_so(void **state)
{
	(void)state;
	module_tells = true;
	assert_int_equal(drain("--jobs=1"), KW_EXIT_DONE);
	module_tells = false;
	assert_int_equal(drain("--jobs=1"), KW_EXIT_REFUSED);
}

static void seconds_are_those_that_migrate_takes(void **state)
{
	(void)state;
	module_tells = true;
	assert_int_equal(drain("--timeout=0"), KW_EXIT_USAGE);
	assert_int_equal(drain("--shutdown-timeout=0"), KW_EXIT_USAGE);
	assert_int_equal(drain("--timeout=1"), KW_EXIT_DONE);
	assert_int_equal(drain("--shutdown-timeout=1"), KW_EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_host_is_one_that_the_module_calls_so),
		cmocka_unit_test(seconds_are_those_that_migrate_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
