/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "cli/checks.h"

static struct kw_check checks[KW_CHECK_MAX];

static const struct kw_check *check(const struct kw_host *host,
				    const struct kw_host_around *around, const char *key)
{
	size_t count = kw_checks_make(host, around, checks);

	assert_in_range(count, 1, KW_CHECK_MAX);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(checks[i].key, key))
			return &checks[i];
	fail_msg("there is no check %s", key);
	return NULL;
}

static void unknown_is_neither_ok_nor_no(void **state)
{
	const struct kw_host host = {};
	const struct kw_host_around around = {};
	size_t count = kw_checks_make(&host, &around, checks);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		/* That no driver of the PSP answers is itself known. */
		if (!strcmp(checks[i].key, "psp"))
			continue;
		assert_int_equal(checks[i].state, KW_CHECK_UNKNOWN);
		assert_null(checks[i].remedy);
	}
}

static void a_drained_host_says_how_to_end_it(void **state)
{
	const struct kw_host host = {};
	struct kw_host_around around = { .daemon = KW_U32(1), .admits = KW_U32(0) };

	(void)state;
	assert_int_equal(check(&host, &around, "admits_guests")->state, KW_CHECK_NO);
	assert_non_null(strstr(check(&host, &around, "admits_guests")->remedy, "kvmward undrain"));
	around.admits = KW_U32(1);
	assert_int_equal(check(&host, &around, "admits_guests")->state, KW_CHECK_OK);
}

static void who_may_use_kvm_matters_once_it_is_there(void **state)
{
	const struct kw_host host = {};
	struct kw_host_around around = { .dev_kvm = KW_U32(1), .kvm_group = KW_U32(0) };

	(void)state;
	assert_int_equal(check(&host, &around, "dev_kvm_group")->state, KW_CHECK_NO);
	assert_non_null(strstr(check(&host, &around, "dev_kvm_group")->remedy, "udevadm trigger"));
	around = (struct kw_host_around){ .dev_kvm = KW_U32(0) };
	assert_int_equal(check(&host, &around, "dev_kvm_group")->state, KW_CHECK_UNKNOWN);
}

static void only_the_first_no_has_a_remedy(void **state)
{
	const struct kw_host intel = {
		.virt_in_cpu = KW_U32(1), .sme_in_cpu = KW_U32(0), .sme_enabled = KW_U32(0),
		.sev_in_cpu = KW_U32(0), .sev_enabled = KW_U32(0), .sev_es_in_cpu = KW_U32(0),
		.snp_in_cpu = KW_U32(0), .facts_source = KW_U32(KW_FACTS_NONE),
	};
	const struct kw_host_around around = { .dev_sev = KW_U32(0) };
	static const char *const follow[] = { "sme_enabled", "sev_in_cpu", "sev_enabled",
					      "sev_es_in_cpu", "snp_in_cpu", "psp", "dev_sev",
					      "guest_facts" };

	(void)state;
	assert_non_null(check(&intel, &around, "sme_in_cpu")->remedy);
	for (size_t i = 0; i < sizeof(follow) / sizeof(*follow); i++) {
		assert_int_equal(check(&intel, &around, follow[i])->state, KW_CHECK_NO);
		assert_null(check(&intel, &around, follow[i])->remedy);
	}
}

/* CPUID Fn8000_001F ECX, EDX and what follows from them. */
static const struct {
	uint32_t max, min;
	enum kw_check_state sev, es;
	const char *sev_detail, *es_detail;
} splits[] = {
	{ 15, 1, KW_CHECK_OK, KW_CHECK_NO, "1 to 15: 15", "" },
	{ 15, 6, KW_CHECK_OK, KW_CHECK_OK, "6 to 15: 10", "1 to 5: 5" },
	{ 509, 100, KW_CHECK_OK, KW_CHECK_OK, "100 to 509: 410", "1 to 99: 99" },
	{ 1006, 1007, KW_CHECK_NO, KW_CHECK_OK, "", "1 to 1006: 1006" },
	{ 1006, 1010, KW_CHECK_NO, KW_CHECK_OK, "", "1 to 1006: 1006" },
};

