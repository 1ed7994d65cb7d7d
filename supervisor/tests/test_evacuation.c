/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/evacuation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define ANY KW_CODE_COUNT	/* no code: nothing is found */

/* A guest that ran, with a disk on NFS that nobody has locked, and room for it here. */
static struct kw_move_disk nfs = { .target = "vda", .source = "/shared/a", .where = "nfs",
				   .reach = KW_DISK_SHARED };
static struct kw_evacuee_disk seen = { .lock = KW_LOCK_FREE };
static const struct kw_evacuee good = {
	.move = { .run = KW_RUN_OFF, .persistent = { true, 1 }, .destination = "this host",
		  .reached = true, .defined_there = { true, 0 }, .machine_fits = { true, 1 },
		  .cpu_mode = KW_CPU_DEFAULT, .guarded = { true, 1 },
		  .disks = &nfs, .disk_count = 1 },
	.disks = &seen, .starts = true, .taken = { true, 0 }, .here = KW_SIDE_ABSENT,
};

static const struct kw_obstacle *find(const struct kw_move_plan *plan, enum kw_code code)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->obstacles[i].verdict.code == code)
			return &plan->obstacles[i];
	return NULL;
}

/* What it comes to, and that this code is the only obstacle. */
static void expect_forced(const struct kw_evacuee *evacuee, bool force, enum kw_evacuee_act act,
			  enum kw_code code)
{
	struct kw_move_plan plan;
	const struct kw_obstacle *found;

	if (kw_evacuation_judge(evacuee, force, &plan) != act)
		fail_msg("not '%s': %s", kw_evacuee_act_name(act),
			 plan.count ? plan.obstacles[0].verdict.sentence : "");
	found = find(&plan, code);
	assert_int_equal(plan.count, code != ANY);
	assert_true(!found == (code == ANY));
	if (found)
		assert_int_equal(found->weight, act == KW_EVACUEE_STAYS ? KW_OBSTACLE_BARS
									: KW_OBSTACLE_WARNS);
}

static void expect(const struct kw_evacuee *evacuee, enum kw_evacuee_act act, enum kw_code code)
{
	expect_forced(evacuee, false, act, code);
}

/* Of what cannot be told, force makes a warning; of all else it changes nothing. */
static void expect_barred(const struct kw_evacuee *evacuee, enum kw_code code, bool doubt)
{
	expect(evacuee, KW_EVACUEE_STAYS, code);
	expect_forced(evacuee, true, doubt ? KW_EVACUEE_STARTS : KW_EVACUEE_STAYS, code);
}

static void one_that_ran_starts_and_another_is_defined(void **state)
{
	struct kw_evacuee evacuee = good;

	(void)state;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
	evacuee.starts = false;
	expect(&evacuee, KW_EVACUEE_DEFINED, ANY);
}

static void a_lock_bars_whatever_is_forced(void **state)
{
	struct kw_evacuee_disk locked = { .lock = KW_LOCK_HELD };
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.disks = &locked;
	expect_barred(&evacuee, KW_DISK_LOCKED, false);
	evacuee.starts = false;
	expect(&evacuee, KW_EVACUEE_STAYS, KW_DISK_LOCKED);
}

static void without_a_lock_nothing_is_proven(void **state)
{
	struct kw_evacuee_disk untold[2] = { { .lock = KW_LOCK_UNKNOWN } };
	struct kw_move_disk disks[2] = { { .target = "vda", .source = "a", .where = "rbd",
					   .reach = KW_DISK_NETWORK }, nfs };
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.disks = untold;
	expect_barred(&evacuee, KW_NO_LOCK, true);
	evacuee.move.disks = disks;
	expect_barred(&evacuee, KW_NO_LOCK, true);
	evacuee.move.disk_count = 0;
	expect_barred(&evacuee, KW_NO_LOCK, true);
	evacuee.starts = false;
	expect(&evacuee, KW_EVACUEE_DEFINED, ANY);
	/* One that tells is enough. */
	evacuee = good;
	evacuee.move.disks = disks;
	evacuee.move.disk_count = 2;
	untold[1].lock = KW_LOCK_FREE;
	evacuee.disks = untold;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
}

