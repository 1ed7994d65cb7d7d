// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dumps while VMs are made and destroyed, mirrored and moved, passed about, forked,
 * and left behind: each dump is checked VM by VM.
 *   KVMWARD_CHURN_SEED, KVMWARD_CHURN_SECONDS: to repeat a run, or to make it longer
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "churn.h"
#include "kselftest.h"
#include "testing.h"

#define SECONDS 10
#define DUMPS_LEAST 20		/* on a machine that hardly gets to run */
#define STABLE_MOST 16
#define PAIRS_MOST 64
#define POOLS_MOST (KVMWARD_SLOT_POOL_SNP + 1)
#define MIRROR KVMWARD_GUEST_FLAGS_MIRROR
#define ORPHAN KVMWARD_GUEST_FLAGS_ORPHAN

enum rule { STAY, ONCE, BOUNDS, HOLDER, MEMORY, ASIDS, POOLS, RULES };

static const char *const rules[RULES] = {
	[STAY] = "guests that stay are in each dump, unchanged",
	[ONCE] = "no VM is in a dump twice",
	[BOUNDS] = "of each kind there are as many as there can have been",
	[HOLDER] = "each has the holder, the flags and the type that it must have",
	[MEMORY] = "what cannot be moved of an SNP guest is no more than it has taken",
	[ASIDS] = "each ASID is of the right pool, and one guest's",
	[POOLS] = "the pools show what they must and no more than they can",
};

static struct nl nl;
static struct churn *churn;
static unsigned int broken[RULES], guest_dumps, slot_dumps, most_guests;

/* Says the first few, counts all. */
static void breaks(enum rule rule, const struct nl_msg *msg, const char *what, long value, long limit)
{
	if (broken[rule]++ > 5)
		return;
	ksft_print_msg("dump %u: %s: %ld, %ld", guest_dumps, what, value, limit);
	if (msg)
		printf("; pid %u, fd %d, type %d, ASID %d, flags %d, memory %#llx",
		       nl_u32(msg, KVMWARD_A_GUEST_PID),
		       nl_has(msg, KVMWARD_A_GUEST_VM_FD) ?
		       (int)nl_u32(msg, KVMWARD_A_GUEST_VM_FD) : -1,
		       nl_has(msg, KVMWARD_A_GUEST_TYPE) ?
		       (int)nl_u32(msg, KVMWARD_A_GUEST_TYPE) : -1,
		       nl_has(msg, KVMWARD_A_GUEST_ASID) ?
		       (int)nl_u32(msg, KVMWARD_A_GUEST_ASID) : -1,
		       nl_u32(msg, KVMWARD_A_GUEST_FLAGS),
		       (unsigned long long)nl_u64(msg, KVMWARD_A_GUEST_MEMORY_BYTES));
	printf("\n");
}

/* Guests of this process that are there all the time, as they were at first. */
static struct stable {
	int fd;
	uint32_t type, flags, asid;
	bool seen;
} stable[STABLE_MOST];
static unsigned int stable_count;

/* Others had guests before: they are none of ours. */
static uint32_t strangers[256];
static unsigned int stranger_count;

static unsigned int pool_count;		/* 3: SNP has one of its own */
static uint32_t pool_first[POOLS_MOST], pool_last[POOLS_MOST], pool_before[POOLS_MOST];
static uint32_t pool_capacity[POOLS_MOST];

static unsigned int pool_of(uint32_t type)
{
	if (type == KVMWARD_GUEST_TYPE_SEV)
		return KVMWARD_SLOT_POOL_SEV;
	return type == KVMWARD_GUEST_TYPE_SNP && pool_count > KVMWARD_SLOT_POOL_SNP ?
	       KVMWARD_SLOT_POOL_SNP : KVMWARD_SLOT_POOL_SEV_ES;
}

static bool is_stranger(uint32_t pid)
{
	unsigned int i;

	for (i = 0; i < stranger_count; i++)
		if (strangers[i] == pid)
			return true;
	return false;
}

static void strangers_note(void)
{
	struct nl_answer answer;
	unsigned int i;

	test_guests(&nl, &answer);
	for (i = 0; i < answer.count && stranger_count < ARRAY_SIZE(strangers); i++)
		strangers[stranger_count++] = nl_u32(&answer.msgs[i], KVMWARD_A_GUEST_PID);
	nl_answer_done(&answer);
}

