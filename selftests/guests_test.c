// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GUEST_GET: each VM once and put down to the right process, however its file
 * has been passed about.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "kvm_uapi.h"
#include "testing.h"
#include "vms.h"

#define MIRROR KVMWARD_GUEST_FLAGS_MIRROR
#define ORPHAN KVMWARD_GUEST_FLAGS_ORPHAN

static struct nl nl;

/* Is there just one such guest, of that type and with those flags? */
static bool shown(pid_t pid, int fd, uint32_t type, uint32_t flags)
{
	struct nl_answer answer;
	const struct nl_msg *guest;
	bool known = test_module_there("kvm_amd"), ok;	/* what its encryption is */

	test_guests(&nl, &answer);
	guest = test_guest_find(&answer, pid, fd);
	ok = guest && (!known || nl_u32(guest, KVMWARD_A_GUEST_TYPE) == type) &&
	     nl_u32(guest, KVMWARD_A_GUEST_FLAGS) == flags;
	if (!ok)
		ksft_print_msg("%u guests, %u of pid %d; fd %d %s, type %d, flags %d\n", answer.count,
			       test_guest_count(&answer, pid), pid, fd, guest ? "there" : "not there",
			       guest ? (int)nl_u32(guest, KVMWARD_A_GUEST_TYPE) : -1,
			       guest ? (int)nl_u32(guest, KVMWARD_A_GUEST_FLAGS) : -1);
	nl_answer_done(&answer);
	return ok;
}

static unsigned int count_of(pid_t pid)
{
	return test_guests_of(&nl, pid);
}

static void mirror_test(void)
{
	int owner, mirror;

	if (!vms_offered(VMS_SEV)) {
		ksft_test_result_skip("mirror: no SEV\n");
		return;
	}
	owner = vms_create(VMS_SEV);
	mirror = vms_create(VMS_PLAIN);
	ksft_test_result(!vms_mirror(mirror, owner) &&
			 shown(getpid(), owner, KVMWARD_GUEST_TYPE_SEV, 0) &&
			 shown(getpid(), mirror, KVMWARD_GUEST_TYPE_SEV, MIRROR),
			 "a mirror is flagged, its owner is not\n");
	close(mirror);
	close(owner);
}

static void duplicates_test(void)
{
	unsigned int before = count_of(getpid());
	int vm = vms_create(VMS_PLAIN), other = vms_create(VMS_PLAIN);
	int copy = fcntl(vm, F_DUPFD, 800), high = fcntl(vm, F_DUPFD, 900);

	ksft_test_result(count_of(getpid()) == before + 2 && shown(getpid(), vm, 0, 0) &&
			 shown(getpid(), other, 0, 0), "several files of one VM: one guest\n");
	close(vm);
	close(copy);
	ksft_test_result(shown(getpid(), high, 0, 0) && count_of(getpid()) == before + 2,
			 "the last file left is the one that is named\n");
	close(high);
	close(other);
}

static void fork_test(void)
{
	unsigned int before = count_of(getpid());
	int vm = vms_create(VMS_PLAIN);
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	ksft_test_result(shown(getpid(), vm, 0, 0) && count_of(getpid()) == before + 1 &&
			 !count_of(pid), "a fork does not double a guest\n");
	close(vm);
	ksft_test_result(shown(pid, vm, 0, ORPHAN), "closed by its maker, held by the child: orphan\n");
	kill(pid, SIGKILL);
	test_wait(pid);
	ksft_test_result(count_of(getpid()) == before, "and gone with the child\n");
}

/* Its maker is gone, we hold it: it still has its slot. */
static void orphan_test(enum vms_type type, uint32_t expected, const char *name)
{
	int sockets[2], vm;
	pid_t pid;

	if (!vms_offered(type)) {
		ksft_test_result_skip("orphan, %s: not offered here\n", name);
		return;
	}
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets);
	pid = fork();
	if (!pid) {
		_exit(!test_file_send(sockets[1], vms_create(type)));
	}
	vm = test_file_receive(sockets[0]);
	test_wait(pid);
	ksft_test_result(shown(getpid(), vm, expected, ORPHAN), "orphan, %s: shown with its holder\n",
			 name);
	close(vm);
	close(sockets[0]);
	close(sockets[1]);
}

static int thread_report[2], thread_go[2];

static void *thread_with_own_files(void *unused)
{
	int vm = -1;
	char byte;

	if (!unshare(CLONE_FILES))
		vm = vms_create(VMS_PLAIN);
	if (write(thread_report[1], &vm, sizeof(vm)) < 0 || read(thread_go[0], &byte, 1) < 0)
		vm = -1;
	close(vm);
	return NULL;
}