static void asids_are_split(void **state)
{
	const struct kw_host_around around = {};

	(void)state;
	for (size_t i = 0; i < sizeof(splits) / sizeof(*splits); i++) {
		const struct kw_host host = { .max_asid = KW_U32(splits[i].max),
					      .min_sev_asid = KW_U32(splits[i].min) };
		const struct kw_check *sev = check(&host, &around, "sev_asids");
		const struct kw_check *es = check(&host, &around, "sev_es_asids");

		assert_int_equal(sev->state, splits[i].sev);
		assert_string_equal(sev->detail, splits[i].sev_detail);
		assert_int_equal(es->state, splits[i].es);
		assert_string_equal(es->detail, splits[i].es_detail);
		assert_int_equal(es->remedy != NULL, splits[i].es == KW_CHECK_NO);
	}
}

static void busy_firmware_is_no_lack_of_a_driver(void **state)
{
	const struct kw_host host = { .sev_in_cpu = KW_U32(1) };
	struct kw_host_around around = { .dev_sev = KW_U32(1) };

	(void)state;
	assert_int_equal(check(&host, &around, "psp")->state, KW_CHECK_UNKNOWN);
	around.dev_sev = KW_U32(0);
	assert_int_equal(check(&host, &around, "psp")->state, KW_CHECK_NO);
}

static void firmware_and_psp_are_told(void **state)
{
	const struct kw_host host = {
		.vendor = KW_U32(KW_VENDOR_AMD), .virt_in_cpu = KW_U32(1),
		.virt_firmware_disabled = KW_U32(1), .sev_in_cpu = KW_U32(1),
		.psp_state = KW_U32(1), .psp_api_major = KW_U32(1), .psp_api_minor = KW_U32(55),
		.psp_build = KW_U32(21), .psp_guest_count = KW_U32(3),
		.c_bit_position = KW_U32(51), .phys_addr_reduction = KW_U32(5),
		.facts_source = KW_U32(KW_FACTS_NONE), .facts_reason = "no BTF",
	};
	const struct kw_host_around around = { .daemon = KW_U32(0), .hook = KW_U32(1) };

	(void)state;
	assert_int_equal(check(&host, &around, "virt_firmware")->state, KW_CHECK_NO);
	assert_non_null(check(&host, &around, "virt_firmware")->remedy);
	assert_string_equal(check(&host, &around, "psp")->detail,
			    "initialised, API 1.55, build 21, 3 guests");
	assert_string_equal(check(&host, &around, "c_bit")->detail,
			    "bit 51, 5 address bits fewer");
	assert_string_equal(check(&host, &around, "guest_facts")->detail, "no BTF");
	assert_non_null(check(&host, &around, "guest_facts")->remedy);
	assert_non_null(check(&host, &around, "daemon")->remedy);
	assert_int_equal(check(&host, &around, "hook")->state, KW_CHECK_OK);
}

/* What firmware keeps back, level by level: the lowest says what to do. */
static void the_lowest_obstacle_of_snp_is_named(void **state)
{
	struct kw_host host = {
		.sme_in_cpu = KW_U32(1), .sev_in_cpu = KW_U32(1), .smm_locked = KW_U32(0),
		.sev_enabled = KW_U32(0), .sev_es_in_cpu = KW_U32(1), .sev_es_enabled = KW_U32(1),
		.snp_in_cpu = KW_U32(1), .snp_rmp_reserved = KW_U32(0), .snp_active = KW_U32(0),
		.snp_enabled = KW_U32(0), .vmpls = KW_U32(4),
	};
	const struct kw_host_around around = {};

	(void)state;
	assert_non_null(check(&host, &around, "smm_locked")->remedy);
	assert_null(check(&host, &around, "sev_enabled")->remedy);
	assert_string_equal(check(&host, &around, "snp_in_cpu")->detail, "4 VMPLs");
	assert_non_null(check(&host, &around, "snp_rmp_reserved")->remedy);
	assert_null(check(&host, &around, "snp_active")->remedy);
	assert_null(check(&host, &around, "snp_enabled")->remedy);

	/* A rung of which nothing is known in between hides no remedy and gives none. */
	host.snp_rmp_reserved = (struct kw_u32){};
	assert_non_null(check(&host, &around, "snp_active")->remedy);
	host.snp_active = (struct kw_u32){};
	host.snp_in_cpu = KW_U32(0);
	assert_non_null(check(&host, &around, "snp_in_cpu")->remedy);
	assert_null(check(&host, &around, "snp_enabled")->remedy);
}

