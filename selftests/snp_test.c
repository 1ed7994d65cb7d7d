// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SEV-SNP guests beside all others: type, ASID, the slots that they share with
 * SEV-ES or have to themselves, and memory that is unmovable though not pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>

#include "gmem.h"
#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define MIB (1UL << 20)
#define FIRMWARE "/sys/kernel/debug/psp_sim/guests"
#define LEAK "/sys/kernel/debug/psp_sim/leak"
#define GUEST_MEMFDS 32		/* that the module keeps apart */

static struct nl nl;

static unsigned int slots(int pool, int attr)
{
	struct nl_answer answer;
	unsigned int number = 0;

	test_slots(&nl, &answer);
	if (answer.count > (unsigned int)pool)
		number = nl_u32(&answer.msgs[pool], attr);
	nl_answer_done(&answer);
	return number;
}

static unsigned int in_use(int pool)
{
	return slots(pool, KVMWARD_A_SLOT_IN_USE);
}

/* Where SEV-SNP guests take their slots. */
static int snp_pool(void)
{
	struct nl_answer answer;
	int pool;

	test_slots(&nl, &answer);
	pool = answer.count > KVMWARD_SLOT_POOL_SNP ? KVMWARD_SLOT_POOL_SNP :
						      KVMWARD_SLOT_POOL_SEV_ES;
	nl_answer_done(&answer);
	return pool;
}

/* Attribute of our guest, or -1. */
static long long guest_number(int vm, int attr)
{
	struct nl_answer answer;
	const struct nl_msg *guest;
	long long number = -1;

	test_guests(&nl, &answer);
	guest = test_guest_find(&answer, getpid(), vm);
	if (guest && nl_has(guest, attr))
		number = attr == KVMWARD_A_GUEST_TYPE || attr == KVMWARD_A_GUEST_ASID ?
				 nl_u32(guest, attr) : nl_u64(guest, attr);
	nl_answer_done(&answer);
	return number;
}

static bool number_is(int vm, int attr, long long expected)
{
	long long number = guest_number(vm, attr);

	if (number != expected)
		ksft_print_msg("attribute %d: %lld, expected %lld\n", attr, number, expected);
	return number == expected;
}

static bool unmovable_is(int vm, long long expected)
{
	return number_is(vm, KVMWARD_A_GUEST_UNMOVABLE_BYTES, expected);
}

