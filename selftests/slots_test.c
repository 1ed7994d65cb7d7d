// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SLOT_GET against the kernel's misc controller and the VMs made here: none,
 * one, all but one, all of each pool, mirrors, a move, a leaked slot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define LEAK "/sys/kernel/debug/psp_sim/leak"

static const struct pool {
	const char *name, *misc;	/* here, and in the misc controller's files */
	enum vms_type type;
} pools[] = {
	[KVMWARD_SLOT_POOL_SEV] = { "SEV", "sev", VMS_SEV },
	[KVMWARD_SLOT_POOL_SEV_ES] = { "SEV-ES", "sev_es", VMS_SEV_ES },
};

static struct nl nl;
static unsigned int base[2];	/* slots that were taken before */

static long misc(const char *file, int pool)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/misc.%s", file);
	return test_file_number_of(path, pools[pool].misc);
}

/* Has SEV-SNP slots to itself? The kernel then counts them with those of SEV-ES. */
static bool is_split(const struct nl_answer *answer)
{
	return answer->count > KVMWARD_SLOT_POOL_SNP;
}

/* What misc.capacity says of the pool, less those of SEV-SNP alone; -1: nothing. */
static long published(int pool)
{
	long count = misc("capacity", pool);
	struct nl_answer answer;

	test_slots(&nl, &answer);
	if (count >= 0 && pool && is_split(&answer))
		count -= nl_u32(&answer.msgs[KVMWARD_SLOT_POOL_SNP], KVMWARD_A_SLOT_CAPACITY);
	nl_answer_done(&answer);
	return count;
}

/* Does the pool show that many slots taken, in all ways of counting? */
static bool taken_is(int pool, unsigned int count, unsigned int leaked, unsigned int mirrors)
{
	long current = misc("current", pool);
	struct nl_answer answer;
	const struct nl_msg *msg;
	int charged;
	bool same;

	test_slots(&nl, &answer);
	msg = &answer.msgs[pool];
	charged = nl_has(msg, KVMWARD_A_SLOT_CHARGED) ? (int)nl_u32(msg, KVMWARD_A_SLOT_CHARGED) : -1;
	same = nl_u32(msg, KVMWARD_A_SLOT_IN_USE) == count &&
	       (is_split(&answer) && pool ? charged == -1 : charged == (int)(count + leaked)) &&
	       nl_u32(msg, KVMWARD_A_SLOT_MIRRORS) == mirrors &&
	       (current < 0 || current == count + leaked);
	if (!same)
		ksft_print_msg("in use %u, charged %d, mirrors %u, misc.current %ld; expected %u + %u leaked, %u\n",
			       nl_u32(msg, KVMWARD_A_SLOT_IN_USE), charged,
			       nl_u32(msg, KVMWARD_A_SLOT_MIRRORS), current, count, leaked, mirrors);
	nl_answer_done(&answer);
	return same;
}

static unsigned int capacity(int pool)
{
	struct nl_answer answer;
	unsigned int count;

	test_slots(&nl, &answer);
	count = nl_u32(&answer.msgs[pool], KVMWARD_A_SLOT_CAPACITY);
	nl_answer_done(&answer);
	return count;
}

/*
 * What the kernel offers: nothing of a type that is switched off, and no more
 * than the processor has, even where misc.capacity counts past the last ASID.
 */
static void range_test(int pool)
{
	long given = published(pool), expected = given < 0 ? 0 : given;
	struct nl_answer answer;
	const struct nl_msg *msg;
	uint32_t count;
	bool range;

	test_host(&nl, &answer);
	if (expected && nl_u32(&answer.msgs[0], KVMWARD_A_HOST_MAX_ASID) < expected)
		expected = nl_u32(&answer.msgs[0], KVMWARD_A_HOST_MAX_ASID);
	nl_answer_done(&answer);

	test_slots(&nl, &answer);
	msg = &answer.msgs[pool];
	count = nl_u32(msg, KVMWARD_A_SLOT_CAPACITY);
	range = count ? nl_u32(msg, KVMWARD_A_SLOT_LAST_ASID) + 1 -
			nl_u32(msg, KVMWARD_A_SLOT_FIRST_ASID) == count :
			!nl_has(msg, KVMWARD_A_SLOT_FIRST_ASID) &&
			!nl_has(msg, KVMWARD_A_SLOT_LAST_ASID);
	ksft_print_msg("%s: capacity %u, misc.capacity %ld\n", pools[pool].name, count, given);
	ksft_test_result(range && count == expected && (!count || vms_offered(pools[pool].type)),
			 "%s: capacity is misc.capacity, and fits the range\n", pools[pool].name);
	nl_answer_done(&answer);
}