static uint32_t value_or_zero(const struct nl_msg *msg, int attr)
{
	return nl_has(msg, attr) ? nl_u32(msg, attr) : 0;
}

static bool stable_tag(int fd)
{
	return !vms_set_memory(fd, 0, churn_tag(CHURN_STABLE, stable_count));
}

static void stable_add(int fd, uint32_t type, uint32_t flags)
{
	if (fd < 0 || (!(flags & ORPHAN) && !stable_tag(fd)))
		ksft_exit_fail_msg("guest %u of those that are to stay cannot be made\n", stable_count);
	stable[stable_count++] = (struct stable){ .fd = fd, .type = type, .flags = flags };
}

/* Made by a process that is gone, and could not be told anything by another. */
static int orphan_make(void)
{
	int sockets[2], vm;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		return -1;
	pid = fork();
	if (!pid) {
		vm = vms_create(VMS_PLAIN);
		_exit(!stable_tag(vm) || !test_file_send(sockets[1], vm));
	}
	close(sockets[1]);
	vm = test_file_receive(sockets[0]);
	close(sockets[0]);
	test_wait(pid);
	return vm;
}

static void stable_make(void)
{
	int vm, mirror, i;

	for (i = 0; i < 6; i++)
		stable_add(vms_create(VMS_PLAIN), KVMWARD_GUEST_TYPE_PLAIN, 0);
	stable_add(orphan_make(), KVMWARD_GUEST_TYPE_PLAIN, ORPHAN);
	if (vms_offered(VMS_SEV)) {
		vm = vms_create(VMS_SEV);
		mirror = vms_create(VMS_PLAIN);
		if (vms_mirror(mirror, vm))
			ksft_exit_fail_msg("no mirror can be made\n");
		stable_add(vm, KVMWARD_GUEST_TYPE_SEV, 0);
		stable_add(mirror, KVMWARD_GUEST_TYPE_SEV, MIRROR);
	}
	if (vms_offered(VMS_SEV_ES))
		stable_add(vms_create(VMS_SEV_ES), KVMWARD_GUEST_TYPE_SEV_ES, 0);
	if (vms_offered(VMS_SNP))
		stable_add(vms_create(VMS_SNP), KVMWARD_GUEST_TYPE_SNP, 0);
}

static void stable_check(const struct nl_msg *msg, unsigned int number)
{
	struct stable *guest = &stable[number];
	uint32_t asid = value_or_zero(msg, KVMWARD_A_GUEST_ASID);

	if (number >= stable_count) {
		breaks(STAY, msg, "there is no such guest", number, stable_count);
		return;
	}
	guest->seen = true;
	if (!guest->asid)
		guest->asid = asid;
	if (nl_u32(msg, KVMWARD_A_GUEST_PID) != (uint32_t)getpid() ||
	    !nl_has(msg, KVMWARD_A_GUEST_VM_FD) ||
	    nl_u32(msg, KVMWARD_A_GUEST_VM_FD) != (uint32_t)guest->fd ||
	    nl_u32(msg, KVMWARD_A_GUEST_FLAGS) != guest->flags ||
	    value_or_zero(msg, KVMWARD_A_GUEST_TYPE) != guest->type || asid != guest->asid ||
	    !!asid != (guest->type != KVMWARD_GUEST_TYPE_PLAIN))
		breaks(STAY, msg, "a guest that stays has changed", number, guest->asid);
}

static void stable_all_seen(void)
{
	unsigned int i;

	for (i = 0; i < stable_count; i++) {
		if (!stable[i].seen)
			breaks(STAY, NULL, "a guest that stays is not there", i, stable_count);
		stable[i].seen = false;
	}
}

/* What a guest of each kind becomes, unless there is no slot left for it. */
static uint32_t type_of(enum churn_kind kind)
{
	switch (kind) {
	case CHURN_SEV:
	case CHURN_OWNER:
	case CHURN_MIRROR:
	case CHURN_MOVED:
		return KVMWARD_GUEST_TYPE_SEV;
	case CHURN_SEV_ES:
		return KVMWARD_GUEST_TYPE_SEV_ES;
	case CHURN_SNP:
		return KVMWARD_GUEST_TYPE_SNP;
	default:
		return KVMWARD_GUEST_TYPE_PLAIN;
	}
}

