// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of the group slots name the process that made the guest, whoever gives it up. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/io_uring.h>

#include "events.h"
#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define GROUP "/sys/fs/cgroup/kvmward_test"

static void *vm_close(void *vm)
{
	close(*(int *)vm);
	return NULL;
}

static void thread_test(void)
{
	int vm = vms_create(VMS_SEV);
	bool ok = event_taken(getpid());
	pthread_t thread;

	pthread_create(&thread, NULL, vm_close, &vm);
	pthread_join(thread, NULL);
	ksft_test_result(event_given_back(getpid()) && ok, "pid: another thread gives it up\n");
}

static void exit_test(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(vms_create(VMS_SEV) < 0);
	test_wait(pid);
	ksft_test_result(event_taken(pid) && event_given_back(pid), "pid: a process exits\n");
}

static void handed_test(void)
{
	struct maker maker = maker_start(NULL);
	bool ok = event_taken(maker.pid);

	maker_close(&maker);
	ok = events_silent() && ok;
	close(maker.vm);
	ksft_test_result(event_given_back(maker.pid) && ok, "pid: another process gives it up\n");
	maker_end(&maker);
}

static void gone_test(void)
{
	struct maker maker = maker_start(NULL);
	struct event first, last;
	bool ok = !event_next(&ear, &first, PATIENCE_MS) && first.change == 1;

	maker_end(&maker);
	close(maker.vm);
	ok = !event_next(&ear, &last, PATIENCE_MS) && last.change == -1 && ok;
	if (maker_known)
		ok = ok && last.pid == (uint32_t)maker.pid && last.pid == first.pid &&
		     last.start_time_ns == first.start_time_ns;
	ksft_test_result(ok && events_silent(), "pid: its maker is gone: same pid and start time\n");
}

/* The end of a mirror is the end of the guest whose slot it shares. */
static void mirror_test(void)
{
	struct maker maker = maker_start(NULL);
	int mirror = vms_create(VMS_PLAIN), ret = vms_mirror(mirror, maker.vm);
	bool ok = event_taken(maker.pid);

	close(maker.vm);
	maker_end(&maker);
	ok = events_silent() && ok && !ret;
	close(mirror);
	ksft_test_result(event_given_back(maker.pid) && ok, "pid: a mirror was the last to hold it\n");
}

/* A ring that has a file registered gives it up in a kernel thread. -1: no rings. */
static int ring_of(int vm)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &params);

	if (ring >= 0 && syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &vm, 1)) {
		close(ring);
		ring = -1;
	}
	return ring;
}

/* In a child that is gone by then, or here. */
static pid_t ring_give_up(bool in_child)
{
	pid_t pid = in_child ? fork() : 0;
	int vm, ring;

	if (pid) {
		test_wait(pid);
		return pid;
	}
	vm = vms_create(VMS_SEV);
	ring = ring_of(vm);
	close(vm);
	if (in_child)
		_exit(0);
	close(ring);
	return getpid();
}

static void kernel_thread_test(bool in_child, const char *name)
{
	int ring = ring_of(0);
	bool traced, ok;
	pid_t pid;

	close(ring);
	traced = trace_begin("sev_vm_destroy");
	if (ring < 0 || !traced) {
		trace_end("");
		ksft_test_result_skip("pid: %s: %s\n", name, traced ? "no io_uring" : "no tracing");
		return;
	}
	pid = ring_give_up(in_child);
	ok = event_taken(pid);
	ok = event_given_back(pid) && ok;
	ksft_test_result(trace_end("kworker/") == 1 && ok, "pid: %s\n", name);
}

/* The count is the same before and after: there is nothing to tell. */
static void move_test(void)
{
	struct maker maker = maker_start(NULL);
	bool ok = event_taken(maker.pid);
	int target = vms_create(VMS_PLAIN), ret = vms_move(target, maker.vm);

	close(maker.vm);
	maker_end(&maker);
	ok = events_silent() && ok && !ret;
	close(target);
	ksft_test_result(event_given_back(getpid()) && ok,
			 "a move is no event, and the slot is its new owner's\n");
}

static void group_remove(void)
{
	rmdir(GROUP);
}

/* To another cgroup: charged there first. Nobody says whose was the first charge. */
static void move_cgroup_test(void)
{
	bool made = test_controller_enable("misc") && (!mkdir(GROUP, 0755) || errno == EEXIST);
	struct maker maker;
	int target, ret;
	bool ok;

	if (!made) {
		ksft_test_result_skip("a move to another cgroup: no misc controller\n");
		return;
	}
	test_at_end(group_remove);
	maker = maker_start(GROUP "/cgroup.procs");
	ok = event_taken(maker.pid);
	target = vms_create(VMS_PLAIN);
	ret = vms_move(target, maker.vm);
	ok = event_expect(0, 1, base[0] + 2, getpid()) && event_expect(0, -1, base[0] + 1, 0) && ok;
	close(maker.vm);
	maker_end(&maker);
	ok = events_silent() && ok && !ret;
	close(target);
	ksft_test_result(event_given_back(getpid()) && ok, "a move to another cgroup: taken and given back\n");
}

/* Slots may have been taken behind the module's back: it names nobody by hearsay. */
static void unseen_test(void)
{
	struct maker maker = maker_start(NULL);
	bool ok = event_taken(maker.pid);
	int sent = events_switch_off();

	maker_close(&maker);
	close(maker.vm);
	ok = event_expect(0, -1, base[0], 0) && ok;
	maker_end(&maker);
	if (sent < 0)
		ksft_test_result_skip("pid: probes were off: " PROBES " cannot be switched off\n");
	else
		ksft_test_result(ok, "pid: probes were off meanwhile: not known\n");
}

static void guests_test(void)
{
	thread_test();
	exit_test();
	handed_test();
	gone_test();
	mirror_test();
	kernel_thread_test(false, "a kernel thread gives it up");
	kernel_thread_test(true, "a kernel thread does so after its maker's end");
	move_test();
	move_cgroup_test();
	unseen_test();
}

#define GUEST_TESTS 10

int main(void)
{
	test_open(&nl);
	ksft_set_plan(GUEST_TESTS);
	events_finish(events_open(), GUEST_TESTS, guests_test);
}