static void thread_test(void)
{
	unsigned int before = count_of(getpid());
	pthread_t thread;
	int vm = -1;

	if (pipe(thread_report) || pipe(thread_go) ||
	    pthread_create(&thread, NULL, thread_with_own_files, NULL) ||
	    read(thread_report[0], &vm, sizeof(vm)) != sizeof(vm))
		ksft_exit_fail_msg("thread: %s\n", strerror(errno));
	ksft_test_result(vm >= 0 && count_of(getpid()) == before + 1 && shown(getpid(), vm, 0, 0),
			 "a thread with files of its own is seen\n");
	if (write(thread_go[1], "", 1) != 1)
		ksft_exit_fail_msg("thread: %s\n", strerror(errno));
	pthread_join(thread, NULL);
}

static int keep_vcpu(int vm, int vcpu)
{
	return dup(vcpu);
}

static int keep_vm_stats(int vm, int vcpu)
{
	return ioctl(vm, KVM_GET_STATS_FD, NULL);
}

static int keep_vcpu_stats(int vm, int vcpu)
{
	return ioctl(vcpu, KVM_GET_STATS_FD, NULL);
}

static int keep_device(int vm, int vcpu)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };

	return ioctl(vm, KVM_CREATE_DEVICE, &device) ? -1 : (int)device.fd;
}

/* Its own file is closed, and something else that was got of it is not. */
static void keeper_test(const char *what, int (*keep)(int vm, int vcpu))
{
	struct nl_answer answer;
	int vm = vms_create(VMS_PLAIN), vcpu = vms_add_vcpu(vm, 0);
	int keeper = keep(vm, vcpu);
	const struct nl_msg *guest;

	close(vcpu);
	close(vm);
	if (keeper < 0) {
		ksft_test_result_skip("held by %s alone: KVM gives none (%s)\n", what, strerror(errno));
		return;
	}
	test_guests(&nl, &answer);
	guest = test_guest_find(&answer, getpid(), TEST_NO_VM_FD);
	ksft_test_result(guest && nl_u32(guest, KVMWARD_A_GUEST_VCPUS) == 1 &&
			 !nl_u32(guest, KVMWARD_A_GUEST_FLAGS),
			 "a VM held by %s alone is seen\n", what);
	nl_answer_done(&answer);
	close(keeper);
}

static int path_open(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_PATH | O_CLOEXEC);
}

/* They have the names of KVM's files and nothing behind them. */
static void path_only_test(void)
{
	int vm = vms_create(VMS_PLAIN);
	int vcpu = vms_add_vcpu(vm, 0);
	int paths[] = { path_open(vm), path_open(vcpu) };

	close(vcpu);
	close(vm);
	ksft_test_result(paths[0] >= 0 && paths[1] >= 0 && !count_of(getpid()),
			 "files opened by O_PATH hold no guest\n");
	close(paths[0]);
	close(paths[1]);
}

static void get_test(void)
{
	int vm = vms_create(VMS_PLAIN), other = vms_create(VMS_PLAIN);
	uint32_t pid = getpid();
	struct nl_answer answer;
	char attr[16];
	int ret = nl_do(&nl, KVMWARD_CMD_GUEST_GET, attr,
			nl_put(attr, KVMWARD_A_GUEST_PID, &pid, sizeof(pid)), &answer);

	ksft_test_result(!ret && answer.count == 1 &&
			 nl_u32(&answer.msgs[0], KVMWARD_A_GUEST_PID) == pid &&
			 nl_u32(&answer.msgs[0], KVMWARD_A_GUEST_VM_FD) == (uint32_t)vm,
			 "do: the first guest of a process\n");
	nl_answer_done(&answer);
	close(vm);
	close(other);
}

/* More than any first guess at the room that is needed, and than one message. */
static void many_test(void)
{
	unsigned int before = count_of(getpid()), i;
	static int vms[300];
	bool ok = true;

	for (i = 0; i < ARRAY_SIZE(vms); i++)
		vms[i] = vms_create(VMS_PLAIN);
	ok = count_of(getpid()) == before + ARRAY_SIZE(vms) &&
	     shown(getpid(), vms[ARRAY_SIZE(vms) - 1], 0, 0);
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		close(vms[i]);
	ksft_test_result(ok && count_of(getpid()) == before, "300 guests, and none left over\n");
}

int main(void)
{
	test_open(&nl);
	if (!vms_there()) {
		struct nl_answer answer;

		ksft_set_plan(1);
		test_guests(&nl, &answer);
		ksft_test_result(!answer.count, "no KVM, no guests\n");
		ksft_finished();
	}
	ksft_set_plan(17);
	mirror_test();
	duplicates_test();
	fork_test();
	orphan_test(VMS_PLAIN, KVMWARD_GUEST_TYPE_PLAIN, "plain");
	orphan_test(VMS_SEV, KVMWARD_GUEST_TYPE_SEV, "SEV");
	orphan_test(VMS_SEV_ES, KVMWARD_GUEST_TYPE_SEV_ES, "SEV-ES");
	thread_test();
	keeper_test("its vCPU", keep_vcpu);
	keeper_test("its statistics", keep_vm_stats);
	keeper_test("its vCPU's statistics", keep_vcpu_stats);
	keeper_test("a device", keep_device);
	path_only_test();
	get_test();
	many_test();
	ksft_finished();
}
