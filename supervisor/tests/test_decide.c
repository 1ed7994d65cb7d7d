/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "daemon/plan.h"
#include "tests/fake_supervisor.h"

static int setup(void **state)
{
	(void)state;
	begin_first(2, 1);
	return 0;
}

static void test_holds_fill_the_pool(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	assert_int_equal(hold_count(), 2);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV_ES), KW_ADMITTED);
	assert_int_equal(hold_count(), 3);
}

static void test_one_hold_for_each_uuid(void **state)
{
	(void)state;
	assert_int_equal(hook("migrate", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("start", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
}

/* However much room there is; and no hold is left of it. */
static void test_restore(void **state)
{
	(void)state;
	assert_int_equal(hook("restore", UUID_A, FAKE_SEV), KW_NO_RESTORE);
	assert_int_equal(hook("restore", UUID_A, FAKE_SEV_ES), KW_NO_RESTORE);
	assert_int_equal(hold_count(), 0);
	assert_int_equal(hook("restore", UUID_B, ""), KW_ADMITTED);
}

static void test_a_mark_bars_every_start(void **state)
{
	static const char *const ops[] = { "prepare", "migrate", "start", "restore" };
	struct kw_verdict verdict = { .code = KW_ADMITTED };
	struct kw_claim claim;
	const char *xml;

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(hook(ops[i], UUID_A, FAKE_MARK("leaving")), KW_GUEST_MOVING);
		assert_int_equal(hook(ops[i], UUID_A, FAKE_MARK("arriving")), KW_GUEST_MOVING);
		assert_int_equal(hook(ops[i], UUID_A, FAKE_MARK("later")), KW_GUEST_MOVING);
	}
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV FAKE_MARK("leaving")), KW_GUEST_MOVING);
	assert_int_equal(hold_count(), 0);

	/* also where libvirt was let begin before the mark was there */
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("start", UUID_A, FAKE_SEV FAKE_MARK("leaving")), KW_GUEST_MOVING);
	assert_int_equal(hook("started", UUID_A, FAKE_SEV FAKE_MARK("leaving")), KW_ADMITTED);
	assert_int_equal(hook("reconnect", UUID_A, FAKE_SEV FAKE_MARK("leaving")), KW_ADMITTED);

	xml = fake_domain("g", UUID_B, FAKE_SEV FAKE_MARK("arriving"));
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_GUEST_MOVING);
	assert_false(kw_plan_claim(&supervisor, xml, strlen(xml), &claim, &verdict));
	assert_int_equal(verdict.code, KW_GUEST_MOVING);
	assert_string_equal(claim.uuid, UUID_B);
}

static void test_a_guest_that_another_host_has_taken(void **state)
{
	char taken[64];

	(void)state;
	snprintf(taken, sizeof(taken), "%s/taken", dir);
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(tree_put(taken, UUID_A ".taken", "{}"), 0);
	assert_int_equal(hook("prepare", UUID_A, ""), KW_GUEST_MOVING);
	assert_int_equal(hook("migrate", UUID_A, ""), KW_GUEST_MOVING);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_GUEST_MOVING);
	assert_int_equal(hold_count(), 0);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
}

static void test_a_drained_host_admits_nothing(void **state)
{
	static const char *const ops[] = { "prepare", "migrate", "start", "restore" };
	struct kw_verdict verdict = { .code = KW_ADMITTED };
	const char *xml;

	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_supervisor_drain(&supervisor, true), 0);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(hook(ops[i], UUID_B, ""), KW_HOST_DRAINING);
		assert_int_equal(hook(ops[i], UUID_B, FAKE_MARK("leaving")), KW_GUEST_MOVING);
	}
	/* nor what had come in half way */
	assert_int_equal(hook("start", UUID_A, FAKE_SEV), KW_HOST_DRAINING);
	assert_int_equal(hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
	/* what runs is let be */
	assert_int_equal(hook("started", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("reconnect", UUID_A, FAKE_SEV), KW_ADMITTED);

	xml = fake_domain("g", UUID_B, "");
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_HOST_DRAINING);
	assert_int_equal(kw_supervisor_drain(&supervisor, false), 0);
	assert_int_equal(hook("prepare", UUID_B, ""), KW_ADMITTED);
}

