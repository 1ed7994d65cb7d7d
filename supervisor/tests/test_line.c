/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "daemon/decide.h"
#include "daemon/plan.h"
#include "tests/fake_supervisor.h"

#define UUID_D "dddddddd-0000-4000-8000-000000000004"

/* What clients were told, in order: "1:slot-full:1/2 " their place, "1=admitted " the answer. */
static char told[512];

static void on_answer(void *data, uint64_t id, const struct kw_verdict *verdict)
{
	size_t used = strlen(told);

	(void)data;
	snprintf(told + used, sizeof(told) - used, "%d=%s ", (int)id, kw_code_name(verdict->code));
}

static void on_place(void *data, uint64_t id, const struct kw_place *place)
{
	size_t used = strlen(told);

	(void)data;
	snprintf(told + used, sizeof(told) - used, "%d:%s:%u/%u ", (int)id,
		 kw_code_name(place->verdict.code), place->place, place->count);
}

static int setup(void **state)
{
	(void)state;
	begin_first(1, 1);
	told[0] = '\0';
	return 0;
}

/* Serves everybody in line and compares what was told since the last time. */
static void expect_told(const char *text)
{
	const struct kw_line_listener listener = { on_answer, on_place, NULL };

	kw_line_serve(&supervisor, &listener);
	assert_string_equal(told, text);
	told[0] = '\0';
}

static enum kw_code ask_xml(uint64_t id, const char *xml)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	if (kw_line_ask(&supervisor, id, xml, strlen(xml), &verdict))
		return KW_CODE_COUNT;
	assert_true(verdict.sentence[0]);
	return verdict.code;
}

/* KW_CODE_COUNT: it is in line. */
static enum kw_code ask(uint64_t id, const char *uuid, const char *security)
{
	return ask_xml(id, fake_domain(uuid, uuid, security));
}

static void everybody_goes(void)
{
	fake->guest_count = 0;
	kw_supervisor_look(&supervisor);
}

static void room_is_given_at_once(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(supervisor.waiting.count, 0);
}

static void first_come_first_served(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/1 ");
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(3, UUID_C, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/3 2:slot-full:2/3 3:slot-full:3/3 ");
	kw_supervisor_look(&supervisor);
	expect_told("");
	assert_int_equal(hold_count(), 0);
	everybody_goes();
	expect_told("1=admitted 2:slot-full:1/2 3:slot-full:2/2 ");
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	expect_told("2=admitted 3:slot-full:1/1 ");
}

static void nobody_slips_past(void **state)
{
	struct kw_verdict verdict;
	const char *xml;

	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/1 ");
	fake->guest_count = 0;	/* and nobody has noticed yet */
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_SLOT_FULL);
	xml = fake_domain("b", UUID_B, FAKE_SEV);
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_SLOT_FULL);
	assert_non_null(strstr(verdict.sentence, "1 to guests that wait for one"));
	/* another pool is nobody's business */
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV_ES), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_D, ""), KW_ADMITTED);
	expect_told("1=admitted ");
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_SLOT_FULL);
}

/* Whoever starts the guest that is next, it is next. */
static void a_hook_takes_its_own_turn(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/2 2:slot-full:2/2 ");
	fake->guest_count = 0;
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_SLOT_FULL);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	expect_told("1=uuid-taken 2:slot-full:1/1 ");
	assert_int_equal(hold_count(), 1);
}

static void pools_have_lines_of_their_own(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV_ES), KW_CODE_COUNT);
	expect_told("2=admitted 1:slot-full:1/1 ");
}

static void who_leaves_is_out(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/2 2:slot-full:2/2 ");
	kw_line_leave(&supervisor, 1);
	kw_line_leave(&supervisor, 7);
	expect_told("2:slot-full:1/1 ");
	everybody_goes();
	expect_told("2=admitted ");
	/* it was admitted and started nothing */
	assert_int_equal(hold_count(), 1);
	kw_line_leave(&supervisor, 2);
	assert_int_equal(hold_count(), 0);
	assert_int_equal(supervisor.waiting.count, 0);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
}