/* Does the simulated firmware know a guest by such a line? */
static bool firmware_has(const char *text)
{
	FILE *file = fopen(FIRMWARE, "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	if (!found)
		ksft_print_msg("the firmware has no '%s'\n", text);
	return found;
}

static void offered_test(bool offered)
{
	ksft_test_result(offered == test_param_is_yes("kvm_amd/parameters/sev_snp"),
			 "SNP is offered as kvm_amd's parameter says (%s)\n", offered ? "yes" : "no");
}

static void asid_test(void)
{
	int vm = vms_create(VMS_SNP), pool = snp_pool();
	long long asid = guest_number(vm, KVMWARD_A_GUEST_ASID);
	char line[64];

	snprintf(line, sizeof(line), "asid %lld policy 0x30000 type snp", asid);
	ksft_test_result(number_is(vm, KVMWARD_A_GUEST_TYPE, KVMWARD_GUEST_TYPE_SNP) &&
			 (access(FIRMWARE, R_OK) || firmware_has(line)),
			 "type and ASID are the firmware's\n");
	ksft_test_result(asid >= slots(pool, KVMWARD_A_SLOT_FIRST_ASID) &&
			 asid <= slots(pool, KVMWARD_A_SLOT_LAST_ASID),
			 "the ASID is one of its pool\n");
	close(vm);
}

/* One of each kind: each is what it is, and takes what it takes. */
static void side_by_side_test(void)
{
	static const uint32_t types[] = {
		[VMS_PLAIN] = KVMWARD_GUEST_TYPE_PLAIN, [VMS_SEV] = KVMWARD_GUEST_TYPE_SEV,
		[VMS_SEV_ES] = KVMWARD_GUEST_TYPE_SEV_ES, [VMS_SNP] = KVMWARD_GUEST_TYPE_SNP,
	};
	unsigned int sev = in_use(KVMWARD_SLOT_POOL_SEV), es = in_use(KVMWARD_SLOT_POOL_SEV_ES);
	unsigned int snp = in_use(KVMWARD_SLOT_POOL_SNP);
	bool split = snp_pool() == KVMWARD_SLOT_POOL_SNP, ok = true;
	int vms[ARRAY_SIZE(types)], i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		vms[i] = vms_create(i);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		ok = ok && vms[i] >= 0 && number_is(vms[i], KVMWARD_A_GUEST_TYPE, types[i]);
	ksft_test_result(ok, "plain, SEV, SEV-ES and SNP side by side: each its type\n");
	ksft_test_result(in_use(KVMWARD_SLOT_POOL_SEV) == sev + 1 &&
			 in_use(KVMWARD_SLOT_POOL_SEV_ES) == es + (split ? 1 : 2) &&
			 in_use(KVMWARD_SLOT_POOL_SNP) == snp + (split ? 1 : 0),
			 "and each its slot%s\n", split ? "" : ", SEV-ES and SNP of one pool");
	for (i = 0; i < ARRAY_SIZE(types); i++)
		close(vms[i]);
}

static void memory_test(void)
{
	int vm = vms_create(VMS_SNP), fd = gmem_create(vm, 8 * MIB);
	bool ok = !gmem_bind(vm, 0, 0, 4 * MIB, fd, 0) &&
		  !gmem_bind(vm, 1, 1 << 30, 4 * MIB, fd, 4 * MIB);

	ksft_test_result(ok && unmovable_is(vm, 0) &&
			 number_is(vm, KVMWARD_A_GUEST_MEMORY_BYTES, 8 * MIB),
			 "memory that is not taken yet can be moved\n");
	ok = !fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * MIB);
	ksft_test_result(ok && unmovable_is(vm, 3 * MIB) &&
			 number_is(vm, KVMWARD_A_GUEST_PINNED_BYTES, 0) &&
			 number_is(vm, KVMWARD_A_GUEST_MM_PINNED_BYTES, 0),
			 "3 MiB taken: unmovable, not pinned; of two slots of one file once\n");
	ok = !fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, MIB, MIB);
	ksft_test_result(ok && unmovable_is(vm, 2 * MIB), "1 MiB given back\n");
	close(fd);
	ksft_test_result(unmovable_is(vm, 0), "the file closed: nothing is left\n");
	close(vm);
}

/* As a back end of some device may, when the rest of it has died. */
static void memfd_only_test(void)
{
	int vm = vms_create(VMS_SNP), fd = gmem_create(vm, MIB), pool = snp_pool();
	long long asid = guest_number(vm, KVMWARD_A_GUEST_ASID);
	unsigned int count = in_use(pool);

	close(vm);
	ksft_test_result(number_is(TEST_NO_VM_FD, KVMWARD_A_GUEST_TYPE, KVMWARD_GUEST_TYPE_SNP) &&
			 asid > 0 && number_is(TEST_NO_VM_FD, KVMWARD_A_GUEST_ASID, asid) &&
			 in_use(pool) == count,
			 "a guest held by its guest_memfd alone is seen, and has its slot\n");
	close(fd);
	ksft_test_result(in_use(pool) == count - 1, "and is gone with it\n");
}

/* The other side of it: what the simulated processor has put down to the guest. */
static void launch_test(void)
{
	int vm = vms_create(VMS_SNP), fd = gmem_create(vm, 4 * MIB);
	int ret = gmem_bind(vm, 0, 0, 4 * MIB, fd, 0);

	ret = ret ? ret : vms_snp_populate(vm, MIB, MIB);
	ksft_test_result(!ret && unmovable_is(vm, MIB) &&
			 (access(FIRMWARE, R_OK) || firmware_has("type snp state launch pages 256")),
			 "1 MiB of pages at launch: unmovable, and the guest's own\n");
	close(fd);
	close(vm);
}

static void other_types_test(void)
{
	int plain = vms_create(VMS_PLAIN), sev = vms_create(VMS_SEV);
	bool ok = !vms_set_memory(plain, 0, MIB) && !vms_pin(sev, 5 * MIB);

	ksft_test_result(ok && unmovable_is(plain, 0) && unmovable_is(sev, 5 * MIB) &&
			 number_is(sev, KVMWARD_A_GUEST_PINNED_BYTES, 5 * MIB),
			 "of a SEV guest what is pinned is unmovable, of a plain one nothing\n");
	close(plain);
	close(sev);
}