/* Two slots, and what is refused takes none of them. */
static void test_plans_count_those_before(void **state)
{
	static const char *const uuids[] = { UUID_A, UUID_B, UUID_B, UUID_C, UUID_C };
	static const char *const security[] = { FAKE_SEV, FAKE_MARK("leaving") FAKE_SEV, FAKE_SEV,
						FAKE_SEV, FAKE_SEV_ES };
	static const enum kw_code codes[] = { KW_ADMITTED, KW_GUEST_MOVING, KW_ADMITTED,
					      KW_SLOT_FULL, KW_ADMITTED };
	struct kw_verdict verdicts[5] = {};
	struct kw_plan_text texts[5];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		texts[i].xml = strdup(fake_domain(uuids[i], uuids[i], security[i]));
		texts[i].length = strlen(texts[i].xml);
	}
	kw_plan_all(&supervisor, texts, 5, verdicts);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(verdicts[i].code, codes[i]);
		free((char *)texts[i].xml);
	}
	assert_int_equal(hold_count(), 0);
}

static void test_draining_outlives_kvmwardd(void **state)
{
	(void)state;
	assert_int_equal(kw_supervisor_drain(&supervisor, true), 0);
	assert_true(kw_supervisor_take_changed(&supervisor));
	begin_anew();
	assert_int_equal(hook("prepare", UUID_A, ""), KW_HOST_DRAINING);
	assert_int_equal(kw_supervisor_drain(&supervisor, false), 0);
	begin_anew();
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
}

static void test_draining_that_cannot_be_saved(void **state)
{
	(void)state;
	supervisor.kept_dir = "/nonexistent/kvmward";
	assert_int_equal(kw_supervisor_drain(&supervisor, true), -ENOENT);
	assert_false(kw_supervisor_take_changed(&supervisor));
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("stopped", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
	assert_null(kw_supervisor_hold(&supervisor, UUID_A));
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
}

static void test_ends_by_name_without_xml(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook_xml("release", "another", "", 0), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook_xml("release", UUID_A, "<dom", 4), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
}

static void test_start_goes_by_the_hold(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_B, KW_GUEST_SEV, 100);
	fake_guest_add("", KW_GUEST_SEV, 101);
	assert_int_equal(hook("start", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("start", UUID_C, FAKE_SEV), KW_SLOT_FULL);
}

static void test_start_without_hold_decides(void **state)
{
	(void)state;
	assert_int_equal(hook("start", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
}

static void test_kernel_confirms(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_supervisor_pending_count(&supervisor), 1);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	assert_int_equal(hook("started", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_supervisor_pending_count(&supervisor), 0);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
}

static void test_killed_guest_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 1);
	fake->guest_count = 0;
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 0);
}

static void test_unknown_facts(void **state)
{
	(void)state;
	fake->known = false;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_FACTS_UNKNOWN);
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
	fake->known = true;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
}

static void test_facts_lost_keep_holds(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake->known = false;
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 1);
	assert_int_equal(hook("start", UUID_A, FAKE_SEV), KW_ADMITTED);
}

static void test_kinds_of_security(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, "<launchSecurity type='s390-pv'/>"), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_A, "<launchSecurity type='tdx'/>"), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
	assert_int_equal(hook("prepare", UUID_A, "<launchSecurity type='sev-next'/>"),
			 KW_UNKNOWN_SECURITY);
}

