/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "policy/looks.h"

#define MS KW_NS_PER_MS
#define S KW_NS_PER_S
#define T0 (1000 * S)

static struct kw_looks looks;
static uint64_t now_ns;

static int begin(void **state)
{
	(void)state;
	kw_looks_init(&looks);
	now_ns = T0;
	return 0;
}

/* Lets the time come when a look is due, and makes it; ms since T0, or -1 when none is due. */
static int64_t next_look(uint64_t takes_ns)
{
	uint64_t due_ns = kw_looks_due_ns(&looks);

	if (due_ns == KW_LOOKS_NEVER)
		return -1;
	if (due_ns > now_ns)
		now_ns = due_ns;
	kw_looks_looked(&looks, now_ns, now_ns + takes_ns);
	now_ns += takes_ns;
	return (int64_t)((now_ns - takes_ns - T0) / MS);
}

static void nothing_heard_nothing_due(void **state)
{
	(void)state;
	assert_int_equal(next_look(0), -1);
	kw_looks_idle(&looks, 0, now_ns);
	assert_int_equal(next_look(0), -1);
}

/* The hint, how changes are learnt, and all looks that follow when nothing more is heard. */
static const struct {
	enum kw_hint hint;
	enum kw_hearing from;
	int64_t looks_ms[6];
} hints[] = {
	{ KW_HINT_SLOT, KW_HEARING_SLOTS, { 0, 20, -1 } },
	{ KW_HINT_OTHER, KW_HEARING_SLOTS, { 0, -1 } },
	{ KW_HINT_GUEST, KW_HEARING_SLOTS, { 20, 200, -1 } },
	{ KW_HINT_GUEST, KW_HEARING_UEVENTS, { 20, 200, 1200, 4200, -1 } },
};

static void each_hint_has_its_looks(void **state)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		begin(state);
		kw_looks_hint(&looks, hints[i].hint, hints[i].from, now_ns);
		for (size_t look = 0;; look++) {
			int64_t at_ms = next_look(0);

			if (at_ms != hints[i].looks_ms[look])
				fail_msg("row %zu, look %zu: %d", i, look, (int)at_ms);
			if (at_ms < 0)
				break;
		}
	}
}

/* An event each ms for ten seconds: looks go on all the time, and one comes after the last. */
static void a_storm_neither_starves_nor_floods(void **state)
{
	const uint64_t takes_ns[] = { 1 * MS, 10 * MS, 100 * MS };
	uint64_t last_event_ns = 0, last_look_ns = 0;

	for (size_t i = 0; i < 3; i++) {
		unsigned int count = 0;

		begin(state);
		for (uint64_t event = 0; event < 10000; event++) {
			last_event_ns = T0 + event * MS;
			if (last_event_ns < now_ns)	/* still looking: it is heard after that */
				continue;
			now_ns = last_event_ns;
			kw_looks_hint(&looks, KW_HINT_SLOT, KW_HEARING_SLOTS, now_ns);
			if (kw_looks_due_ns(&looks) <= now_ns) {
				next_look(takes_ns[i]);
				count++;
			}
		}
		assert_in_range(count, 10000 / (takes_ns[i] / MS + 21) / 2,
				10000 * MS / (takes_ns[i] + 20 * MS) + 1);
		kw_looks_hint(&looks, KW_HINT_SLOT, KW_HEARING_SLOTS, now_ns);
		last_event_ns = now_ns;
		while (kw_looks_due_ns(&looks) != KW_LOOKS_NEVER) {
			next_look(takes_ns[i]);
			last_look_ns = now_ns - takes_ns[i];
		}
		assert_true(last_look_ns >= last_event_ns + 20 * MS);
	}
}

/* What is heard during a look may have come too late for it. */
static void a_hint_during_a_look_is_looked_after(void **state)
{
	(void)state;
	kw_looks_hint(&looks, KW_HINT_OTHER, KW_HEARING_SLOTS, T0);
	kw_looks_hint(&looks, KW_HINT_OTHER, KW_HEARING_SLOTS, T0);
	kw_looks_looked(&looks, T0, T0 + 5 * MS);
	assert_true(kw_looks_due_ns(&looks) == KW_LOOKS_NEVER);
	kw_looks_hint(&looks, KW_HINT_OTHER, KW_HEARING_SLOTS, T0 + 6 * MS);
	assert_true(kw_looks_due_ns(&looks) == T0 + 25 * MS);
	kw_looks_looked(&looks, T0 + 5 * MS, T0 + 6 * MS);
	assert_true(kw_looks_due_ns(&looks) != KW_LOOKS_NEVER);
}

/* KVM's later looks count from its last event; a slot's looks do not take them away. */
static void kinds_of_hints_keep_apart(void **state)
{
	(void)state;
	kw_looks_hint(&looks, KW_HINT_GUEST, KW_HEARING_UEVENTS, T0);
	kw_looks_hint(&looks, KW_HINT_GUEST, KW_HEARING_UEVENTS, T0 + 10 * MS);
	now_ns = T0 + 12 * MS;
	kw_looks_hint(&looks, KW_HINT_SLOT, KW_HEARING_UEVENTS, now_ns);
	assert_int_equal(next_look(0), 12);
	assert_int_equal(next_look(0), 32);	/* KVM's at 20 and the slot's second one */
	assert_int_equal(next_look(0), 210);
	assert_int_equal(next_look(0), 1210);
	assert_int_equal(next_look(0), 4210);
	assert_int_equal(next_look(0), -1);
}

