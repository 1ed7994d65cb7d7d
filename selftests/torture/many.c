// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Very many guests at once, spread over some processes: each must be in each dump
 * exactly once, as what it is, with a slot of its own; so must those that are left
 * when half of the processes have ended. All of them take a slot of the pool SEV
 * as far as it goes; the rest are plain.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <linux/kvmward.h>

#include "nl.h"
#include "options.h"
#include "vms.h"

#define FD_ROOM 256		/* of files that are no guests */

static uint64_t vms = 10000, holders = 20, dumps = 20;

static const struct option_number options[] = {
	{ "vms", &vms, "how many" },
	{ "holders", &holders, "processes that share them" },
	{ "dumps", &dumps, "how often to look at them" },
	{ NULL, NULL, NULL },
};

/* Shared with the holders, which fill it in. */
struct vm {
	int fd;			/* 0: none (any more) */
	bool sev;
};

struct holder {
	pid_t pid;
	int error;		/* errno of the guest that could not be made */
	bool ready;
	struct vm *vms;
};

static struct holder *table;
static struct nl nl;
static uint64_t share;		/* of each holder */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static long memory_available_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib >> 10;
}

static void *shared(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("many: mmap");
		exit(1);
	}
	return memory;
}

static void files_allow(void)
{
	struct rlimit limit = { .rlim_cur = share + FD_ROOM, .rlim_max = share + FD_ROOM };

	setrlimit(RLIMIT_NOFILE, &limit);
}