static void test_plain_guests_are_held(void **state)
{
	static const char emulated[] = "<domain type='qemu'><name>x</name><uuid>" UUID_C "</uuid>"
				       "<memory unit='TiB'>1</memory></domain>";

	(void)state;
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
	assert_int_equal(hook("start", UUID_A, ""), KW_ADMITTED);
	assert_int_equal(kw_supervisor_pending_count(&supervisor), 1);
	fake_guest_add(UUID_A, KW_GUEST_PLAIN, 100);
	kw_supervisor_look(&supervisor);
	assert_int_equal(kw_supervisor_pending_count(&supervisor), 0);
	assert_int_equal(hold_count(), 1);
	supervisor.config.reserved_host_memory_bytes = 64 * KW_GIB - 511 * KW_MIB;
	assert_int_equal(hook("prepare", UUID_B, ""), KW_MEMORY_FULL);
	assert_int_equal(hook("migrate", UUID_B, ""), KW_MEMORY_FULL);
	assert_int_equal(hook("restore", UUID_B, ""), KW_MEMORY_FULL);
	assert_int_equal(hook("start", UUID_B, ""), KW_MEMORY_FULL);
	supervisor.config.ram_allocation_thousandths = 1500;
	assert_int_equal(hook("restore", UUID_B, ""), KW_ADMITTED);
	assert_int_equal(hold_count(), 2);
	/* QEMU emulates this one, and it may have what is left without KVM */
	assert_int_equal(hook_xml("prepare", "x", emulated, strlen(emulated)), KW_ADMITTED);
	assert_int_equal(hold_count(), 2);
}

static void test_plain_guests_start_where_no_hold_can_be_saved(void **state)
{
	(void)state;
	tree_remove(dir);
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
	supervisor.config.admit_plain_unasked = false;
	assert_int_equal(hook("prepare", UUID_A, ""), KW_HOLD_UNSAVED);
	assert_int_equal(hold_count(), 0);
}

/* It is told once, and is known again after a restart, as all of a hold is. */
static void test_pinned_is_compared_once_it_is_up(void **state)
{
	const struct kw_hold *hold;

	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	kw_supervisor_look(&supervisor);
	hold = kw_supervisor_hold(&supervisor, UUID_A);
	assert_true(hold->pid && !hold->started && !hold->differs);
	assert_int_equal(hook("started", UUID_A, FAKE_SEV), KW_ADMITTED);
	hold = kw_supervisor_hold(&supervisor, UUID_A);
	assert_true(hold->started && hold->differs);	/* firmware and the like are missing */
	assert_true(kw_supervisor_take_changed(&supervisor));
	kw_supervisor_look(&supervisor);
	assert_false(kw_supervisor_take_changed(&supervisor));

	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_B, KW_GUEST_SEV, 101);
	fake->guests[1].pinned_bytes =
		KW_U64(kw_supervisor_hold(&supervisor, UUID_B)->claim.pinned_bytes);
	assert_int_equal(hook("reconnect", UUID_B, FAKE_SEV), KW_ADMITTED);
	hold = kw_supervisor_hold(&supervisor, UUID_B);
	assert_true(hold->started && !hold->differs);
	fake->guests[1].pinned_bytes.value++;
	kw_supervisor_look(&supervisor);
	assert_true(kw_supervisor_hold(&supervisor, UUID_B)->differs);
}

static void test_bad_xml(void **state)
{
	static const struct {
		const char *op;
		enum kw_code code;
	} cases[] = {
		{ "prepare", KW_XML_INVALID }, { "start", KW_XML_INVALID },
		{ "migrate", KW_XML_INVALID }, { "restore", KW_XML_INVALID },
		{ "started", KW_ADMITTED },    { "stopped", KW_ADMITTED },
		{ "release", KW_ADMITTED },    { "reconnect", KW_ADMITTED },
		{ "attach", KW_ADMITTED },     { "snapshotted", KW_ADMITTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hook_xml(cases[i].op, "x", "<domain", 7), cases[i].code);
		assert_int_equal(hook_xml(cases[i].op, "x", "", 0), cases[i].code);
	}
	assert_int_equal(hold_count(), 0);
}