/* How many ASIDs SEV-SNP has to itself, from the first on. */
static unsigned int hidden(void)
{
	struct nl_answer answer;
	unsigned int count = 0;

	test_slots(&nl, &answer);
	if (is_split(&answer))
		count = nl_u32(&answer.msgs[KVMWARD_SLOT_POOL_SNP], KVMWARD_A_SLOT_CAPACITY);
	nl_answer_done(&answer);
	return count;
}

/* The simulator's processor divides its ASIDs as it was told. */
static void split_test(int pool)
{
	long max = test_file_number("/sys/module/psp_sim/parameters/max_asid");
	long min_sev = test_file_number("/sys/module/psp_sim/parameters/min_sev_asid");
	long first = pool == KVMWARD_SLOT_POOL_SEV ? min_sev : 1 + hidden();
	long last = pool == KVMWARD_SLOT_POOL_SEV ? max : min_sev - 1 < max ? min_sev - 1 : max;
	struct nl_answer answer;
	const struct nl_msg *msg;

	if (max < 0 || first > last) {
		ksft_test_result_skip("%s: ASIDs: %s\n", pools[pool].name,
				      max < 0 ? "no simulator" : "none in this pool");
		return;
	}
	test_slots(&nl, &answer);
	msg = &answer.msgs[pool];
	ksft_test_result(nl_u32(msg, KVMWARD_A_SLOT_FIRST_ASID) == first &&
			 nl_u32(msg, KVMWARD_A_SLOT_LAST_ASID) == last,
			 "%s: ASIDs are those of the processor, %ld to %ld\n", pools[pool].name,
			 first, last);
	nl_answer_done(&answer);
}

static void level_test(int pool, unsigned int count, const char *what)
{
	int *vms = calloc(count + 1, sizeof(*vms));
	unsigned int i;
	bool ok;

	for (i = 0; i < count; i++)
		vms[i] = vms_create(pools[pool].type);
	ok = taken_is(pool, base[pool] + count, 0, 0) &&
	     taken_is(!pool, base[!pool], 0, 0);
	for (i = 0; i < count; i++) {
		ok = ok && vms[i] >= 0;
		close(vms[i]);
	}
	ok = ok && taken_is(pool, base[pool], 0, 0);
	ksft_test_result(ok, "%s: %s (%u) taken, and given back\n", pools[pool].name, what, count);
	free(vms);
}

/* The first VM too many is refused by KVM: the capacity is the true one. */
static void full_test(int pool, unsigned int count)
{
	int *vms = calloc(count, sizeof(*vms));
	unsigned int i;
	int extra;

	for (i = 0; i < count; i++)
		vms[i] = vms_create(pools[pool].type);
	extra = vms_create(pools[pool].type);
	ksft_test_result(extra == -EBUSY && taken_is(pool, base[pool] + count, 0, 0),
			 "%s: KVM refuses one more than there are\n", pools[pool].name);
	for (i = 0; i < count; i++)
		close(vms[i]);
	free(vms);
}

static void mirror_test(int pool)
{
	int owner = vms_create(pools[pool].type), mirror = vms_create(VMS_PLAIN);
	int ret = vms_mirror(mirror, owner);

	ksft_test_result(!ret && taken_is(pool, base[pool] + 1, 0, 1),
			 "%s: a mirror takes no slot\n", pools[pool].name);
	close(mirror);
	close(owner);
}

/* A move within the host takes the slot along. */
static void move_test(int pool)
{
	int source = vms_create(pools[pool].type), target = vms_create(VMS_PLAIN);
	int ret = vms_move(target, source);
	bool both = taken_is(pool, base[pool] + 1, 0, 0);
	bool after;

	close(source);
	after = taken_is(pool, base[pool] + 1, 0, 0);
	close(target);
	ksft_test_result(!ret && both && after && taken_is(pool, base[pool], 0, 0),
			 "%s: a moved guest holds one slot\n", pools[pool].name);
}

static bool leak_set(const char *count)
{
	int fd = open(LEAK, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, count, strlen(count)) == (ssize_t)strlen(count);

	close(fd);
	return ok;
}

static void leak_test(int pool)
{
	bool leaked;

	if (access(LEAK, W_OK)) {
		ksft_test_result_skip("%s: leaked slot: no simulator\n", pools[pool].name);
		return;
	}
	leaked = leak_set("1");
	close(vms_create(pools[pool].type));
	leaked = leaked && taken_is(pool, base[pool], 1, 0);
	ksft_test_result(leak_set("0") && leaked && taken_is(pool, base[pool], 0, 0),
			 "%s: a leaked slot is charged and not in use\n", pools[pool].name);
}

