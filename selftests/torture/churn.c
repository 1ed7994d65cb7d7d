// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A busy host: guests that come and go, and everybody asking about them. It goes
 * on until SIGTERM, also while the module is unloaded and loaded again; then it
 * says how much was done. Exit status 1: an answer was wrong or never came.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/falloc.h>
#include <linux/kvmward.h>

#include "gmem.h"
#include "nl.h"
#include "options.h"
#include "rng.h"
#include "vms.h"

#define STABLE 8		/* guests that must be in every dump */
#define ASKED_PER_SOCKET 20
#define MODULE_GONE_US 20000
#define BREAK_US 10000
#define LEAVE_US 200000		/* a dump that is left holds the module a while */
#define PIN_BYTES (1UL << 20)
#define PRIVATE_BYTES (1UL << 20)
#define GUESTS_PER_PROCESS 50

static uint64_t makers = 3, readers = 2, listeners = 1, leavers = 1, hold = 1;

static const struct option_number options[] = {
	{ "makers", &makers, "processes that make guests" },
	{ "readers", &readers, "processes that ask" },
	{ "listeners", &listeners, "processes in the group of slot events" },
	{ "hold", &hold, "0: hold none oneself, so that KVM can be unloaded" },
	{ "leavers", &leavers, "processes that begin dumps and leave" },
	{ NULL, NULL, NULL },
};

static struct counts {
	_Atomic uint64_t guests, private, moves, no_slot, hosts, slots, guest_dos, dumps, records, left;
	_Atomic uint64_t gone, joined, events, overruns, wrong;
} *counts;

static int stable[STABLE];
static pid_t stable_pid;
static bool snp_there;
static volatile sig_atomic_t over;

static void wrong(const char *what, int error)
{
	printf("# wrong: %s: %s\n", what, strerror(error));
	counts->wrong++;
}

/* Private memory of a guest, in a slot where no other is, some of it taken: the file. */
static int private_give(int vm)
{
	int memory = gmem_create(vm, PRIVATE_BYTES);
	int ret = memory < 0 ? memory : gmem_bind(vm, 2, 2UL << 32, PRIVATE_BYTES, memory, 0);

	if (!ret && fallocate(memory, FALLOC_FL_KEEP_SIZE, 0, PRIVATE_BYTES / 2))
		ret = -errno;
	if (ret)
		wrong("private memory", -ret);
	else
		counts->private++;
	return memory;
}

/* What is made of one guest before it goes; each step may find no slot left. */
static void guest_use(int vm, enum vms_type type, struct rng *rng)
{
	int other;

	vms_set_memory(vm, 1, 1 << 20);
	if (rng_once_in(rng, 2))
		close(vms_add_vcpu(vm, 0));
	if (type != VMS_SEV && type != VMS_SEV_ES)
		return;
	vms_pin(vm, PIN_BYTES);
	if (!rng_once_in(rng, 4))
		return;
	other = vms_create(VMS_PLAIN);
	if (other >= 0 && !(rng_once_in(rng, 2) ? vms_mirror(other, vm) : vms_move(other, vm)))
		counts->moves++;
	close(other);
}

/*
 * Some are left to a child that closes them a little later, in its exit; others to
 * their private memory, which holds them too.
 */