static void every_disk_has_to_be_the_one_it_had(void **state)
{
	struct kw_evacuee_disk two[2] = { { .lock = KW_LOCK_FREE } };
	struct kw_move_disk disks[2] = { nfs, { .target = "vdb", .source = "/b", .where = "ext4",
						.reach = KW_DISK_HERE } };
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.move.disks = disks;
	evacuee.move.disk_count = 2;
	evacuee.disks = two;
	expect_barred(&evacuee, KW_DISK_LOCAL, false);
	disks[1].read_only = true;
	expect(&evacuee, KW_EVACUEE_STARTS, KW_DISK_LOCAL);
	disks[1].reach = KW_DISK_UNKNOWN;
	expect_barred(&evacuee, KW_DISK_UNSEEN, true);
	strcpy(two[1].missing, "No such file or directory");
	expect_barred(&evacuee, KW_DISK_MISSING, false);
}

/* A lock that is free on a file of this host only says nothing of the other. */
static void a_local_lock_proves_nothing(void **state)
{
	struct kw_move_disk disk = { .target = "sda", .source = "/a", .where = "ext4",
				     .reach = KW_DISK_HERE, .read_only = true };
	struct kw_evacuee evacuee = good;
	struct kw_move_plan plan;

	(void)state;
	evacuee.move.disks = &disk;
	assert_int_equal(kw_evacuation_judge(&evacuee, false, &plan), KW_EVACUEE_STAYS);
	assert_non_null(find(&plan, KW_NO_LOCK));
}

static void devices_of_the_other_host_are_gone(void **state)
{
	struct kw_device device = { .kind = KW_DEVICE_HOSTDEV, .model = "pci" };
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.move.domain.devices = &device;
	evacuee.move.domain.device_count = 1;
	expect_barred(&evacuee, KW_HOST_DEVICE, false);
	device = (struct kw_device){ .kind = KW_DEVICE_TPM, .type = "emulator" };
	expect_barred(&evacuee, KW_TPM_LOCAL, false);
}

static void one_host_has_it(void **state)
{
	struct kw_evacuee_disk locked = { .lock = KW_LOCK_HELD };
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.taken = KW_U32(1);
	expect_barred(&evacuee, KW_GUEST_TAKEN, false);
	evacuee.ours = true;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
	evacuee.taken.known = evacuee.ours = false;
	expect_barred(&evacuee, KW_MOVE_UNKNOWN, false);
	/* What has been started here before a crash has its own locks. */
	evacuee = good;
	evacuee.taken = KW_U32(1);
	evacuee.ours = true;
	evacuee.here = KW_SIDE_RUNS;
	evacuee.disks = &locked;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
	evacuee.here = KW_SIDE_OFF;
	expect_barred(&evacuee, KW_DISK_LOCKED, false);
}

static void expect_marked(enum kw_mark_kind kind, const char *words)
{
	struct kw_evacuee evacuee = good;
	struct kw_move_plan plan;

	evacuee.move.domain.mark = (struct kw_mark){ .kind = kind, .job = "1", .peer = "h3" };
	expect_barred(&evacuee, KW_GUEST_MOVING, false);
	evacuee.starts = false;
	expect_barred(&evacuee, KW_GUEST_MOVING, false);
	kw_evacuation_judge(&evacuee, false, &plan);
	assert_non_null(strstr(plan.obstacles[0].verdict.sentence, words));
}

/* Not even defined: the other host of the move has it, too. */
static void one_on_the_move_is_left_to_the_other_host(void **state)
{
	(void)state;
	expect_marked(KW_MARK_LEAVING, "on its way to h3");
	expect_marked(KW_MARK_ARRIVING, "on h3, 'kvmward job undo");
	expect_marked(KW_MARK_UNKNOWN, "not understood");
}

/* The other host of that move is this one, and can see whether it has it. */
static void one_on_the_move_to_here_is_ours_to_start(void **state)
{
	struct kw_evacuee evacuee = good;
	struct kw_move_plan plan;

	(void)state;
	evacuee.move.domain.mark = (struct kw_mark){ .kind = KW_MARK_LEAVING, .job = "1",
						     .peer = "h1" };
	evacuee.here = KW_SIDE_OFF;
	evacuee.arrives = true;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
	evacuee.arrives = false;
	kw_evacuation_judge(&evacuee, false, &plan);
	assert_non_null(strstr(plan.obstacles[0].verdict.sentence, "'virsh start"));
	evacuee.here = KW_SIDE_RUNS;
	kw_evacuation_judge(&evacuee, false, &plan);
	assert_non_null(strstr(plan.obstacles[0].verdict.sentence, "where it runs"));
	/* An earlier evacuation has taken the mark away. */
	evacuee.here = KW_SIDE_OFF;
	evacuee.taken = KW_U32(1);
	evacuee.ours = true;
	expect(&evacuee, KW_EVACUEE_STARTS, ANY);
}