static void queues_are_told_where_they_are_known(void **state)
{
	const struct kw_host host = { .vhost_net_loaded = KW_U32(1) };
	struct kw_host_around around = {};

	(void)state;
	assert_string_equal(check(&host, &around, "vhost_net_loaded")->detail, "");
	around.vhost_net_queues = KW_U32(1);
	assert_string_equal(check(&host, &around, "vhost_net_loaded")->detail,
			    "1 queue in use by guests");
	around.vhost_net_queues = KW_U32(0);
	assert_string_equal(check(&host, &around, "vhost_net_loaded")->detail,
			    "0 queues in use by guests");
}

static void it_is_told_how_changes_are_learnt(void **state)
{
	const struct kw_host host = { .slot_events = KW_U32(0), .slot_events_reason = "no kprobes" };
	struct kw_host_around around = {
		.daemon = KW_U32(1), .hearing_known = true,
		.hearing = { KW_HEARING_UEVENTS, "no kprobes" },
	};
	const struct kw_host_around no_daemon = { .daemon = KW_U32(0) };

	(void)state;
	assert_int_equal(check(&host, &around, "slot_events")->state, KW_CHECK_NO);
	assert_string_equal(check(&host, &around, "slot_events")->detail, "no kprobes");
	assert_non_null(check(&host, &around, "slot_events")->remedy);
	assert_int_equal(check(&host, &around, "hearing")->state, KW_CHECK_NO);
	assert_string_equal(check(&host, &around, "hearing")->detail,
			    "from KVM's uevents: no kprobes");
	around.hearing = (struct kw_hearing_state){ KW_HEARING_SLOTS, "" };
	assert_int_equal(check(&host, &around, "hearing")->state, KW_CHECK_OK);
	assert_string_equal(check(&host, &around, "hearing")->detail,
			    "from the module's slot events");
	assert_int_equal(check(&host, &no_daemon, "hearing")->state, KW_CHECK_UNKNOWN);
}

static void walls_are_ok_off_or_missing(void **state)
{
	const struct kw_host host = {};
	struct kw_host_around around = {
		.daemon = KW_U32(1), .walls.known = true,
		.walls.wall = { [KW_WALL_MEMORY] = { KW_WALL_OK, KW_U64(15ull << 30), "" },
				[KW_WALL_SEV] = { KW_WALL_OK, KW_U64(1), "" },
				[KW_WALL_SEV_ES] = { KW_WALL_OFF, { false }, "the host has none" } },
	};
	struct kw_wall_status missing = { KW_WALL_MISSING, { false }, "no cgroup v2" };

	(void)state;
	assert_int_equal(check(&host, &around, "wall_memory_max")->state, KW_CHECK_OK);
	assert_string_equal(check(&host, &around, "wall_memory_max")->detail,
			    "guests have at most 15.0 GiB");
	assert_string_equal(check(&host, &around, "wall_misc_max_sev")->detail,
			    "guests have at most 1 slot");
	assert_int_equal(check(&host, &around, "wall_misc_max_sev_es")->state, KW_CHECK_OFF);
	assert_string_equal(kw_check_state_name(KW_CHECK_OFF), "off");
	assert_string_equal(check(&host, &around, "wall_misc_max_sev_es")->detail,
			    "the host has none");
	assert_null(check(&host, &around, "wall_misc_max_sev_es")->remedy);

	around.walls.wall[KW_WALL_SEV] = around.walls.wall[KW_WALL_SEV_ES] = missing;
	assert_int_equal(check(&host, &around, "wall_misc_max_sev")->state, KW_CHECK_NO);
	assert_string_equal(check(&host, &around, "wall_misc_max_sev")->detail, "no cgroup v2");
	assert_non_null(check(&host, &around, "wall_misc_max_sev")->remedy);
	assert_null(check(&host, &around, "wall_misc_max_sev_es")->remedy);
	around.walls.known = false;
	assert_int_equal(check(&host, &around, "wall_misc_max_sev")->state, KW_CHECK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_neither_ok_nor_no),
		cmocka_unit_test(a_drained_host_says_how_to_end_it),
		cmocka_unit_test(who_may_use_kvm_matters_once_it_is_there),
		cmocka_unit_test(only_the_first_no_has_a_remedy),
		cmocka_unit_test(asids_are_split),
		cmocka_unit_test(busy_firmware_is_no_lack_of_a_driver),
		cmocka_unit_test(firmware_and_psp_are_told),
		cmocka_unit_test(the_lowest_obstacle_of_snp_is_named),
		cmocka_unit_test(queues_are_told_where_they_are_known),
		cmocka_unit_test(it_is_told_how_changes_are_learnt),
		cmocka_unit_test(walls_are_ok_off_or_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
