/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/walls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static struct kw_facts facts;
static struct kw_config config;
static struct kw_wall_status aim;
static const struct kw_u64 never = { 0 };

/* 16 GiB, 10 SEV and 5 SEV-ES slots, and a machine.slice in which nothing runs or is limited. */
static int make_host(void **state)
{
	(void)state;
	kw_config_defaults(&config);
	facts = (struct kw_facts){
		.memory_total_bytes = KW_U64(16 * KW_GIB), .hugetlb_bytes = KW_U64(0),
		.slots.known = true,
		.cgroups = { .unified = true, .misc_offered = true, .misc_enabled = true,
			     .slice = true, .memory_max_bytes = KW_U64(KW_NO_LIMIT) },
	};
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		facts.slots.pool[pool] = (struct kw_slots){ .charged = KW_U32(0),
							    .in_use = KW_U32(0) };
	facts.slots.pool[KW_POOL_SEV].capacity = KW_U32(10);
	facts.slots.pool[KW_POOL_SEV_ES].capacity = KW_U32(5);
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++)
		facts.cgroups.misc[key] = (struct kw_misc){ KW_U64(KW_NO_LIMIT), KW_U64(0) };
	return 0;
}

static uint64_t limit_of(enum kw_wall wall, struct kw_u64 told)
{
	assert_true(kw_wall_aim(&facts, &config, wall, told, &aim));
	if (aim.state != KW_WALL_OK)
		fail_msg("%s: %s", kw_wall_state_name(aim.state), aim.reason);
	assert_string_equal(aim.reason, "");
	assert_true(aim.limit.known);
	return aim.limit.value;
}

static void expect_missing(enum kw_wall wall, const char *in_reason)
{
	assert_true(kw_wall_aim(&facts, &config, wall, never, &aim));
	assert_int_equal(aim.state, KW_WALL_MISSING);
	assert_false(aim.limit.known);
	if (!strstr(aim.reason, in_reason))
		fail_msg("no \"%s\" in \"%s\"", in_reason, aim.reason);
}

static void memory_is_what_the_host_rule_leaves(void **state)
{
	(void)state;
	assert_int_equal(limit_of(KW_WALL_MEMORY, never), 16 * KW_GIB - 512 * KW_MIB);
	facts.hugetlb_bytes = KW_U64(4 * KW_GIB);
	config.reserved_host_memory_bytes = 2 * KW_GIB;
	assert_int_equal(limit_of(KW_WALL_MEMORY, never), 10 * KW_GIB);
	/* the kernel keeps whole pages only, and we compare */
	facts.memory_total_bytes.value += 12 * KW_KIB;
	assert_int_equal(limit_of(KW_WALL_MEMORY, never), 10 * KW_GIB);
}

static void memory_that_is_not_known_makes_no_wall(void **state)
{
	(void)state;
	facts.hugetlb_bytes.known = false;
	expect_missing(KW_WALL_MEMORY, "memory of the host is not known");
	facts.hugetlb_bytes.known = true;
	facts.memory_total_bytes.known = false;
	expect_missing(KW_WALL_MEMORY, "memory of the host is not known");
	facts.memory_total_bytes.known = true;
	facts.cgroups.unified = false;
	expect_missing(KW_WALL_MEMORY, "cgroup v2");
}

static void a_reserve_of_everything_makes_no_wall(void **state)
{
	(void)state;
	config.reserved_host_memory_bytes = 16 * KW_GIB;
	expect_missing(KW_WALL_MEMORY, "leave guests no memory");
	config.reserved_host_memory_bytes = 1ull << 50;
	expect_missing(KW_WALL_MEMORY, "leave guests no memory");
	config.reserved_host_memory_bytes = 0;
	facts.hugetlb_bytes = KW_U64(16 * KW_GIB);
	expect_missing(KW_WALL_MEMORY, "leave guests no memory");
}