static void a_guest_that_starts_outlives_its_client(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	kw_line_leave(&supervisor, 1);
	assert_int_equal(hold_count(), 1);
}

/* With no hook installed, the kernel shows it. */
static void a_guest_that_runs_outlives_its_client(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	kw_line_leave(&supervisor, 1);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(kw_supervisor_pending_count(&supervisor), 0);
}

/* libvirt says "release" of the start that was refused, while a move keeps room for the guest. */
static void a_refused_start_takes_nobodys_hold(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV FAKE_MARK("arriving")), KW_GUEST_MOVING);
	assert_int_equal(hook("release", UUID_A, FAKE_SEV FAKE_MARK("arriving")), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
}

static void a_drained_host_sends_them_home(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted 2:slot-full:1/1 ");
	assert_int_equal(kw_supervisor_drain(&supervisor, true), 0);
	expect_told("2=host-draining ");
	assert_int_equal(supervisor.waiting.count, 1);
	assert_int_equal(ask(3, UUID_C, FAKE_SEV), KW_HOST_DRAINING);
	/* whose turn it was cannot use it any more */
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_HOST_DRAINING);
	kw_line_leave(&supervisor, 1);
	assert_int_equal(hold_count(), 0);
}

static void who_asks_again_has_its_hold(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted 2:slot-full:1/1 ");
	assert_int_equal(ask(3, UUID_A, FAKE_SEV), KW_ADMITTED);
	kw_line_leave(&supervisor, 1);
	expect_told("");
	assert_int_equal(hold_count(), 1);
	/* another guest of that UUID, or one that waits, is not the same */
	assert_int_equal(ask(4, UUID_A, FAKE_SEV_ES), KW_UUID_TAKEN);
	assert_int_equal(ask(5, UUID_B, FAKE_SEV), KW_UUID_TAKEN);
	kw_line_leave(&supervisor, 3);
	expect_told("2=admitted ");
}

/* The line is lost with it, and who had a hold comes back for that. */
static void a_new_kvmwardd_knows_whose_hold_it_is(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV_ES), KW_ADMITTED);
	begin_anew();
	assert_int_equal(hold_count(), 2);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV_ES), KW_UUID_TAKEN);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV_ES), KW_UUID_TAKEN);
	assert_int_equal(ask(3, UUID_A, FAKE_SEV), KW_ADMITTED);
	expect_told("");
	assert_int_equal(hold_count(), 2);
	kw_line_leave(&supervisor, 3);
	assert_int_equal(hold_count(), 1);
	/* once the hook has asked, it is no client's */
	assert_int_equal(ask(4, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("4=admitted ");
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	begin_anew();
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_UUID_TAKEN);
}

/* Only the hook's promise has a time limit. */
static void a_client_that_stays_keeps_its_hold(void **state)
{
	(void)state;
	supervisor.config.hold_timeout_s = 0;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted ");
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 0);
}

static void plain_guests_wait_for_memory(void **state)
{
	(void)state;
	supervisor.config.reserved_host_memory_bytes = 64 * KW_GIB - 300 * KW_MIB;
	assert_int_equal(ask(1, UUID_A, ""), KW_CODE_COUNT);
	expect_told("1=admitted ");
	assert_int_equal(ask(2, UUID_B, ""), KW_CODE_COUNT);
	expect_told("2:memory-full:1/1 ");
	kw_line_leave(&supervisor, 1);
	expect_told("2=admitted ");
	assert_int_equal(hold_count(), 1);
}

static void what_cannot_be_is_refused_at_once(void **state)
{
	struct kw_refusal refusal;

	(void)state;
	assert_int_equal(ask_xml(2, "<domain"), KW_XML_INVALID);
	assert_int_equal(ask(3, UUID_A, FAKE_SEV "<devices><hostdev mode='subsystem' "
						 "type='pci'/></devices>"), KW_PASSTHROUGH);
	assert_true(kw_supervisor_take_refusal(&supervisor, &refusal));
	assert_string_equal(refusal.uuid, UUID_A);
	assert_int_equal(refusal.verdict.code, KW_PASSTHROUGH);
	assert_int_equal(ask(4, UUID_A, "<launchSecurity type='sev-snp'><policy>0x30000</policy>"
					"</launchSecurity>"), KW_NOT_STATELESS);
	fake->capacity[KW_POOL_SEV] = 0;
	assert_int_equal(ask(5, UUID_A, FAKE_SEV), KW_SLOT_NONE);
	fake->known = false;
	assert_int_equal(ask(6, UUID_A, FAKE_SEV), KW_FACTS_UNKNOWN);
	expect_told("");
	assert_int_equal(supervisor.waiting.count, 0);
}

