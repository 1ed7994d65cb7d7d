/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libvirt is asked for. Its test driver moves no guests, so that call is made up. */
#include "act/move_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "act/move_connection.h"

#define URI "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the guest "test" that URI begins with */

KW_CLEANUP_OF(struct kw_move_side, kw_move_side_free);

static struct {
	unsigned int flags;
	char disks[64];
} asked;

static int migrate(virDomainPtr domain, const char *uri, virTypedParameterPtr parameters,
		   unsigned int count, unsigned int flags)
{
	(void)domain;
	assert_string_equal(uri, "qemu+ssh://root@h2/system");
	asked.flags = flags;
	asked.disks[0] = '\0';
	for (unsigned int i = 0; i < count; i++) {
		assert_string_equal(parameters[i].field, VIR_MIGRATE_PARAM_MIGRATE_DISKS);
		strcat(asked.disks, parameters[i].value.s);
		strcat(asked.disks, ";");
	}
	return 0;
}

static void ask(const char *copy_disks)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side =
		kw_move_side_create(URI, UUID);
	const struct kw_move_live live = { "qemu+ssh://root@h2/system", true, copy_disks };

	assert_int_equal(kw_move_side_migrate(side, &live), 0);
	assert_true(asked.flags & VIR_MIGRATE_LIVE);
}

static int prepare(void **state)
{
	char error[256];
	int result = kw_move_sides_prepare(error, sizeof(error));

	(void)state;
	vir.DomainMigrateToURI3 = migrate;
	return result;
}

/* Asked for copies without their names, libvirt would copy shared disks as well. */
static void disks_are_copied_by_name(void **state)
{
	(void)state;
	ask("vda");
	assert_true(asked.flags & VIR_MIGRATE_NON_SHARED_DISK);
	assert_string_equal(asked.disks, "vda;");
	ask("vda,sdb");
	assert_true(asked.flags & VIR_MIGRATE_NON_SHARED_DISK);
	assert_string_equal(asked.disks, "vda;sdb;");
}

static void without_names_none_is_copied(void **state)
{
	static const char *const none[] = { NULL, "" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		ask(none[i]);
		assert_false(asked.flags & VIR_MIGRATE_NON_SHARED_DISK);
		assert_string_equal(asked.disks, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_are_copied_by_name),
		cmocka_unit_test(without_names_none_is_copied),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