/* Why slots of that pool cannot be taken for a test; NULL: they can. */
static const char *pool_excuse(int pool, unsigned int count)
{
	if (!count)
		return "no slots here";
	if (base[pool])
		return "slots are in use";
	/* Its bitmap ends at the last ASID; it writes beyond. */
	if (published(pool) > count)
		return "KVM gives out ASIDs that the processor does not have";
	return NULL;
}

static void pool_test(int pool)
{
	unsigned int i, count = capacity(pool);
	const char *excuse = pool_excuse(pool, count);

	range_test(pool);
	split_test(pool);
	for (i = 0; excuse && i < 8; i++)
		ksft_test_result_skip("%s: %s\n", pools[pool].name, excuse);
	if (excuse)
		return;
	level_test(pool, 0, "none");
	level_test(pool, 1, "one");
	level_test(pool, count - 1, "all but one");
	level_test(pool, count, "all");
	full_test(pool, count);
	mirror_test(pool);
	move_test(pool);
	leak_test(pool);
}

/*
 * A user without rights, who asks for the slots in use whenever he is told to, by a
 * byte, and tells them. -1 is an error.
 */
static void user_run(int talk)
{
	struct nl_answer answer;
	struct nl own;
	int in_use = -1;
	char byte;

	test_become_nobody();
	if (nl_open(&own))
		_exit(1);
	while (read(talk, &byte, 1) == 1) {
		if (!nl_dump(&own, KVMWARD_CMD_SLOT_GET, NULL, 0, &answer) && answer.count)
			in_use = nl_u32(&answer.msgs[0], KVMWARD_A_SLOT_IN_USE);
		nl_answer_done(&answer);
		if (write(talk, &in_use, sizeof(in_use)) != sizeof(in_use))
			_exit(1);
	}
	_exit(0);
}

static int user_asks(int talk)
{
	int in_use;

	if (write(talk, "", 1) != 1 || read(talk, &in_use, sizeof(in_use)) != sizeof(in_use))
		return -1;
	return in_use;
}

/* True: a slot was taken, and the user was told soon after what was so before. */
static bool user_was_told_old(int talk)
{
	int before = user_asks(talk), vm = vms_create(VMS_SEV);
	bool old = vm >= 0 && before >= 0 && user_asks(talk) == before;

	close(vm);
	return old;
}

/* An answer that was right 300 ms ago is right now, if nothing has changed meanwhile. */
static bool user_is_told_new(int talk)
{
	int vm, taken;

	usleep(300000);
	vm = vms_create(VMS_SEV);
	usleep(300000);
	taken = user_asks(talk);
	close(vm);
	usleep(300000);
	return taken == (int)base[0] + 1 && user_asks(talk) == (int)base[0];
}

/*
 * Users without rights share a pass for 100 ms, so that they cannot keep others
 * waiting. On a slow machine these are over soon: any of many times will do.
 */
static void user_test(void)
{
	bool old = false, new;
	int talk[2], i;
	pid_t pid;

	if (!vms_offered(VMS_SEV) || socketpair(AF_UNIX, SOCK_STREAM, 0, talk)) {
		ksft_test_result_skip("a user without rights: no SEV\n");
		ksft_test_result_skip("a user without rights: no SEV\n");
		return;
	}
	pid = fork();
	if (!pid) {
		close(talk[0]);
		user_run(talk[1]);
	}
	close(talk[1]);
	new = user_is_told_new(talk[0]);
	for (i = 0; !old && i < 200; i++)
		old = user_was_told_old(talk[0]);
	close(talk[0]);
	ksft_test_result(test_wait(pid) == 0 && new, "a user without rights is told what is taken\n");
	ksft_test_result(old, "and asks for no pass of his own within 100 ms\n");
}

/* Nothing is in use, and nothing is claimed to be known, where no KVM is. */
static void no_kvm_test(void)
{
	struct nl_answer answer;
	bool known;

	test_slots(&nl, &answer);
	known = nl_has(&answer.msgs[0], KVMWARD_A_SLOT_IN_USE);
	ksft_test_result(known == test_module_there("kvm_amd"),
			 "slots in use are known if kvm_amd is there\n");
	if (known) {
		base[0] = nl_u32(&answer.msgs[0], KVMWARD_A_SLOT_IN_USE);
		base[1] = nl_u32(&answer.msgs[1], KVMWARD_A_SLOT_IN_USE);
	}
	nl_answer_done(&answer);
}

int main(void)
{
	test_open(&nl);
	ksft_set_plan(23);
	no_kvm_test();
	pool_test(KVMWARD_SLOT_POOL_SEV);
	pool_test(KVMWARD_SLOT_POOL_SEV_ES);
	user_test();
	ksft_finished();
}