static uint32_t flags_of(const struct nl_msg *msg, enum churn_kind kind)
{
	bool encrypted = value_or_zero(msg, KVMWARD_A_GUEST_ASID);

	if (kind == CHURN_MIRROR && encrypted)
		return MIRROR;
	if (kind == CHURN_PASSED && nl_u32(msg, KVMWARD_A_GUEST_PID) ==
	    (uint32_t)churn->counts[kind].other_pid)
		return ORPHAN;
	return 0;
}

static bool may_hold(enum churn_kind kind, uint32_t pid)
{
	const struct churn_count *count = &churn->counts[kind];

	/* Each is in a process of its own, which may be gone. */
	if (kind == CHURN_LEFT)
		return true;
	return pid == (uint32_t)count->pid || (kind == CHURN_PASSED &&
					      pid == (uint32_t)count->other_pid);
}

/*
 * Met in a child, and closed by its maker before that one was asked whether it has
 * it too. Its maker closes one before it makes the next.
 */
static bool closed_behind(const struct nl_msg *msg, enum churn_kind kind)
{
	unsigned int number = churn_number_of(nl_u64(msg, KVMWARD_A_GUEST_MEMORY_BYTES));

	return kind == CHURN_FORKED &&
	       nl_u32(msg, KVMWARD_A_GUEST_PID) != (uint32_t)churn->counts[kind].pid &&
	       (int16_t)(atomic_load(&churn->counts[kind].closing) - number) >= 0;
}

static unsigned int closed_seen;

static void holder_check(const struct nl_msg *msg, enum churn_kind kind)
{
	uint32_t type = value_or_zero(msg, KVMWARD_A_GUEST_TYPE);

	if (closed_behind(msg, kind)) {
		closed_seen++;
		return;
	}

	if (!may_hold(kind, nl_u32(msg, KVMWARD_A_GUEST_PID)))
		breaks(HOLDER, msg, "not a process that has it", kind, churn->counts[kind].pid);
	/* Until it has an ASID, KVM may be about to make it what it is to be. */
	if (nl_has(msg, KVMWARD_A_GUEST_ASID) && type != type_of(kind))
		breaks(HOLDER, msg, "not its type", type, type_of(kind));
	if (nl_u32(msg, KVMWARD_A_GUEST_FLAGS) != flags_of(msg, kind))
		breaks(HOLDER, msg, "not its flags", nl_u32(msg, KVMWARD_A_GUEST_FLAGS),
		       flags_of(msg, kind));
}

static unsigned int private_seen;

/* Page by page, until it has all or its file is closed. */
static void memory_check(const struct nl_msg *msg)
{
	uint64_t bytes;

	if (!nl_has(msg, KVMWARD_A_GUEST_UNMOVABLE_BYTES))
		return;
	bytes = nl_u64(msg, KVMWARD_A_GUEST_UNMOVABLE_BYTES);
	private_seen += bytes > 0;
	if (bytes > CHURN_PRIVATE_BYTES || bytes % 4096)
		breaks(MEMORY, msg, "more than it has taken", bytes, CHURN_PRIVATE_BYTES);
}

/*
 * Two guests with one ASID. A dump is taken in the order of processes, so that a
 * slot which is given back and taken again meanwhile may be met at both places;
 * but not twice by the same two guests.
 */
static struct pair {
	uint64_t one, other;
} pairs[2][PAIRS_MOST];
static unsigned int pair_count[2], pairs_ever;

static void pair_found(const struct nl_msg *one, const struct nl_msg *other)
{
	struct pair *now = pairs[guest_dumps % 2], *before = pairs[(guest_dumps + 1) % 2];
	struct pair pair = { nl_u64(one, KVMWARD_A_GUEST_MEMORY_BYTES),
			     nl_u64(other, KVMWARD_A_GUEST_MEMORY_BYTES) };
	unsigned int i;

	pairs_ever++;
	if (pair_count[guest_dumps % 2] < PAIRS_MOST)
		now[pair_count[guest_dumps % 2]++] = pair;
	for (i = 0; i < pair_count[(guest_dumps + 1) % 2]; i++)
		if (!memcmp(&before[i], &pair, sizeof(pair)))
			breaks(ASIDS, one, "another guest has its ASID too", 0,
			       nl_u32(other, KVMWARD_A_GUEST_PID));
}