static void no_wall_is_built_on_guests_that_run(void **state)
{
	const struct kw_u64 max = KW_U64(KW_NO_LIMIT);
	struct kw_wall_status wall;

	(void)state;
	limit_of(KW_WALL_MEMORY, never);
	wall = aim;
	assert_true(kw_wall_spares(max, KW_U64(15 * KW_GIB), &wall));
	assert_true(kw_wall_equal(&wall, &aim));
	assert_false(kw_wall_spares(max, KW_U64(15 * KW_GIB + 600 * KW_MIB), &wall));
	assert_int_equal(wall.state, KW_WALL_MISSING);
	assert_string_equal(wall.reason, "guests keep 15.6 GiB, and a limit of 15.5 GiB would "
					 "kill some of them");
	wall = aim;
	assert_false(kw_wall_spares(max, never, &wall));
	assert_non_null(strstr(wall.reason, "unknown amount"));
	/* a slice that is not there, or does not count memory, has nothing to kill */
	wall = aim;
	assert_true(kw_wall_spares(never, never, &wall));
	assert_true(kw_wall_equal(&wall, &aim));
}

static void a_lower_limit_of_others_stands(void **state)
{
	(void)state;
	facts.cgroups.memory_max_bytes = KW_U64(4 * KW_GIB);
	assert_int_equal(limit_of(KW_WALL_MEMORY, never), 4 * KW_GIB);
	assert_int_equal(limit_of(KW_WALL_MEMORY, KW_U64(5 * KW_GIB)), 4 * KW_GIB);
	/* but ours follows the rule */
	assert_int_equal(limit_of(KW_WALL_MEMORY, KW_U64(4 * KW_GIB)), 16 * KW_GIB - 512 * KW_MIB);
}

static const struct {
	uint32_t capacity, reserve, charged, in_use;
	uint64_t inside, limit;
} slot_cases[] = {
	{ 10, 0, 0, 0, 0, 10 },
	{ 10, 1, 0, 0, 0, 9 },
	{ 10, 1, 4, 4, 4, 9 },	/* guests inside do not move it */
	{ 10, 1, 6, 6, 4, 7 },	/* those outside do */
	{ 10, 1, 6, 4, 4, 7 },	/* so do slots that have leaked */
	{ 10, 0, 4, 6, 4, 8 },	/* and guests that the kernel's count does not know */
	{ 10, 4, 9, 9, 2, 0 },
	{ 10, 11, 0, 0, 0, 0 },
	{ 10, 65535, 10, 10, 10, 0 },
	{ 10, 0, 2, 2, 4, 10 },
};

static void slots_are_what_admission_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(slot_cases) / sizeof(*slot_cases); i++) {
		facts.slots.pool[KW_POOL_SEV] = (struct kw_slots){
			.capacity = KW_U32(slot_cases[i].capacity),
			.charged = KW_U32(slot_cases[i].charged),
			.in_use = KW_U32(slot_cases[i].in_use),
		};
		config.reserve[KW_POOL_SEV] = slot_cases[i].reserve;
		facts.cgroups.misc[KW_MISC_SEV].current = KW_U64(slot_cases[i].inside);
		if (limit_of(KW_WALL_SEV, never) != slot_cases[i].limit)
			fail_msg("case %zu: %llu", i, (unsigned long long)aim.limit.value);
		assert_int_equal(limit_of(KW_WALL_SEV_ES, never), 5);
	}
}

static void the_override_counts_both_keys(void **state)
{
	(void)state;
	config.num_memory_encrypted_guests = KW_U32(6);
	assert_int_equal(limit_of(KW_WALL_SEV, never), 6);
	assert_int_equal(limit_of(KW_WALL_SEV_ES, never), 5);
	facts.slots.pool[KW_POOL_SEV_ES].charged = KW_U32(4);
	facts.cgroups.misc[KW_MISC_SEV_ES].current = KW_U64(4);
	assert_int_equal(limit_of(KW_WALL_SEV, never), 2);
	config.reserve[KW_POOL_SEV] = 1;
	assert_int_equal(limit_of(KW_WALL_SEV, never), 1);
	config.num_memory_encrypted_guests = KW_U32(0);
	assert_int_equal(limit_of(KW_WALL_SEV, never), 0);
	facts.slots.pool[KW_POOL_SEV_ES].charged.known = false;
	facts.slots.pool[KW_POOL_SEV_ES].in_use.known = false;
	expect_missing(KW_WALL_SEV, "not known");
}

/* With ciphertext hiding two pools are charged to one key. */
static void snp_apart_shares_the_key(void **state)
{
	(void)state;
	facts.slots.snp_apart = true;
	facts.slots.pool[KW_POOL_SNP] = (struct kw_slots){ .capacity = KW_U32(3),
							   .in_use = KW_U32(1) };
	config.reserve[KW_POOL_SNP] = 1;
	config.reserve[KW_POOL_SEV_ES] = 2;
	assert_int_equal(limit_of(KW_WALL_SEV_ES, never), 5 + 3 - 1 - 2 - 1);
	/* all slots to SEV-SNP: that the other pool has none is no unknown */
	facts.slots.pool[KW_POOL_SEV_ES] = (struct kw_slots){ .capacity = KW_U32(0) };
	assert_int_equal(limit_of(KW_WALL_SEV_ES, never), 3 - 1 - 1);
	assert_int_equal(limit_of(KW_WALL_SEV, never), 10);
}