static void expect_arrives(bool wanted, struct kw_mark kept, struct kw_mark here)
{
	const struct kw_gone_host host = { .name = "h2.example", .own_name = "h2" };

	assert_int_equal(kw_evacuation_arrives(&host, &kept, &here), wanted);
}

static void only_what_that_host_has_sent_arrives(void **state)
{
	const struct kw_mark none = {}, unknown = { .kind = KW_MARK_UNKNOWN };
	const struct kw_mark leaving = { KW_MARK_LEAVING, "1", "root@h1" };
	struct kw_mark here = { KW_MARK_ARRIVING, "1", "h2" };

	(void)state;
	expect_arrives(true, leaving, here);
	expect_arrives(true, none, here);
	expect_arrives(false, unknown, here);
	expect_arrives(false, here, here);
	expect_arrives(false, leaving, none);
	expect_arrives(false, none, none);
	expect_arrives(false, leaving, unknown);
	strcpy(here.peer, "h2.example");
	expect_arrives(true, none, here);
	strcpy(here.peer, "h3");
	expect_arrives(false, none, here);
	strcpy(here.job, "2");
	expect_arrives(false, leaving, here);
}

static void this_host_has_to_have_room(void **state)
{
	struct kw_evacuee evacuee = good;

	(void)state;
	evacuee.move.plan.code = KW_SLOT_FULL;
	expect_barred(&evacuee, KW_SLOT_FULL, false);
	evacuee.move.guarded = KW_U32(0);
	expect(&evacuee, KW_EVACUEE_STARTS, KW_DEST_UNGUARDED);
	evacuee = good;
	evacuee.move.defined_there = KW_U32(1);
	expect_barred(&evacuee, KW_DEST_TAKEN, false);
	evacuee = good;
	evacuee.move.cpu_mode = KW_CPU_CUSTOM;
	evacuee.move.cpu_fits = KW_U32(0);
	expect_barred(&evacuee, KW_CPU_LACKS, false);
}

static void expect_host(struct kw_gone_host host, enum kw_code code, enum kw_code forced)
{
	struct kw_verdict verdict;

	strcpy(host.name, "h2");
	kw_evacuation_judge_host(&host, false, &verdict);
	assert_int_equal(verdict.code, code);
	assert_non_null(strstr(verdict.sentence, "h2"));
	kw_evacuation_judge_host(&host, true, &verdict);
	assert_int_equal(verdict.code, forced);
}

static void any_sign_of_life_counts(void **state)
{
	const struct kw_u32 yes = KW_U32(1), no = KW_U32(0), unknown = { 0 };

	(void)state;
	expect_host((struct kw_gone_host){ .answers = no, .keeps = KW_LOCK_FREE }, KW_ADMITTED,
		    KW_ADMITTED);
	expect_host((struct kw_gone_host){ .answers = no }, KW_ADMITTED, KW_ADMITTED);
	expect_host((struct kw_gone_host){ .answers = yes, .keeps = KW_LOCK_FREE }, KW_HOST_ALIVE,
		    KW_HOST_ALIVE);
	expect_host((struct kw_gone_host){ .answers = no, .keeps = KW_LOCK_HELD }, KW_HOST_ALIVE,
		    KW_HOST_ALIVE);
	expect_host((struct kw_gone_host){ .answers = unknown, .keeps = KW_LOCK_HELD },
		    KW_HOST_ALIVE, KW_HOST_ALIVE);
	expect_host((struct kw_gone_host){ .answers = unknown, .keeps = KW_LOCK_FREE },
		    KW_HOST_UNKNOWN, KW_ADMITTED);
	expect_host((struct kw_gone_host){ .is_this = true, .answers = no }, KW_DEST_SAME,
		    KW_DEST_SAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_ran_starts_and_another_is_defined),
		cmocka_unit_test(a_lock_bars_whatever_is_forced),
		cmocka_unit_test(without_a_lock_nothing_is_proven),
		cmocka_unit_test(every_disk_has_to_be_the_one_it_had),
		cmocka_unit_test(a_local_lock_proves_nothing),
		cmocka_unit_test(devices_of_the_other_host_are_gone),
		cmocka_unit_test(one_host_has_it),
		cmocka_unit_test(one_on_the_move_is_left_to_the_other_host),
		cmocka_unit_test(one_on_the_move_to_here_is_ours_to_start),
		cmocka_unit_test(only_what_that_host_has_sent_arrives),
		cmocka_unit_test(this_host_has_to_have_room),
		cmocka_unit_test(any_sign_of_life_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