static bool takes_slot(const struct nl_msg *msg)
{
	return nl_has(msg, KVMWARD_A_GUEST_ASID) && !is_stranger(nl_u32(msg, KVMWARD_A_GUEST_PID)) &&
	       !(nl_u32(msg, KVMWARD_A_GUEST_FLAGS) & MIRROR);
}

static void asids_check(const struct nl_answer *answer)
{
	const struct nl_msg *holders[4096] = { NULL };
	unsigned int i;

	pair_count[guest_dumps % 2] = 0;
	for (i = 0; i < answer->count; i++) {
		const struct nl_msg *msg = &answer->msgs[i];
		uint32_t asid = value_or_zero(msg, KVMWARD_A_GUEST_ASID);
		unsigned int pool = pool_of(value_or_zero(msg, KVMWARD_A_GUEST_TYPE));

		if (!takes_slot(msg) || asid >= ARRAY_SIZE(holders))
			continue;
		if (asid < pool_first[pool] || asid > pool_last[pool])
			breaks(ASIDS, msg, "an ASID of no pool of that type", asid, pool_first[pool]);
		if (holders[asid])
			pair_found(msg, holders[asid]);
		holders[asid] = msg;
	}
}

/* How many there can have been between two moments, at least and at most. */
struct bounds {
	unsigned int made, closed;	/* at the first */
	int least, most;
};

static void bounds_begin(struct bounds *bounds)
{
	enum churn_kind kind;

	for (kind = CHURN_PLAIN; kind < CHURN_KINDS; kind++) {
		bounds[kind].closed = atomic_load(&churn->counts[kind].closed);
		bounds[kind].made = atomic_load(&churn->counts[kind].made);
	}
}

static void bounds_end(struct bounds *bounds)
{
	enum churn_kind kind;

	for (kind = CHURN_PLAIN; kind < CHURN_KINDS; kind++) {
		int started = atomic_load(&churn->counts[kind].started);
		int closing = atomic_load(&churn->counts[kind].closing);

		bounds[kind].most = started - (int)bounds[kind].closed;
		bounds[kind].least = (int)bounds[kind].made - closing;
		/* It may change hands behind the back of one who goes from one to the next. */
		if (kind == CHURN_PASSED)
			bounds[kind].least = 0;
	}
}

static void bounds_check(const struct bounds *bounds, const int *seen)
{
	enum churn_kind kind;

	for (kind = CHURN_PLAIN; kind < CHURN_KINDS; kind++) {
		if (seen[kind] > bounds[kind].most)
			breaks(BOUNDS, NULL, "more of a kind than there can be", seen[kind],
			       bounds[kind].most);
		if (seen[kind] < bounds[kind].least)
			breaks(BOUNDS, NULL, "fewer of a kind than there must be", seen[kind],
			       bounds[kind].least);
	}
}

static void guest_check(const struct nl_msg *msg, int *seen)
{
	uint64_t memory = nl_u64(msg, KVMWARD_A_GUEST_MEMORY_BYTES);
	enum churn_kind kind = churn_kind_of(memory);

	if (kind == CHURN_NONE)
		return;
	if (kind == CHURN_KINDS) {
		breaks(ONCE, msg, "memory that none of ours has", 0, 0);
		return;
	}
	seen[kind]++;
	if (kind == CHURN_STABLE)
		stable_check(msg, churn_number_of(memory));
	else
		holder_check(msg, kind);
	if (kind == CHURN_SNP)
		memory_check(msg);
}

static int by_value(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return a < b ? -1 : a > b;
}

/* Each VM's memory is its name. */
static void once_check(const struct nl_answer *answer)
{
	uint64_t *names = calloc(answer->count + 1, sizeof(*names));
	unsigned int i, count = 0;

	for (i = 0; i < answer->count; i++)
		if (!is_stranger(nl_u32(&answer->msgs[i], KVMWARD_A_GUEST_PID)) &&
		    nl_u64(&answer->msgs[i], KVMWARD_A_GUEST_MEMORY_BYTES))
			names[count++] = nl_u64(&answer->msgs[i], KVMWARD_A_GUEST_MEMORY_BYTES);
	qsort(names, count, sizeof(*names), by_value);
	for (i = 1; i < count; i++)
		if (names[i] == names[i - 1])
			breaks(ONCE, NULL, "a VM is there twice", churn_kind_of(names[i]),
			       churn_number_of(names[i]));
	free(names);
}