static void one_uuid_is_one_guest(void **state)
{
	(void)state;
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_UUID_TAKEN);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(3, UUID_B, FAKE_SEV_ES), KW_UUID_TAKEN);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV_ES), KW_ADMITTED);
	assert_int_equal(ask(4, UUID_C, FAKE_SEV), KW_UUID_TAKEN);
	assert_int_equal(supervisor.waiting.count, 1);
}

static void facts_that_are_lost_cost_no_place(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/1 ");
	fake->known = false;
	kw_supervisor_look(&supervisor);
	expect_told("1:facts-unknown:1/1 ");
	fake->known = true;
	everybody_goes();
	expect_told("1=admitted ");
}

static void a_host_that_shrinks_sends_them_home(void **state)
{
	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1:slot-full:1/1 ");
	supervisor.config.reserve[KW_POOL_SEV] = 1;
	expect_told("1=slot-reserved ");
	assert_int_equal(supervisor.waiting.count, 0);
}

static void a_hold_that_cannot_be_saved(void **state)
{
	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	tree_remove(dir);
	expect_told("1=hold-unsaved ");
	assert_int_equal(hold_count(), 0);
}

static void the_line_has_an_end(void **state)
{
	char uuid[KW_UUID_LEN + 1];

	(void)state;
	fake_guest_add("", KW_GUEST_SEV, 100);
	for (int i = 0; i < KW_WAITING_MAX; i++) {
		snprintf(uuid, sizeof(uuid), "aaaaaaaa-0000-4000-8000-%012d", i);
		assert_int_equal(ask((uint64_t)i, uuid, FAKE_SEV), KW_CODE_COUNT);
	}
	assert_int_equal(ask(KW_WAITING_MAX, UUID_B, FAKE_SEV), KW_QUEUE_FULL);
}

static void clients_see_who_waits(void **state)
{
	struct kw_waiter_list list = {};

	(void)state;
	assert_int_equal(ask(1, UUID_A, FAKE_SEV), KW_CODE_COUNT);
	assert_int_equal(ask(2, UUID_B, FAKE_SEV), KW_CODE_COUNT);
	expect_told("1=admitted 2:slot-full:1/1 ");
	assert_int_equal(kw_waiting_list(&supervisor.waiting, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.waiters[0].claim.uuid, UUID_B);
	assert_int_equal(list.waiters[0].verdict.code, KW_SLOT_FULL);
	assert_true(list.waiters[0].since_ns > 0);
	free(list.waiters);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(room_is_given_at_once),
		TEST(first_come_first_served),
		TEST(nobody_slips_past),
		TEST(a_hook_takes_its_own_turn),
		TEST(pools_have_lines_of_their_own),
		TEST(who_leaves_is_out),
		TEST(a_guest_that_starts_outlives_its_client),
		TEST(a_guest_that_runs_outlives_its_client),
		TEST(a_refused_start_takes_nobodys_hold),
		TEST(a_drained_host_sends_them_home),
		TEST(who_asks_again_has_its_hold),
		TEST(a_new_kvmwardd_knows_whose_hold_it_is),
		TEST(a_client_that_stays_keeps_its_hold),
		TEST(plain_guests_wait_for_memory),
		TEST(what_cannot_be_is_refused_at_once),
		TEST(one_uuid_is_one_guest),
		TEST(facts_that_are_lost_cost_no_place),
		TEST(a_host_that_shrinks_sends_them_home),
		TEST(a_hold_that_cannot_be_saved),
		TEST(the_line_has_an_end),
		TEST(clients_see_who_waits),
	};

	fake_host_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