static void holder_run(struct holder *holder)
{
	enum vms_type type = VMS_SEV;
	uint64_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	holder->pid = getpid();
	for (i = 0; i < share; i++) {
		int vm = vms_create(type);

		if (vm < 0 && type == VMS_SEV) {
			type = VMS_PLAIN;
			vm = vms_create(type);
		}
		if (vm < 0) {
			holder->error = -vm;
			break;
		}
		holder->vms[i] = (struct vm){ .fd = vm, .sev = type == VMS_SEV };
	}
	__atomic_store_n(&holder->ready, true, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* False when one of them could not make its share. */
static bool holders_start(void)
{
	bool ok = true;
	uint64_t i;

	table = shared(holders * sizeof(*table));
	for (i = 0; i < holders; i++) {
		table[i].vms = shared(share * sizeof(*table[i].vms));
		if (!fork())
			holder_run(&table[i]);
	}
	for (i = 0; i < holders; i++) {
		while (!__atomic_load_n(&table[i].ready, __ATOMIC_ACQUIRE))
			usleep(100000);
		if (table[i].error) {
			printf("# a guest could not be made: %s\n", strerror(table[i].error));
			ok = false;
		}
	}
	return ok;
}

/* Every other one. All at once: each guest's end waits for grace periods. */
static void holders_end(uint64_t first)
{
	uint64_t i;

	for (i = first; i < holders; i += 2)
		kill(table[i].pid, SIGKILL);
	for (i = first; i < holders; i += 2) {
		waitpid(table[i].pid, NULL, 0);
		memset(table[i].vms, 0, share * sizeof(*table[i].vms));
	}
}

static struct vm *vm_find(const struct nl_msg *msg, unsigned char **ret_seen, unsigned char *seen)
{
	uint32_t pid = nl_u32(msg, KVMWARD_A_GUEST_PID);
	uint32_t fd = nl_u32(msg, KVMWARD_A_GUEST_VM_FD);
	uint64_t i, n;

	for (i = 0; i < holders && table[i].pid != (pid_t)pid; i++)
		;
	for (n = 0; i < holders && n < share; n++)
		if (table[i].vms[n].fd == (int)fd) {
			*ret_seen = &seen[i * share + n];
			return &table[i].vms[n];
		}
	return NULL;
}

/* What a dump says about one guest; the words of what is wrong, or NULL. */
static const char *record_check(const struct nl_msg *msg, unsigned char *seen,
				unsigned char *asids, uint32_t last_asid)
{
	unsigned char *seen_here;
	const struct vm *vm = vm_find(msg, &seen_here, seen);
	uint32_t asid;

	if (!vm)
		return "a guest that nobody made";
	if ((*seen_here)++)
		return "a guest twice";
	if (nl_u32(msg, KVMWARD_A_GUEST_TYPE) !=
	    (vm->sev ? KVMWARD_GUEST_TYPE_SEV : KVMWARD_GUEST_TYPE_PLAIN))
		return "a guest of another type";
	if (nl_has(msg, KVMWARD_A_GUEST_ASID) != vm->sev)
		return "a slot where there is none, or none where there is one";
	if (!vm->sev)
		return NULL;
	asid = nl_u32(msg, KVMWARD_A_GUEST_ASID);
	if (asid > last_asid)
		return "a slot above the pool";
	return asids[asid]++ ? "a slot twice" : NULL;
}

static uint64_t vms_count(bool sev_only)
{
	uint64_t i, n, count = 0;

	for (i = 0; i < holders; i++)
		for (n = 0; n < share; n++)
			count += table[i].vms[n].fd && (table[i].vms[n].sev || !sev_only);
	return count;
}

/* Dumps by nl_dump(), of the time it took. */
static bool dump_check(double *ret_seconds, uint32_t last_asid)
{
	unsigned char *seen = calloc(vms + 1, 1), *asids = calloc(last_asid + 1, 1);
	struct nl_answer answer;
	const char *error = NULL;
	double begin = now();
	unsigned int i;
	int ret = nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer);

	*ret_seconds = now() - begin;
	if (ret)
		error = strerror(-ret);
	else if (answer.count != vms_count(false))
		error = "not as many guests as there are";
	for (i = 0; !error && i < answer.count; i++)
		error = record_check(&answer.msgs[i], seen, asids, last_asid);
	if (error)
		printf("# a dump of %u guests: %s\n", answer.count, error);
	nl_answer_done(&answer);
	free(seen);
	free(asids);
	return !error;
}

/* The pool's own figures must say the same; returns its last ASID. */
static bool slots_check(uint32_t *ret_last_asid)
{
	struct nl_answer answer;
	const struct nl_msg *pool;
	uint64_t held = vms_count(true);
	bool ok = false;

	*ret_last_asid = 0;
	if (!nl_dump(&nl, KVMWARD_CMD_SLOT_GET, NULL, 0, &answer) && answer.count == 2) {
		pool = &answer.msgs[0];
		ok = nl_u32(pool, KVMWARD_A_SLOT_IN_USE) == held;
		if (nl_has(pool, KVMWARD_A_SLOT_CHARGED))
			ok = ok && nl_u32(pool, KVMWARD_A_SLOT_CHARGED) == held;
		if (nl_has(pool, KVMWARD_A_SLOT_LAST_ASID))
			*ret_last_asid = nl_u32(pool, KVMWARD_A_SLOT_LAST_ASID);
		if (!ok)
			printf("# SLOT_GET: %u in use, not %llu\n",
			       nl_u32(pool, KVMWARD_A_SLOT_IN_USE), (unsigned long long)held);
	}
	nl_answer_done(&answer);
	return ok;
}

static bool all_check(uint64_t times)
{
	double seconds = 0, longest = 0, sum = 0;
	uint32_t last_asid;
	bool ok = slots_check(&last_asid);
	uint64_t i;

	for (i = 0; ok && i < times; i++) {
		ok = dump_check(&seconds, last_asid);
		sum += seconds;
		longest = seconds > longest ? seconds : longest;
	}
	printf("# %llu guests, %llu with a slot, %llu dumps: %s, %.1f ms each, %.1f ms the longest\n",
	       (unsigned long long)vms_count(false), (unsigned long long)vms_count(true),
	       (unsigned long long)i, ok ? "right" : "WRONG", i ? sum / i * 1e3 : 0, longest * 1e3);
	return ok;
}

/* Those of the others are in the way of a count, and this is the lab. */
static bool host_is_empty(void)
{
	struct nl_answer answer;
	bool empty = !nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer) && !answer.count;

	nl_answer_done(&answer);
	return empty;
}

static bool run(void)
{
	long before = memory_available_mib();
	double begin = now();
	bool ok = holders_start();

	printf("# made in %.0f s; they take %ld MiB of %ld\n", now() - begin,
	       before - memory_available_mib(), before);
	ok = ok && all_check(dumps);
	holders_end(0);
	ok = ok && all_check(1);
	holders_end(1);
	ok = ok && all_check(1);
	printf("# over after %.0f s; %ld MiB are missing\n", now() - begin,
	       before - memory_available_mib());
	return ok && host_is_empty();
}

int main(int argc, char **argv)
{
	int ret;

	options_read(options, "many [OPTION...]: hold very many guests and look at them", argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!holders || !vms || vms % holders) {
		fputs("many: the holders must be able to share the guests evenly\n", stderr);
		return 2;
	}
	share = vms / holders;
	files_allow();
	ret = nl_open(&nl);
	if (ret) {
		printf("# netlink: %s\n", strerror(-ret));
		return 1;
	}
	if (!host_is_empty()) {
		puts("# there are guests already");
		return 1;
	}
	return !run();
}