static unsigned int passed_seen, passed_missed;

static void guests_look(void)
{
	struct bounds bounds[CHURN_KINDS];
	int seen[CHURN_KINDS] = { 0 };
	struct nl_answer answer;
	unsigned int i;

	bounds_begin(bounds);
	test_guests(&nl, &answer);
	bounds_end(bounds);
	guest_dumps++;
	for (i = 0; i < answer.count; i++)
		if (!is_stranger(nl_u32(&answer.msgs[i], KVMWARD_A_GUEST_PID)))
			guest_check(&answer.msgs[i], seen);
	stable_all_seen();
	once_check(&answer);
	bounds_check(bounds, seen);
	asids_check(&answer);
	if (answer.count > most_guests)
		most_guests = answer.count;
	passed_seen += seen[CHURN_PASSED];
	passed_missed += (int)bounds[CHURN_PASSED].made -
			 (int)atomic_load(&churn->counts[CHURN_PASSED].closing) > seen[CHURN_PASSED];
	nl_answer_done(&answer);
}

/* Kinds of guests that take slots of that pool: each is made by one process, one by one. */
static bool is_of_pool(enum churn_kind kind, unsigned int pool)
{
	uint32_t type = type_of(kind);

	return type != KVMWARD_GUEST_TYPE_PLAIN && kind != CHURN_MIRROR && pool_of(type) == pool;
}

static void pool_check(const struct nl_msg *msg, unsigned int pool, const struct bounds *bounds)
{
	int least = pool_before[pool];	/* those that stay */
	int in_use = value_or_zero(msg, KVMWARD_A_SLOT_IN_USE);
	int capacity = value_or_zero(msg, KVMWARD_A_SLOT_CAPACITY);
	int most = 0, takers = 0;
	enum churn_kind kind;

	for (kind = CHURN_PLAIN; kind < CHURN_KINDS; kind++)
		if (is_of_pool(kind, pool)) {
			most += bounds[kind].most;
			takers++;
		}

	if (in_use < least || in_use > least + most)
		breaks(POOLS, NULL, "in use", in_use, least);
	if (!nl_has(msg, KVMWARD_A_SLOT_CHARGED))
		return;
	/* The kernel adds before it refuses: a full pool has one too many for each who asks. */
	if ((int)nl_u32(msg, KVMWARD_A_SLOT_CHARGED) < least ||
	    (int)nl_u32(msg, KVMWARD_A_SLOT_CHARGED) > capacity + takers)
		breaks(POOLS, NULL, "charged", nl_u32(msg, KVMWARD_A_SLOT_CHARGED), capacity);
}

static void slots_look(void)
{
	struct bounds bounds[CHURN_KINDS];
	struct nl_answer answer;
	unsigned int pool;

	bounds_begin(bounds);
	test_slots(&nl, &answer);
	bounds_end(bounds);
	slot_dumps++;
	for (pool = 0; pool < pool_count; pool++)
		pool_check(&answer.msgs[pool], pool, bounds);
	nl_answer_done(&answer);
}

/* The pools with nothing but the guests that stay: before, and after it all. */
static bool pools_settled(uint32_t *ret_in_use)
{
	struct nl_answer answer;
	bool same = true;
	unsigned int pool;

	test_slots(&nl, &answer);
	pool_count = answer.count;
	for (pool = 0; pool < pool_count; pool++) {
		const struct nl_msg *msg = &answer.msgs[pool];

		ret_in_use[pool] = value_or_zero(msg, KVMWARD_A_SLOT_IN_USE);
		pool_first[pool] = value_or_zero(msg, KVMWARD_A_SLOT_FIRST_ASID);
		pool_capacity[pool] = value_or_zero(msg, KVMWARD_A_SLOT_CAPACITY);
		pool_last[pool] = value_or_zero(msg, KVMWARD_A_SLOT_LAST_ASID);
		if (nl_has(msg, KVMWARD_A_SLOT_CHARGED))
			same = same && nl_u32(msg, KVMWARD_A_SLOT_CHARGED) == ret_in_use[pool];
	}
	nl_answer_done(&answer);
	return same;
}