static void the_slow_look_is_not_put_off(void **state)
{
	(void)state;
	kw_looks_idle(&looks, 30 * S, T0);
	kw_looks_idle(&looks, 30 * S, T0 + 20 * S);
	assert_int_equal(next_look(0), 30000);
	assert_int_equal(next_look(0), -1);
	kw_looks_idle(&looks, 30 * S, T0 + 40 * S);
	kw_looks_idle(&looks, 2 * S, T0 + 41 * S);
	assert_int_equal(next_look(0), 43000);
	kw_looks_idle(&looks, 30 * S, T0 + 50 * S);
	kw_looks_idle(&looks, 0, T0 + 51 * S);
	assert_int_equal(next_look(0), -1);
}

/* The look itself says that the next one is needed, before it is said that it was made. */
static void slow_looks_go_on(void **state)
{
	(void)state;
	kw_looks_idle(&looks, 30 * S, now_ns);
	for (int64_t i = 1; i < 4; i++) {
		now_ns = kw_looks_due_ns(&looks);
		assert_true(now_ns == T0 + i * 30 * S);
		kw_looks_idle(&looks, 30 * S, now_ns);
		kw_looks_looked(&looks, now_ns, now_ns + 1 * MS);
	}
}

static void how_changes_are_learnt(void **state)
{
	static const struct {
		bool host_known, joined, uevents;
		struct kw_u32 slot_events;
		const char *module_reason;
		enum kw_hearing from;
		const char *reason;
	} cases[] = {
		{ true, true, true, { true, 1 }, "", KW_HEARING_SLOTS, "" },
		{ true, true, true, { true, 0 }, "no kprobes", KW_HEARING_UEVENTS, "no kprobes" },
		{ true, true, true, { false, 0 }, "", KW_HEARING_UEVENTS,
		  "the module does not say that it tells of slots" },
		{ true, false, true, { true, 1 }, "", KW_HEARING_UEVENTS, "not for you" },
		{ false, false, true, { false, 0 }, "", KW_HEARING_UEVENTS, "not for you" },
		{ true, true, false, { true, 1 }, "", KW_HEARING_TIMER,
		  "KVM's uevents cannot be heard" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_facts facts = { .host_known = cases[i].host_known };
		struct kw_hearing_state hearing;

		facts.host.slot_events = cases[i].slot_events;
		strcpy(facts.host.slot_events_reason, cases[i].module_reason);
		kw_hearing_judge(&facts, cases[i].joined, "not for you", cases[i].uevents,
				 &hearing);
		assert_int_equal(hearing.from, cases[i].from);
		assert_string_equal(hearing.reason, cases[i].reason);
	}
}

#define POOL(in, by) { .capacity = { true, 10 }, .charged = { true, in }, .in_use = { true, by } }
#define GUEST(kind, cpus) { .type = { true, kind }, .vcpus = { true, cpus } }

static void only_what_may_change_unheard_is_looked_at(void **state)
{
	static const struct kw_guest settled[] = { GUEST(KW_GUEST_PLAIN, 2), GUEST(KW_GUEST_SEV, 0) };
	static const struct kw_guest young[] = { GUEST(KW_GUEST_SEV, 1), GUEST(KW_GUEST_PLAIN, 0) };
	static const struct kw_guest unknown[] = { { .vcpus = { true, 1 } }, GUEST(KW_GUEST_SEV, 1) };
	static const struct {
		const struct kw_guest *guests;	/* two of them, NULL: not known */
		struct kw_slots sev;
		uint64_t period_ns;
	} cases[] = {
		{ settled, POOL(3, 3), 0 },
		{ young, POOL(3, 3), 30 * S },
		{ unknown, POOL(3, 3), 30 * S },
		{ NULL, POOL(3, 3), 30 * S },
		{ settled, POOL(4, 3), 30 * S },
		{ settled, { .capacity = { true, 10 }, .in_use = { true, 3 } }, 30 * S },
		{ settled, { .capacity = { true, 0 } }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_facts facts = { .host_known = true, .slots.known = true };

		facts.guests.known = cases[i].guests;
		facts.guests.guests = (struct kw_guest *)cases[i].guests;
		facts.guests.count = cases[i].guests ? 2 : 0;
		facts.slots.pool[KW_POOL_SEV] = cases[i].sev;
		facts.slots.pool[KW_POOL_SEV_ES].capacity = KW_U32(0);
		if (kw_looks_period_ns(&facts, KW_HEARING_UEVENTS) != cases[i].period_ns)
			fail_msg("case %zu", i);
		assert_int_equal(kw_looks_period_ns(&facts, KW_HEARING_SLOTS), 0);
		assert_int_equal(kw_looks_period_ns(&facts, KW_HEARING_TIMER), 2 * S);
	}
}

static void a_module_that_is_away_is_not_polled(void **state)
{
	const struct kw_facts facts = { .reason = "the module kvmward is not loaded" };

	(void)state;
	assert_int_equal(kw_looks_period_ns(&facts, KW_HEARING_UEVENTS), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_heard_nothing_due),
		TEST(each_hint_has_its_looks),
		TEST(a_storm_neither_starves_nor_floods),
		TEST(a_hint_during_a_look_is_looked_after),
		TEST(kinds_of_hints_keep_apart),
		TEST(the_slow_look_is_not_put_off),
		TEST(slow_looks_go_on),
		TEST(how_changes_are_learnt),
		TEST(only_what_may_change_unheard_is_looked_at),
		TEST(a_module_that_is_away_is_not_polled),
	};

	return cmocka_run_group_tests_name("looks", tests, NULL, NULL);
}
