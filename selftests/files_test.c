// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Very many open files: they must not cost memory without bound.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define GROUP "/sys/fs/cgroup/kvmward_files_test"
#define VMS 400			/* more than there is room for at first */
#define COPIES 300000		/* of the last of them */

static struct nl nl;

static bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

static void files_allow(unsigned int count)
{
	struct rlimit limit = { count, count };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
}

/* What a child does until it is killed; it has said that it is ready. */
static void stay(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* A child for that, once it and `others` more have said so; -1: they did not. */
static pid_t start(void (*run)(int ready), unsigned int others)
{
	unsigned int said = 0;
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		run(ready[1]);
	}
	close(ready[1]);
	while (said <= others && read(ready[0], &byte, 1) == 1)
		said++;
	close(ready[0]);
	return said > others ? pid : -1;
}

static void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	test_wait(pid);
}

static void surplus_run(int ready)
{
	int vm = -1, i;

	files_allow(COPIES + 2 * VMS);
	for (i = 0; i < VMS; i++)
		vm = vms_create(VMS_PLAIN);
	for (i = 0; i < COPIES; i++)
		if (fcntl(vm, F_DUPFD, vm) < 0)
			_exit(1);
	stay(ready);
}

static unsigned int guests_of(pid_t pid)
{
	struct nl_answer answer;
	unsigned int count;

	test_guests(&nl, &answer);
	count = test_guest_count(&answer, pid);
	nl_answer_done(&answer);
	return count;
}

/* In a cgroup with the memory for what is there, and not for a guest to each file. */
static bool asks_with_little(pid_t holder)
{
	pid_t pid = fork();

	if (!pid) {
		if (!file_write(GROUP "/cgroup.procs", "0") || nl_open(&nl))
			_exit(1);
		_exit(guests_of(holder) != VMS);
	}
	return test_wait(pid) == 0;
}

static void surplus_test(void)
{
	pid_t holder = start(surplus_run, 0);
	bool ok;

	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	if (!file_write(GROUP "/memory.max", "48M")) {
		ksft_test_result_skip("room: no limit of memory to be had\n");
	} else {
		/* What the pass before needed is what it begins with. */
		ok = holder > 0 && asks_with_little(holder);
		ksft_test_result(ok, "room is made for guests, and not for each of their files\n");
	}
	rmdir(GROUP);
	ksft_test_result(holder > 0 && guests_of(holder) == VMS,
			 "%u files of %u guests: each guest once\n", COPIES + VMS, VMS);
	stop(holder);
}

int main(void)
{
	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests to be found\n");
	ksft_set_plan(2);
	surplus_test();
	ksft_finished();
}