static void test_no_uuid(void **state)
{
	static const char xml[] = "<domain type='kvm'><name>x</name><memory>1024</memory>"
				  "<os><type machine='q35'>hvm</type></os>" FAKE_SEV "</domain>";

	(void)state;
	assert_int_equal(hook_xml("prepare", "x", xml, strlen(xml)), KW_XML_INVALID);
	assert_int_equal(hold_count(), 0);
}

static void test_hold_that_cannot_be_saved(void **state)
{
	(void)state;
	tree_remove(dir);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_HOLD_UNSAVED);
	assert_int_equal(hold_count(), 0);
}

#define GOLD "<metadata><k:class xmlns:k='urn:kvmward:1'>gold</k:class></metadata>\n"

static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, GOLD FAKE_SEV), KW_CLASS_UNKNOWN);
	assert_int_equal(hook("prepare", UUID_A, GOLD), KW_CLASS_UNKNOWN); /* plain ones as well */
	supervisor.config.classes[0] = (struct kw_class){ .name = "gold", .reserve = { 1 },
							  .limit = { KW_U32(1) } };
	supervisor.config.class_count = 1;
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_CLASS_RESERVED);
	assert_int_equal(hook("prepare", UUID_A, GOLD FAKE_SEV), KW_ADMITTED);
	assert_string_equal(kw_supervisor_hold(&supervisor, UUID_A)->claim.class_name, "gold");
	assert_int_equal(hook("release", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, GOLD FAKE_SEV), KW_CLASS_FULL);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
}

static void test_plan_holds_nothing(void **state)
{
	const char *xml = fake_domain("a", UUID_A, FAKE_SEV);
	struct kw_verdict verdict;

	(void)state;
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
	xml = fake_domain("a", UUID_A, FAKE_SEV);
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_SLOT_FULL);
}

static void test_plan_knows_the_rules(void **state)
{
	const char *xml = fake_domain("a", UUID_A, FAKE_SEV
				      "<devices><hostdev mode='subsystem' type='pci'/></devices>");
	struct kw_verdict verdict;

	(void)state;
	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	assert_int_equal(verdict.code, KW_PASSTHROUGH);
	kw_plan_one(&supervisor, "<domain>", 8, &verdict);
	assert_int_equal(verdict.code, KW_XML_INVALID);
}

/* The same domain as always, without <hard_limit>. */
static enum kw_code hook_without_limit(const char *op)
{
	static const char limit[] = "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>";
	const char *xml = fake_domain("a", UUID_A, FAKE_SEV);

	memset(strstr(xml, limit), ' ', strlen(limit));
	return hook_xml(op, "a", xml, strlen(xml));
}

static void test_small_memory_lock(void **state)
{
	static const char *const doors[] = { "prepare", "start", "migrate" };

	(void)state;
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++)
		assert_int_equal(hook_without_limit(doors[i]), KW_MEMLOCK_SMALL);
	assert_int_equal(hold_count(), 0);
	fake->libvirt_memlock_bytes.known = false;
	assert_int_equal(hook_without_limit("prepare"), KW_MEMLOCK_SMALL);
	supervisor.config.admit_small_memlock = true;
	assert_int_equal(hook_without_limit("prepare"), KW_ADMITTED);
	supervisor.config.admit_small_memlock = false;
	fake->libvirt_memlock_bytes = KW_U64(UINT64_MAX);
	assert_int_equal(hook_without_limit("migrate"), KW_ADMITTED);
	assert_int_equal(hold_count(), 1);
}

