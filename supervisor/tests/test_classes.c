/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/classes.h"

#define UUID "bbbbbbbb-0000-0000-0000-000000000001"
#define GOLD_SLICE "/machine.slice/machine-gold.slice/machine-qemu\\x2d1\\x2da.scope"

static struct kw_config two_classes(void)
{
	return (struct kw_config){ .classes = { { .name = "gold" }, { .name = "bronze" } },
				   .class_count = 2 };
}

static const char *name_of(const struct kw_class *class)
{
	return class ? class->name : "";
}

static void the_class_of_a_guest_that_runs(void **state)
{
	static const struct {
		const char *cgroup, *class;
	} cases[] = {
		{ GOLD_SLICE, "gold" },
		{ "/machine.slice/machine-gold.slice/machine-gold-a.slice/x.scope/libvirt", "gold" },
		{ "/machine.slice/machine-gold.slice/machine-gold-bronze.slice/x.scope", "bronze" },
		{ "/machine/gold.partition/qemu-3-db.libvirt-qemu/emulator", "gold" },
		{ "/machine.slice/machine-qemu\\x2d1\\x2dgold.scope", "" },
		{ "/machine.slice/machine-golden.slice/x.scope", "" },
		{ "/machine.slice/machine-silver.slice/x.scope", "" },
		{ "/user.slice/user-gold.slice/x.scope", "" }, /* anybody can have that */
		{ "/system.slice/docker-1.scope/machine.slice/machine-gold.slice", "" },
		{ "", "" },
	};
	struct kw_config config = two_classes();
	struct kw_hold_list holds = {};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_guest guest = { .pid = 7 };

		strcpy(guest.cgroup, cases[i].cgroup);
		assert_string_equal(name_of(kw_class_of_guest(&config, &holds, &guest)),
				    cases[i].class);
	}
}

/* What it was admitted as: its slice may be another, or none. */
static void the_hold_says_the_class(void **state)
{
	struct kw_guest guest = { .pid = 7, .cgroup = GOLD_SLICE, .uuid = UUID };
	struct kw_hold hold = { .claim = { .class_name = "bronze", .uuid = UUID } };
	struct kw_config config = two_classes();
	struct kw_hold_list holds = { &hold, 1 };

	(void)state;
	assert_string_equal(name_of(kw_class_of_guest(&config, &holds, &guest)), "gold");
	hold.pid = 7;
	assert_string_equal(name_of(kw_class_of_guest(&config, &holds, &guest)), "bronze");
	strcpy(hold.claim.class_name, "taken_out_of_the_file");
	assert_string_equal(name_of(kw_class_of_guest(&config, &holds, &guest)), "");
}

static void the_class_of_a_guest_to_come(void **state)
{
	static const struct {
		const char *metadata, *partition, *class; /* class NULL: refused */
	} cases[] = {
		{ "", "", "" },
		{ "gold", "", "gold" },
		{ "gold", "/machine/bronze", "gold" },
		{ "", "/machine/bronze", "bronze" },
		{ "", "/machine/gold/bronze", "bronze" },
		{ "", "/machine/gold/a", "gold" },
		{ "", "/machine", "" },
		{ "", "/machine/silver", "" },
		{ "silver", "/machine/gold", NULL },
		{ "gol", "", NULL },
		{ "Gold", "", NULL },
	};
	struct kw_verdict verdict;
	struct kw_config config = two_classes();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_claim claim = { .class_name = "untouched" };
		struct kw_domain domain = { .line_class = 7 };

		strcpy(domain.class_name, cases[i].metadata);
		strcpy(domain.partition, cases[i].partition);
		assert_int_equal(kw_class_assign(&config, &domain, &claim, &verdict),
				 cases[i].class != NULL);
		assert_string_equal(claim.class_name, cases[i].class ?: "untouched");
		if (cases[i].class)
			continue;
		assert_int_equal(verdict.code, KW_CLASS_UNKNOWN);
		assert_true(kw_text_starts(verdict.sentence, "line 7: there is no class \""));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_class_of_a_guest_that_runs),
		cmocka_unit_test(the_hold_says_the_class),
		cmocka_unit_test(the_class_of_a_guest_to_come),
	};

	return cmocka_run_group_tests_name("classes", tests, NULL, NULL);
}
