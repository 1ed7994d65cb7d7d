// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/falloc.h>

#include "churn.h"
#include "gmem.h"
#include "testing.h"

#define PAGE 4096
#define NUMBERS (1U << 16)
#define FAILED 70		/* exit status of a process whose calls failed */

static struct churn *churn;
static unsigned int seed;

uint64_t churn_tag(enum churn_kind kind, unsigned int number)
{
	return (uint64_t)PAGE * (kind * NUMBERS + number % NUMBERS);
}

enum churn_kind churn_kind_of(uint64_t bytes)
{
	uint64_t kind = bytes / PAGE / NUMBERS;

	return kind < CHURN_KINDS ? kind : CHURN_KINDS;
}

unsigned int churn_number_of(uint64_t bytes)
{
	return bytes / PAGE % NUMBERS;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("# churn: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(FAILED);
}

/* True once in that many times. */
static bool one_in(unsigned int times)
{
	return rand_r(&seed) % times == 0;
}

static void dawdle(void)
{
	usleep(rand_r(&seed) % 3000);
}

/* A VM of that kind, with no slot yet, counted and tagged. */
static int make(enum churn_kind kind)
{
	struct churn_count *count = &churn->counts[kind];
	unsigned int number = atomic_fetch_add(&count->started, 1) + 1;
	int vm = vms_begin(VMS_PLAIN);

	must(vm >= 0 && !vms_set_memory(vm, 0, churn_tag(kind, number)), "making a VM");
	atomic_fetch_add(&count->made, 1);
	return vm;
}

/* The same, with all of its memory in a file, of which it takes a little. */
static int make_private(enum churn_kind kind, int *ret_file)
{
	struct churn_count *count = &churn->counts[kind];
	uint64_t bytes = churn_tag(kind, atomic_fetch_add(&count->started, 1) + 1);
	int vm = vms_begin(VMS_SNP), file = vm < 0 ? vm : gmem_create(vm, bytes);

	must(file >= 0 && !gmem_slot(vm, 0, 0, bytes, file, 0, 1UL << 40), "making an SNP VM");
	atomic_fetch_add(&count->made, 1);
	must(!fallocate(file, FALLOC_FL_KEEP_SIZE, 0, CHURN_PRIVATE_BYTES), "fallocate");
	*ret_file = file;
	return vm;
}

/* It lives as long as either of its files is open. */
static void give_up_both(enum churn_kind kind, int vm, int file)
{
	struct churn_count *count = &churn->counts[kind];

	atomic_fetch_add(&count->closing, 1);
	close(vm);
	close(file);
	atomic_fetch_add(&count->closed, 1);
}

static void give_up(enum churn_kind kind, int vm)
{
	give_up_both(kind, vm, -1);
}

/* It stays plain where all slots are taken by others. */
static bool encrypt(int vm, enum vms_type type)
{
	int ret = vms_encrypt(vm, type);

	errno = -ret;
	must(!ret || ret == -EBUSY, "KVM_SEV_INIT");
	if (ret)
		atomic_fetch_add(&churn->refused[type], 1);
	return !ret;
}

/* A few; or, the first time and now and then, more than a small pool has slots. */
static unsigned int some(enum vms_type type)
{
	static unsigned int times;

	return type != VMS_PLAIN && times++ % 8 == 0 ? CHURN_FILL + 1 : 1 + rand_r(&seed) % 3;
}

static void make_some(enum churn_kind kind, enum vms_type type)
{
	int vms[CHURN_FILL + 1], files[CHURN_FILL + 1], count = some(type), i;
	bool last_first = one_in(2);

	for (i = 0; i < count; i++) {
		files[i] = -1;
		vms[i] = type == VMS_SNP ? make_private(kind, &files[i]) : make(kind);
		if (type != VMS_PLAIN && encrypt(vms[i], type) && type != VMS_SNP && one_in(2))
			must(!vms_pin(vms[i], 4 * PAGE), "pinning");
		if (one_in(3))
			close(vms_add_vcpu(vms[i], 0));
	}
	dawdle();
	for (i = 0; i < count; i++) {
		int next = last_first ? count - 1 - i : i;

		/* What it had taken is then gone while it is there. */
		if (files[next] >= 0 && one_in(2)) {
			close(files[next]);
			files[next] = -1;
		}
		give_up_both(kind, vms[next], files[next]);
	}
}

static void plain_step(void)
{
	make_some(CHURN_PLAIN, VMS_PLAIN);
}

static void sev_step(void)
{
	make_some(CHURN_SEV, VMS_SEV);
}

static void sev_es_step(void)
{
	make_some(CHURN_SEV_ES, VMS_SEV_ES);
}

static void snp_step(void)
{
	make_some(CHURN_SNP, VMS_SNP);
}

/* Either may go first; the slot goes with the last. */
static void mirror_step(void)
{
	int owner = make(CHURN_OWNER), mirror = make(CHURN_MIRROR);
	bool mirrored = encrypt(owner, VMS_SEV);
	bool owner_first = one_in(2);

	if (mirrored)
		must(!vms_mirror(mirror, owner), "KVM_CAP_VM_COPY_ENC_CONTEXT_FROM");
	dawdle();
	if (owner_first)
		give_up(CHURN_OWNER, owner);
	dawdle();
	give_up(CHURN_MIRROR, mirror);
	if (!owner_first)
		give_up(CHURN_OWNER, owner);
}

static void move_step(void)
{
	int source = make(CHURN_MOVED), hops = 1 + rand_r(&seed) % 3;
	bool encrypted = encrypt(source, VMS_SEV);

	while (encrypted && hops--) {
		int target = make(CHURN_MOVED);

		must(!vms_move(target, source), "KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM");
		if (one_in(2))
			dawdle();
		give_up(CHURN_MOVED, source);
		source = target;
	}
	give_up(CHURN_MOVED, source);
}

/* Its maker has it all the while, whatever the children do. */
static void fork_step(void)
{
	int vm = make(CHURN_FORKED);
	bool execs = one_in(2);
	int kept = execs ? fcntl(vm, F_DUPFD, 500) : -1;	/* stays open in an exec */
	pid_t pid = fork();

	if (!pid) {
		if (execs)
			execl("/bin/sh", "sh", "-c", ":", NULL);
		close(dup(vm));
		_exit(0);
	}
	must(pid > 0 && test_wait(pid) == 0, "fork");
	close(kept);
	give_up(CHURN_FORKED, vm);
}

/* The other side of pass_step(): takes a file, keeps it for a while, gives it back. */
static void pass_back(int socket)
{
	char byte;
	int vm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		vm = test_file_receive(socket);
		if (vm < 0)
			_exit(0);
		must(write(socket, "", 1) == 1, "write");
		dawdle();
		must(test_file_send(socket, vm) && read(socket, &byte, 1) == 1, "passing back");
		close(vm);
		must(write(socket, "", 1) == 1, "write");
	}
}