/* To find it is a walk over all processes. */
static void test_calls_of_a_round_share_the_memory_lock(void **state)
{
	(void)state;
	kw_supervisor_begin_round(&supervisor);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hook_without_limit("prepare"), KW_MEMLOCK_SMALL);
	assert_int_equal(fake->memlock_looks, 1);
	kw_supervisor_end_round(&supervisor);
	/* libvirt's daemon may have been started anew, with another limit */
	fake->libvirt_memlock_bytes = KW_U64(UINT64_MAX);
	kw_supervisor_begin_round(&supervisor);
	assert_int_equal(hook_without_limit("prepare"), KW_ADMITTED);
	kw_supervisor_end_round(&supervisor);
	fake->libvirt_memlock_bytes = KW_U64(1);
	assert_int_equal(hook_without_limit("prepare"), KW_MEMLOCK_SMALL);
}

static enum kw_code wait_with(const char *xml)
{
	struct kw_verdict verdict = { .code = KW_ADMITTED };
	struct kw_claim claim;

	kw_plan_claim(&supervisor, xml, strlen(xml), &claim, &verdict);
	return verdict.code;
}

static enum kw_code plan_with(const char *xml)
{
	struct kw_verdict verdict;

	kw_plan_one(&supervisor, xml, strlen(xml), &verdict);
	return verdict.code;
}

/* By the same key at every door, whoever named the limit. */
static void test_small_hard_limit(void **state)
{
	char xml[4096];

	(void)state;
	strcpy(xml, fake_domain("a", UUID_A, FAKE_SEV));
	memcpy(strstr(xml, ">512<"), ">064<", 5);
	assert_int_equal(plan_with(xml), KW_MEMLOCK_SMALL);
	assert_int_equal(wait_with(xml), KW_MEMLOCK_SMALL);
	assert_int_equal(hook_xml("prepare", "a", xml, strlen(xml)), KW_MEMLOCK_SMALL);
	supervisor.config.admit_small_memlock = true;
	assert_int_equal(plan_with(xml), KW_ADMITTED);
	assert_int_equal(wait_with(xml), KW_ADMITTED);
	assert_int_equal(hook_xml("prepare", "a", xml, strlen(xml)), KW_ADMITTED);
}

static void test_note_comes_before_the_decision(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 2);
	assert_null(kw_supervisor_hold(&supervisor, UUID_A));
}

static void test_note_does_not_end_a_later_hold(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	kw_supervisor_look(&supervisor);
	assert_int_equal(hold_count(), 1);
}

/* Its QEMU is one that libvirtd has forgotten: the slot was promised, and not there. */
static void test_what_runs_is_not_started_again(void **state)
{
	(void)state;
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	fake_guest_add(UUID_B, KW_GUEST_SEV, 101);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_UUID_TAKEN);
	assert_int_equal(hold_count(), 0);
	fake->guests[0].orphan = true;
	fake->guests[0].uuid[0] = '\0';
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_SLOT_FULL);
}

/* libvirt tells of the start that was refused as of one that has ended. */
static void test_a_refused_start_leaves_the_hold_of_what_runs(void **state)
{
	static const char *const securities[] = { FAKE_SEV, "" };
	static const enum kw_code codes[] = { KW_UUID_TAKEN, KW_ADMITTED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enum kw_guest_type type = i ? KW_GUEST_PLAIN : KW_GUEST_SEV;

		fake->guest_count = 0;
		assert_int_equal(hook("prepare", UUID_A, securities[i]), KW_ADMITTED);
		fake_guest_add(UUID_A, type, 100);
		assert_int_equal(hook("started", UUID_A, securities[i]), KW_ADMITTED);
		assert_int_equal(hook("migrate", UUID_A, securities[i]), codes[i]);
		assert_int_equal(hook("prepare", UUID_A, securities[i]), codes[i]);
		assert_int_equal(kw_supervisor_hold(&supervisor, UUID_A)->pid, 100);
		assert_int_equal(hook("stopped", UUID_A, securities[i]), KW_ADMITTED);
		assert_int_equal(hook("release", UUID_A, securities[i]), KW_ADMITTED);
		assert_int_equal(kw_supervisor_hold(&supervisor, UUID_A)->pid, 100);
		/* the same where kvmwardd could not be told */
		assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
		kw_supervisor_look(&supervisor);
		assert_int_equal(kw_supervisor_hold(&supervisor, UUID_A)->pid, 100);
		/* and once it is gone, at the first word of it */
		fake->guest_count = 0;
		assert_int_equal(hook("stopped", UUID_A, securities[i]), KW_ADMITTED);
		assert_int_equal(hold_count(), 0);
	}
}