static long environment(const char *name, long fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 0) : fallback;
}

static void look_for(long seconds)
{
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end || guest_dumps < DUMPS_LEAST) {
		guests_look();
		if (guest_dumps % 4 == 0)
			slots_look();
	}
}

static unsigned int churn_stop(const pid_t *pids, unsigned int count)
{
	unsigned int i, failed = 0;

	atomic_store(&churn->stop, true);
	for (i = 0; i < count; i++)
		failed += test_wait(pids[i]) != 0;
	return failed;
}

static void print_counts(void)
{
	enum churn_kind kind;
	unsigned int all = 0;

	for (kind = CHURN_PLAIN; kind < CHURN_KINDS; kind++)
		all += atomic_load(&churn->counts[kind].closed);
	ksft_print_msg("%u guest dumps and %u of slots, %u guests at most, among %u VMs that came and went\n",
		       guest_dumps, slot_dumps, most_guests, all);
	ksft_print_msg("seen with one ASID while it went from one to the other: %u\n", pairs_ever);
	ksft_print_msg("private memory seen: %u times\n", private_seen);
	ksft_print_msg("closed by its maker behind a dump's back, seen in a child: %u\n", closed_seen);
	ksft_print_msg("passed on behind a dump's back: in %u dumps, seen %u times\n", passed_missed,
		       passed_seen);
}

/* Where a pool can be filled, it was, and went on. */
static void refused_test(uint32_t type, const char *name, unsigned int refused, bool offered)
{
	unsigned int pool = pool_of(type), room = pool_capacity[pool] - pool_before[pool];

	if (!offered)
		ksft_test_result_skip("%s refused: not offered here\n", name);
	else if (room > CHURN_FILL)
		ksft_test_result_skip("%s refused: %u slots are more than are filled here\n", name,
				      room);
	else
		ksft_test_result(refused, "%s refused by a full pool: %u times\n", name, refused);
}

int main(void)
{
	static const struct {
		uint32_t type;
		enum vms_type vms;
		const char *name;
	} takers[] = {
		{ KVMWARD_GUEST_TYPE_SEV, VMS_SEV, "SEV" },
		{ KVMWARD_GUEST_TYPE_SEV_ES, VMS_SEV_ES, "SEV-ES" },
		{ KVMWARD_GUEST_TYPE_SNP, VMS_SNP, "SEV-SNP" },
	};
	bool offered[ARRAY_SIZE(takers)];
	pid_t pids[CHURN_KINDS];
	unsigned int seed, workers, failed, settled[POOLS_MOST], i;
	enum rule rule;
	long seconds;

	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests to come and go\n");
	ksft_set_plan(RULES + 2 + ARRAY_SIZE(takers));
	seed = environment("KVMWARD_CHURN_SEED", time(NULL) ^ getpid() << 16);
	seconds = environment("KVMWARD_CHURN_SECONDS", SECONDS);
	churn = mmap(NULL, sizeof(*churn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strangers_note();
	for (i = 0; i < ARRAY_SIZE(takers); i++)
		offered[i] = vms_offered(takers[i].vms);
	stable_make();
	pools_settled(pool_before);

	workers = churn_start(churn, seed, pids);
	ksft_print_msg("KVMWARD_CHURN_SEED=%u KVMWARD_CHURN_SECONDS=%ld, %u kinds of workers\n", seed,
		       seconds, workers);
	look_for(seconds);
	failed = churn_stop(pids, workers);
	print_counts();

	for (rule = 0; rule < RULES; rule++)
		ksft_test_result(!broken[rule], "%s\n", rules[rule]);
	for (i = 0; i < ARRAY_SIZE(takers); i++)
		refused_test(takers[i].type, takers[i].name,
			     atomic_load(&churn->refused[takers[i].vms]), offered[i]);
	ksft_test_result(!failed, "%u kinds of churn, none of which met an error\n", workers);
	ksft_test_result(pools_settled(settled) &&
			 !memcmp(settled, pool_before, pool_count * sizeof(*settled)) &&
			 test_module_users() == 0,
			 "no slot is left over, and nobody uses the module\n");
	ksft_finished();
}