static void guest_make(struct rng *rng)
{
	static const enum vms_type types[] = { VMS_PLAIN, VMS_SEV, VMS_SEV_ES, VMS_SNP };
	enum vms_type type = types[rng_below(rng, snp_there ? 4 : 3)];
	int vm = vms_create(type), memory = -1;

	if (vm < 0) {
		counts->no_slot++;
		usleep(1000);
		return;
	}
	counts->guests++;
	guest_use(vm, type, rng);
	if (type == VMS_SNP)
		memory = private_give(vm);
	if (rng_once_in(rng, 4) && !fork())
		_exit(0);
	if (rng_once_in(rng, 2)) {
		close(memory);
		memory = -1;
	}
	close(vm);
	close(memory);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* What was pinned stays in the memory of the process that pinned it: new ones. */
static void maker_run(struct rng *rng)
{
	for (;;) {
		pid_t pid = fork();
		int n;

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (n = 0; n < GUESTS_PER_PROCESS; n++)
				guest_make(rng);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		rng_next(rng);
	}
}

static bool stable_seen(const struct nl_answer *guests)
{
	unsigned int i, found = 0, seen = 0;

	for (i = 0; i < guests->count; i++) {
		const struct nl_msg *msg = &guests->msgs[i];
		unsigned int n;

		if (nl_u32(msg, KVMWARD_A_GUEST_PID) != (uint32_t)stable_pid)
			continue;
		found++;
		for (n = 0; n < STABLE; n++)
			seen += nl_u32(msg, KVMWARD_A_GUEST_VM_FD) == (uint32_t)stable[n];
	}
	return !hold || (found == STABLE && seen == STABLE);
}

static int ask_host(struct nl *nl, struct nl_answer *answer)
{
	int ret = nl_do(nl, KVMWARD_CMD_HOST_GET, NULL, 0, answer);

	if (!ret && answer->count != 1)
		wrong("HOST_GET: not one answer", 0);
	counts->hosts++;
	return ret;
}

static int ask_slots(struct nl *nl, struct nl_answer *answer)
{
	int ret = nl_dump(nl, KVMWARD_CMD_SLOT_GET, NULL, 0, answer);

	if (!ret && answer->count != 2)
		wrong("SLOT_GET: not two pools", 0);
	counts->slots++;
	return ret;
}

static int ask_guest(struct nl *nl, struct nl_answer *answer)
{
	char attr[NLA_HDRLEN + sizeof(uint32_t)];
	uint32_t pid = stable_pid;
	size_t len = nl_put(attr, KVMWARD_A_GUEST_PID, &pid, sizeof(pid));
	int ret = nl_do(nl, KVMWARD_CMD_GUEST_GET, attr, len, answer);

	/* No guest of ours: it must say so. */
	if (!hold)
		ret = ret == -ESRCH ? 0 : ret ? ret : -EEXIST;
	else if (!ret && (answer->count != 1 || nl_u32(&answer->msgs[0], KVMWARD_A_GUEST_PID) != pid))
		wrong("GUEST_GET: not the one asked for", 0);
	counts->guest_dos++;
	return ret;
}

static int ask_guests(struct nl *nl, struct nl_answer *answer)
{
	int ret = nl_dump(nl, KVMWARD_CMD_GUEST_GET, NULL, 0, answer);

	if (!ret && !stable_seen(answer))
		wrong("a dump without all guests that were there all the time", 0);
	counts->dumps++;
	counts->records += answer->count;
	return ret;
}

/*
 * The module is gone, which a family of a stale number shows, or is about to go:
 * then a dump can no more be begun.
 */
static bool module_gone(int error)
{
	return error == -ENOENT || error == -EPROTONOSUPPORT;
}

/* False when it is no use asking on. */
static bool asked(struct nl *nl, struct rng *rng)
{
	static int (*const asks[])(struct nl *nl, struct nl_answer *answer) = {
		ask_host, ask_slots, ask_guest, ask_guests, ask_guests,
	};
	struct nl_answer answer;
	int ret = asks[rng_below(rng, 5)](nl, &answer);

	nl_answer_done(&answer);
	if (module_gone(ret)) {
		counts->gone++;
		return false;
	}
	/*
	 * Guests may come faster than the pass can make room for them: then the
	 * kernel says so. Without a word of its own it is our patience that ended.
	 */
	if (ret && (ret != -EAGAIN || !nl->error[0]))
		wrong("an answer", -ret);
	return !ret;
}

static void reader_run(struct rng *rng)
{
	for (;;) {
		struct nl nl;
		int n, ret = nl_open(&nl);

		if (ret) {
			if (!module_gone(ret))
				wrong("finding the family", -ret);
			usleep(MODULE_GONE_US);
			continue;
		}
		/* Not without a break: a dump holds the module in place. */
		for (n = 0; n < ASKED_PER_SOCKET && asked(&nl, rng); n++)
			usleep(rng_below(rng, BREAK_US));
		nl_close(&nl);
	}
}

/* Leaves while the dump is open, which is then the kernel's to clean up. */
static void leaver_run(struct rng *rng)
{
	char buf[512];

	for (;;) {
		struct nl nl;

		if (nl_open(&nl)) {
			usleep(MODULE_GONE_US);
			continue;
		}
		nl_send(&nl, buf, nl_request(&nl, buf, rng_once_in(rng, 2) ? KVMWARD_CMD_GUEST_GET :
					     KVMWARD_CMD_SLOT_GET, NLM_F_DUMP, NULL, 0));
		nl_close(&nl);
		counts->left++;
		usleep(LEAVE_US);
	}
}

/* The kernel drops members with the module: the group is joined again and again. */
static void events_count(struct nl *nl)
{
	char buf[8192];
	time_t end = time(NULL) + 2;

	while (time(NULL) < end) {
		ssize_t len = recv(nl->fd, buf, sizeof(buf), 0);

		if (len > 0)
			counts->events++;
		else if (errno == ENOBUFS)
			counts->overruns++;
	}
}

static void listener_run(struct rng *rng)
{
	const struct timeval patience = { .tv_usec = 200000 };
	const int little = 2048;

	for (;;) {
		struct nl nl;

		if (nl_open(&nl)) {
			usleep(MODULE_GONE_US);
			continue;
		}
		setsockopt(nl.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (rng_once_in(rng, 2))
			setsockopt(nl.fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
		if (nl.group && !nl_join(&nl)) {
			counts->joined++;
			events_count(&nl);
		} else {
			sleep(1);
		}
		nl_close(&nl);
	}
}

static void start(uint64_t count, void (*run)(struct rng *rng))
{
	static uint64_t number;

	while (count--) {
		struct rng rng = rng_of(1, ++number);
		int i;

		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		for (i = 0; i < STABLE; i++)
			close(stable[i]);
		run(&rng);
	}
}

static void counts_print(void)
{
#define N(field) ((unsigned long long)counts->field)
	printf("# guests made: %llu (with private memory: %llu), mirrored or moved: %llu, refused for want of a slot: %llu\n",
	       N(guests), N(private), N(moves), N(no_slot));
	printf("# asked: HOST_GET %llu, SLOT_GET %llu, GUEST_GET %llu, dumps of guests %llu (%llu records), dumps left open %llu\n",
	       N(hosts), N(slots), N(guest_dos), N(dumps), N(records), N(left));
	printf("# found the module gone: %llu; group joined: %llu, events: %llu, overruns told: %llu; wrong: %llu\n",
	       N(gone), N(joined), N(events), N(overruns), N(wrong));
#undef N
}

static void stop(int signal_number)
{
	over = signal_number;
}

/* They end by our signal, or for a reason that is an error. */
static void children_stop(void)
{
	int status;

	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(&status) > 0)
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
			wrong("a child has ended by itself", 0);
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = stop };
	int i;

	options_read(options, "churn [OPTION...]: keep the host and kvmward busy until SIGTERM",
		     argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (counts == MAP_FAILED || setpgid(0, 0))
		return 1;
	stable_pid = getpid();
	snp_there = makers && vms_offered(VMS_SNP);
	for (i = 0; i < STABLE; i++)
		stable[i] = hold ? vms_create(VMS_PLAIN) : -1;
	sigaction(SIGTERM, &action, NULL);
	start(makers, maker_run);
	start(readers, reader_run);
	start(listeners, listener_run);
	start(leavers, leaver_run);
	puts("ready");
	while (!over)
		pause();
	children_stop();
	counts_print();
	return !!counts->wrong;
}