/* Nothing else would end it before guests are seen again. */
static void test_an_end_is_believed_while_guests_are_not_seen(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	assert_int_equal(hook("started", UUID_A, FAKE_SEV), KW_ADMITTED);
	fake->known = false;
	assert_int_equal(hook("stopped", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hold_count(), 0);
}

static void test_calls_of_a_round_share_a_look(void **state)
{
	(void)state;
	kw_supervisor_begin_round(&supervisor);
	assert_int_equal(fake->looks, 0);
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	assert_int_equal(hook("stopped", UUID_C, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(fake->looks, 1);
	kw_supervisor_end_round(&supervisor);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	assert_int_equal(fake->looks, 2);
	/* nothing is held for it */
	assert_int_equal(hook("release", UUID_C, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(fake->looks, 2);
}

/* What was held may have become a guest since: without the hold it would be counted nowhere. */
static void test_a_hold_that_ends_wants_a_new_look(void **state)
{
	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	kw_supervisor_begin_round(&supervisor);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	assert_int_equal(hook("stopped", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	kw_supervisor_end_round(&supervisor);
}

static void test_changes_are_told_once(void **state)
{
	(void)state;
	kw_supervisor_look(&supervisor);
	assert_true(kw_supervisor_take_changed(&supervisor));
	kw_supervisor_look(&supervisor);
	assert_false(kw_supervisor_take_changed(&supervisor));
	fake_guest_add(UUID_A, KW_GUEST_PLAIN, 100);
	kw_supervisor_look(&supervisor);
	assert_true(kw_supervisor_take_changed(&supervisor));
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_true(kw_supervisor_take_changed(&supervisor));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_holds_fill_the_pool),
		TEST(test_one_hold_for_each_uuid),
		TEST(test_restore),
		TEST(test_a_mark_bars_every_start),
		TEST(test_a_guest_that_another_host_has_taken),
		TEST(test_a_drained_host_admits_nothing),
		TEST(test_plans_count_those_before),
		TEST(test_draining_outlives_kvmwardd),
		TEST(test_draining_that_cannot_be_saved),
		TEST(test_ends),
		TEST(test_ends_by_name_without_xml),
		TEST(test_start_goes_by_the_hold),
		TEST(test_start_without_hold_decides),
		TEST(test_kernel_confirms),
		TEST(test_killed_guest_is_forgotten),
		TEST(test_unknown_facts),
		TEST(test_facts_lost_keep_holds),
		TEST(test_kinds_of_security),
		TEST(test_bad_xml),
		TEST(test_no_uuid),
		TEST(test_hold_that_cannot_be_saved),
		TEST(test_classes),
		TEST(test_plan_holds_nothing),
		TEST(test_plan_knows_the_rules),
		TEST(test_plain_guests_are_held),
		TEST(test_plain_guests_start_where_no_hold_can_be_saved),
		TEST(test_pinned_is_compared_once_it_is_up),
		TEST(test_small_memory_lock),
		TEST(test_calls_of_a_round_share_the_memory_lock),
		TEST(test_small_hard_limit),
		TEST(test_note_comes_before_the_decision),
		TEST(test_note_does_not_end_a_later_hold),
		TEST(test_what_runs_is_not_started_again),
		TEST(test_a_refused_start_leaves_the_hold_of_what_runs),
		TEST(test_an_end_is_believed_while_guests_are_not_seen),
		TEST(test_calls_of_a_round_share_a_look),
		TEST(test_a_hold_that_ends_wants_a_new_look),
		TEST(test_changes_are_told_once),
	};

	fake_host_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
