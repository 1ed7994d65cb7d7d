// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Very many open files: they must neither cost memory nor time without bound. Where
 * they are more than the module's parameter files_max, it says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define FILES_MAX "/sys/module/kvmward/parameters/files_max"
#define GROUP "/sys/fs/cgroup/kvmward_files_test"
#define VMS 400			/* more than there is room for at first */
#define COPIES 300000		/* of the last of them */
#define LIMIT 400000		/* for files_max: more than this host has open */
#define TABLE 50000		/* files of one table */
#define SHARERS 20

static struct nl nl;

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

/* In a cgroup with the memory for what is there, and not for a guest to each file. */
static bool asks_with_little(pid_t holder)
{
	pid_t pid = fork();

	if (!pid) {
		if (!test_file_write(GROUP "/cgroup.procs", "0") || nl_open(&nl))
			_exit(1);
		_exit(test_guests_of(&nl, holder) != VMS);
	}
	return test_wait(pid) == 0;
}

static void group_remove(void)
{
	rmdir(GROUP);
}

static void surplus_test(void)
{
	pid_t holder = start(surplus_run, 0);
	bool ok;

	test_controller_enable("memory");
	test_at_end(group_remove);
	mkdir(GROUP, 0755);
	if (!test_file_write(GROUP "/memory.max", "48M")) {
		ksft_test_result_skip("room: no limit of memory to be had\n");
	} else {
		/* What the pass before needed is what it begins with. */
		ok = holder > 0 && asks_with_little(holder);
		ksft_test_result(ok, "room is made for guests, and not for each of their files\n");
	}
	ksft_test_result(holder > 0 && test_guests_of(&nl, holder) == VMS,
			 "%u files of %u guests: each guest once\n", COPIES + VMS, VMS);
	stop(holder);
}

static void table_fill(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), i;

	files_allow(2 * TABLE);
	for (i = 0; i < TABLE; i++)
		if (fcntl(fd, F_DUPFD, fd) < 0)
			_exit(1);
}

/* Children that share the table or have copies of it; the last of them makes a guest. */
static void tables_run(int ready, unsigned long flags)
{
	unsigned int i;

	table_fill();
	for (i = 0; i < SHARERS; i++) {
		pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

		if (pid < 0)
			_exit(1);
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i == SHARERS - 1 && fcntl(vms_create(VMS_PLAIN), F_DUPFD, TABLE + 10000) < 0)
			_exit(1);
		stay(ready);
	}
	stay(ready);
}

static void shared_run(int ready)
{
	tables_run(ready, CLONE_FILES);
}

static void copied_run(int ready)
{
	tables_run(ready, 0);
}

/* One guest with two files, known by the second, whose maker it is, though met last. */
static bool maker_is_shown(void)
{
	struct nl_answer answer;
	unsigned int i, found = 0;

	test_guests(&nl, &answer);
	for (i = 0; i < answer.count; i++) {
		const struct nl_msg *guest = &answer.msgs[i];

		found += nl_has(guest, KVMWARD_A_GUEST_VM_FD) &&
			 nl_u32(guest, KVMWARD_A_GUEST_VM_FD) >= TABLE &&
			 !nl_u32(guest, KVMWARD_A_GUEST_FLAGS);
	}
	nl_answer_done(&answer);
	return found == 1;
}

static void shared_test(void)
{
	pid_t holder = start(shared_run, SHARERS);
	struct nl_answer answer;
	int ret = nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer);

	nl_answer_done(&answer);
	ksft_test_result(holder > 0 && !ret, "a table that %u processes share is walked once (%s)\n",
			 SHARERS + 1, strerror(-ret));
	ksft_test_result(!ret && maker_is_shown(), "and a guest in it is shown with its maker\n");
	stop(holder);
}

static bool refused(uint8_t cmd)
{
	struct nl_answer answer;
	int ret = nl_dump(&nl, cmd, NULL, 0, &answer);
	bool ok = ret == -ENFILE && !answer.count;

	if (!ok)
		ksft_print_msg("%s: '%s'\n", strerror(-ret), nl.error);
	nl_answer_done(&answer);
	return ok;
}

/* The process that has most, as the kernel's log names it; -1: it does not. */
static long named(void)
{
	static char log[1 << 20];
	int len = klogctl(3, log, sizeof(log) - 1);
	const char *line = log, *found = NULL;
	long pid = -1;

	log[len > 0 ? len : 0] = 0;
	while ((line = strstr(line, "kvmward: more than ")))
		found = line++;
	if (found)
		found = strstr(found, "; process ");
	if (found)
		sscanf(found, "; process %ld ", &pid);
	return pid;
}

/* Is that the holder or one of the children that it has? */
static bool is_of(pid_t holder, long pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	if (pid != holder) {
		FILE *file = fopen(path, "re");
		int parent = -1;

		if (file && fscanf(file, "%*d %*s %*c %d", &parent) != 1)
			parent = -1;
		if (file)
			fclose(file);
		pid = parent;
	}
	return pid == holder;
}

static void spent_test(void)
{
	pid_t holder = start(copied_run, SHARERS);
	bool both = refused(KVMWARD_CMD_GUEST_GET) && refused(KVMWARD_CMD_SLOT_GET);

	ksft_test_result(holder > 0 && both, "more files than files_max: refused\n");
	ksft_test_result(is_of(holder, named()), "and the log names a process that has many\n");
	stop(holder);
}

/* The children die of their parent's death, and a moment later. */
static bool recovers(void)
{
	struct nl_answer answer;
	int ret = -ENFILE, i;

	for (i = 0; ret && i < 600; i++) {
		usleep(100000);
		ret = nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer);
		nl_answer_done(&answer);
	}
	return !ret;
}

static char files_max[32];	/* as it was */

static void files_max_restore(void)
{
	test_file_write(FILES_MAX, files_max);
}

static void files_max_set(void)
{
	long before = test_file_number(FILES_MAX);
	char text[32];

	snprintf(files_max, sizeof(files_max), "%ld", before);
	snprintf(text, sizeof(text), "%d", LIMIT);
	if (before > 0)
		test_at_end(files_max_restore);
	if (before <= 0 || !test_file_write(FILES_MAX, text))
		ksft_exit_fail_msg("%s cannot be set\n", FILES_MAX);
}

int main(void)
{
	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests to be found\n");
	ksft_set_plan(7);
	surplus_test();
	files_max_set();
	shared_test();
	spent_test();
	ksft_test_result(recovers(), "and answered once they are closed\n");
	ksft_finished();
}
