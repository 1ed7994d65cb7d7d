/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GUESTS 4
#define HOSTS 2

static struct kw_move_facts facts[GUESTS][HOSTS];
static struct kw_move_plan plans[GUESTS][HOSTS];
static struct kw_drain_guest guests[GUESTS];
static const struct kw_move_wish wish;

/* Guests that may go anywhere as far as is known. */
static int setup(void **state)
{
	(void)state;
	memset(facts, 0, sizeof(facts));
	memset(plans, 0, sizeof(plans));
	for (size_t i = 0; i < GUESTS; i++) {
		guests[i] = (struct kw_drain_guest){ .facts = facts[i], .plans = plans[i] };
		for (size_t j = 0; j < HOSTS; j++) {
			struct kw_move_facts *of = &facts[i][j];

			of->run = KW_RUN_RUNS;
			of->persistent = KW_U32(1);
			of->reached = true;
			of->defined_there = KW_U32(0);
			of->machine_fits = of->cpu_fits = of->guarded = KW_U32(1);
			of->managed_save = of->snapshots = of->checkpoints = KW_U32(0);
			of->nested_vcpus = KW_U32(0);
			strcpy(of->domain.virt_type, "kvm");
			strcpy(of->destination, j ? "h3" : "h2");
		}
	}
	return 0;
}

/* A destination with room for so many more: what its kvmwardd would say. */
static size_t fill(size_t host, size_t room)
{
	struct kw_verdict verdicts[GUESTS] = {};
	size_t indices[GUESTS], count;

	count = kw_drain_candidates(guests, GUESTS, host, &wish, indices);
	for (size_t i = 0; i < count; i++)
		kw_verdict_set(&verdicts[i], i < room ? KW_ADMITTED : KW_MEMORY_FULL, "so it is");
	kw_drain_settle(guests, host, &wish, indices, count, verdicts);
	return count;
}

static void the_first_with_room_takes_it(void **state)
{
	(void)state;
	assert_int_equal(fill(0, 1), GUESTS);
	assert_int_equal(fill(1, 2), GUESTS - 1);
	for (size_t i = 0; i < GUESTS; i++)
		assert_int_equal(guests[i].goes, i < 3);
	assert_int_equal(guests[0].destination, 0);
	assert_int_equal(guests[1].destination, 1);
	assert_int_equal(guests[2].destination, 1);
	for (size_t j = 0; j < HOSTS; j++)
		assert_int_equal(kw_move_bar(&plans[3][j])->verdict.code, KW_MEMORY_FULL);
	assert_null(kw_move_bar(&plans[0][0]));
}

/* A guest that cannot go there takes no room there, whatever the reason. */
static void who_is_barred_is_not_asked_about(void **state)
{
	(void)state;
	facts[0][0].reached = false;
	facts[1][0].defined_there = KW_U32(1);
	assert_int_equal(fill(0, GUESTS), GUESTS - 2);
	assert_int_equal(kw_move_bar(&plans[0][0])->verdict.code, KW_DEST_UNREACHABLE);
	assert_int_equal(kw_move_bar(&plans[1][0])->verdict.code, KW_DEST_TAKEN);
	assert_int_equal(fill(1, GUESTS), 2);
	assert_int_equal(guests[0].destination, 1);
	assert_int_equal(guests[2].destination, 0);
}

/* Nobody knows about room where no kvmwardd is: that is the operator's risk. */
static void unguarded_hosts_are_taken_at_the_operators_word(void **state)
{
	const struct kw_move_wish bold = { .unguarded = true };
	size_t indices[GUESTS];

	(void)state;
	for (size_t i = 0; i < GUESTS; i++)
		facts[i][0].guarded = KW_U32(0);
	assert_int_equal(kw_drain_candidates(guests, GUESTS, 0, &wish, indices), 0);
	assert_int_equal(kw_drain_candidates(guests, GUESTS, 0, &bold, indices), GUESTS);
	kw_drain_settle(guests, 0, &bold, indices, GUESTS, NULL);
	for (size_t i = 0; i < GUESTS; i++)
		assert_true(guests[i].goes);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_with_room_takes_it),
		TEST(who_is_barred_is_not_asked_about),
		TEST(unguarded_hosts_are_taken_at_the_operators_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