static void what_stands_in_the_way_is_named(void **state)
{
	(void)state;
	facts.cgroups.misc[KW_MISC_SEV].max.known = false;
	expect_missing(KW_WALL_SEV, "machine.slice has no limit of SEV slots");
	facts.cgroups.slice = false;
	expect_missing(KW_WALL_SEV, "no machine.slice yet");
	facts.cgroups.misc_enabled = false;
	expect_missing(KW_WALL_SEV, "misc controller not enabled");
	facts.cgroups.misc_offered = false;
	expect_missing(KW_WALL_SEV, "offers no misc controller");
	facts.cgroups.unified = false;
	expect_missing(KW_WALL_SEV, "cgroup v2");
	facts.slots.pool[KW_POOL_SEV].capacity = KW_U32(0);
	assert_true(kw_wall_aim(&facts, &config, KW_WALL_SEV, never, &aim));
	assert_int_equal(aim.state, KW_WALL_OFF);
	assert_string_equal(aim.reason, "the host has no SEV slot");
	facts.slots.known = false;
	expect_missing(KW_WALL_SEV, "not known");
	expect_missing(KW_WALL_SEV_ES, "how many SEV-ES/SNP slots");
}

static void a_slot_on_its_way_leaves_the_wall_alone(void **state)
{
	(void)state;
	facts.cgroups.misc[KW_MISC_SEV].current.known = false;
	assert_false(kw_wall_aim(&facts, &config, KW_WALL_SEV, never, &aim));
	assert_true(kw_wall_aim(&facts, &config, KW_WALL_SEV_ES, never, &aim));
}

static void each_can_be_switched_off(void **state)
{
	(void)state;
	config.misc_max_wall = false;
	for (enum kw_wall wall = KW_WALL_SEV; wall < KW_WALL_COUNT; wall++) {
		assert_true(kw_wall_aim(&facts, &config, wall, never, &aim));
		assert_int_equal(aim.state, KW_WALL_OFF);
		assert_false(aim.limit.known);
	}
	limit_of(KW_WALL_MEMORY, never);
	config.misc_max_wall = true;
	config.memory_max_wall = false;
	assert_true(kw_wall_aim(&facts, &config, KW_WALL_MEMORY, never, &aim));
	assert_int_equal(aim.state, KW_WALL_OFF);
	limit_of(KW_WALL_SEV, never);
}

static void names_go_both_ways(void **state)
{
	enum kw_wall_state found_state;
	enum kw_wall found;

	(void)state;
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++) {
		assert_int_equal(kw_wall_find(kw_wall_name(wall), &found), 0);
		assert_int_equal(found, wall);
	}
	for (enum kw_wall_state each = 0; each < KW_WALL_STATE_COUNT; each++) {
		assert_int_equal(kw_wall_state_find(kw_wall_state_name(each), &found_state), 0);
		assert_int_equal(found_state, each);
	}
	assert_true(kw_wall_find("moat", &found) < 0);
	assert_true(kw_wall_state_find("", &found_state) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_is_what_the_host_rule_leaves, make_host),
		cmocka_unit_test_setup(memory_that_is_not_known_makes_no_wall, make_host),
		cmocka_unit_test_setup(a_reserve_of_everything_makes_no_wall, make_host),
		cmocka_unit_test_setup(no_wall_is_built_on_guests_that_run, make_host),
		cmocka_unit_test_setup(a_lower_limit_of_others_stands, make_host),
		cmocka_unit_test_setup(slots_are_what_admission_leaves, make_host),
		cmocka_unit_test_setup(the_override_counts_both_keys, make_host),
		cmocka_unit_test_setup(snp_apart_shares_the_key, make_host),
		cmocka_unit_test_setup(what_stands_in_the_way_is_named, make_host),
		cmocka_unit_test_setup(a_slot_on_its_way_leaves_the_wall_alone, make_host),
		cmocka_unit_test_setup(each_can_be_switched_off, make_host),
		cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