static int pass_socket = -1;

static void pass_begin(void)
{
	int sockets[2];
	pid_t pid;

	must(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), "socketpair");
	pid = fork();
	if (!pid) {
		close(sockets[0]);
		pass_back(sockets[1]);
	}
	must(pid > 0, "fork");
	churn->counts[CHURN_PASSED].other_pid = pid;
	close(sockets[1]);
	pass_socket = sockets[0];
}

/* One of the two has it open at any time. */
static void pass_step(void)
{
	int vm, rounds = 3;
	char byte;

	if (pass_socket < 0)
		pass_begin();
	vm = make(CHURN_PASSED);
	while (rounds--) {
		must(test_file_send(pass_socket, vm) && read(pass_socket, &byte, 1) == 1, "passing");
		close(vm);
		vm = test_file_receive(pass_socket);
		must(vm >= 0 && write(pass_socket, "", 1) == 1 &&
		     read(pass_socket, &byte, 1) == 1, "taking back");
	}
	give_up(CHURN_PASSED, vm);
}

static void *thread_run(void *unused)
{
	int vm;

	must(!unshare(CLONE_FILES), "unshare");
	vm = make(CHURN_THREAD);
	usleep(1000);
	give_up(CHURN_THREAD, vm);
	return NULL;
}

static void thread_step(void)
{
	pthread_t threads[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		must(!pthread_create(&threads[i], NULL, thread_run, NULL), "pthread_create");
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void leave_step(void)
{
	struct churn_count *count = &churn->counts[CHURN_LEFT];
	unsigned int i, vms = 1 + rand_r(&seed) % 4;
	bool killed = one_in(2);
	pid_t pid = fork();

	if (!pid) {
		for (i = 0; i < vms; i++)
			make(CHURN_LEFT);
		atomic_fetch_add(&count->closing, vms);
		if (killed)
			kill(getpid(), SIGKILL);
		_exit(0);
	}
	must(pid > 0 && test_wait(pid) == (killed ? -1 : 0), "fork");
	atomic_fetch_add(&count->closed, vms);
}

static const struct worker {
	enum churn_kind kind, second;	/* CHURN_NONE: only one */
	void (*step)(void);
	enum vms_type needs;
} workers[] = {
	{ CHURN_PLAIN, CHURN_NONE, plain_step, VMS_PLAIN },
	{ CHURN_SEV, CHURN_NONE, sev_step, VMS_SEV },
	{ CHURN_SEV_ES, CHURN_NONE, sev_es_step, VMS_SEV_ES },
	{ CHURN_SNP, CHURN_NONE, snp_step, VMS_SNP },
	{ CHURN_OWNER, CHURN_MIRROR, mirror_step, VMS_SEV },
	{ CHURN_MOVED, CHURN_NONE, move_step, VMS_SEV },
	{ CHURN_FORKED, CHURN_NONE, fork_step, VMS_PLAIN },
	{ CHURN_PASSED, CHURN_NONE, pass_step, VMS_PLAIN },
	{ CHURN_THREAD, CHURN_NONE, thread_step, VMS_PLAIN },
	{ CHURN_LEFT, CHURN_NONE, leave_step, VMS_PLAIN },
};

static void worker_run(const struct worker *worker)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	closefrom(3);
	churn->counts[worker->kind].pid = getpid();
	churn->counts[worker->second].pid = getpid();
	while (!atomic_load(&churn->stop))
		worker->step();
	_exit(0);
}

unsigned int churn_start(struct churn *shared, unsigned int first_seed, pid_t *ret_pids)
{
	bool offered[VMS_TYPES] = {
		true, vms_offered(VMS_SEV), vms_offered(VMS_SEV_ES), vms_offered(VMS_SNP),
	};
	unsigned int i, started = 0;

	churn = shared;
	fflush(stdout);
	for (i = 0; i < sizeof(workers) / sizeof(*workers); i++) {
		if (!offered[workers[i].needs])
			continue;
		seed = first_seed + i;
		ret_pids[started] = fork();
		if (!ret_pids[started])
			worker_run(&workers[i]);
		started++;
	}
	return started;
}