static void many_files_test(void)
{
	int vm = vms_create(VMS_SNP), fds[GUEST_MEMFDS + 1];
	bool ok = true, known = false;
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (i == GUEST_MEMFDS)
			known = unmovable_is(vm, GUEST_MEMFDS * 4096);
		fds[i] = gmem_create(vm, MIB);
		ok = ok && !gmem_bind(vm, i, i << 30, MIB, fds[i], 0) &&
		     !fallocate(fds[i], FALLOC_FL_KEEP_SIZE, 0, 4096);
	}
	ksft_test_result(ok && known && unmovable_is(vm, -1) &&
			 number_is(vm, KVMWARD_A_GUEST_MEMORY_BYTES, ARRAY_SIZE(fds) * MIB),
			 "more files than can be kept apart: not known, rather than wrong\n");
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(vm);
}

/* SEV-ES and SNP by turns, as far as they share; one more of either is refused. */
static void full_test(void)
{
	int pool = snp_pool(), *vms, es, snp;
	unsigned int i, count = slots(pool, KVMWARD_A_SLOT_CAPACITY), before = in_use(pool);
	bool shared = pool == KVMWARD_SLOT_POOL_SEV_ES, ok = true;

	if (before) {
		ksft_test_result_skip("full: slots are in use\n");
		ksft_test_result_skip("full: slots are in use\n");
		return;
	}
	vms = calloc(count, sizeof(*vms));
	for (i = 0; i < count; i++) {
		vms[i] = vms_create(shared && i % 2 ? VMS_SEV_ES : VMS_SNP);
		ok = ok && vms[i] >= 0 && in_use(pool) == i + 1;
	}
	snp = vms_create(VMS_SNP);
	es = vms_create(VMS_SEV_ES);
	ksft_test_result(ok && snp == -EBUSY && (shared ? es == -EBUSY : es >= 0),
			 "%u slots taken%s: one more is EBUSY\n", count,
			 shared ? ", SEV-ES and SNP by turns" : " by SNP");
	for (i = 0; i < count; i++)
		close(vms[i]);
	close(es);
	ksft_test_result(in_use(pool) == 0, "and all are given back\n");
	free(vms);
}

static void context_test(void)
{
	int vm = vms_create(VMS_SNP), other = vms_create(VMS_PLAIN), pool = snp_pool();
	unsigned int count = in_use(pool);

	ksft_test_result(vms_mirror(other, vm) == -EINVAL && vms_move(other, vm) == -EINVAL &&
			 in_use(pool) == count && slots(pool, KVMWARD_A_SLOT_MIRRORS) == 0,
			 "KVM has no mirror of an SNP guest and no move\n");
	close(other);
	close(vm);
}

static long current(void)
{
	return test_file_number_of("/sys/fs/cgroup/misc.current", "sev_es");
}

static void leak_test(void)
{
	long before = current();
	unsigned int count = in_use(snp_pool());
	bool ok;

	if (access(LEAK, W_OK) || before < 0) {
		ksft_test_result_skip("leaked slot: no simulator, or no misc.current\n");
		return;
	}
	ok = test_file_write(LEAK, "1");
	close(vms_create(VMS_SNP));
	ok = ok && current() == before + 1 && in_use(snp_pool()) == count;
	ksft_test_result(test_file_write(LEAK, "0") && ok && current() == before,
			 "a leaked slot is charged and not in use\n");
}

int main(void)
{
	bool offered;

	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests\n");
	offered = vms_offered(VMS_SNP);
	if (!offered && !test_param_is_yes("kvm_amd/parameters/sev_snp"))
		ksft_exit_skip("KVM offers no SEV-SNP here\n");
	ksft_set_plan(18);
	offered_test(offered);
	asid_test();
	side_by_side_test();
	memory_test();
	memfd_only_test();
	launch_test();
	other_types_test();
	many_files_test();
	full_test();
	context_test();
	leak_test();
	ksft_finished();
}
