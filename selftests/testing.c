// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "testing.h"

#define NOBODY 65534

void test_open(struct nl *nl)
{
	int ret = nl_open(nl);

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("root is needed\n");
	if (ret == -ENOENT)
		ksft_exit_skip("the module kvmward is not loaded and cannot be\n");
	if (ret)
		ksft_exit_fail_msg("netlink: %s\n", strerror(-ret));
}

static void must(struct nl *nl, const char *what, int ret)
{
	if (ret)
		ksft_exit_fail_msg("%s: %s: %s\n", what, strerror(-ret), nl->error);
}

void test_host(struct nl *nl, struct nl_answer *answer)
{
	must(nl, "HOST_GET", nl_do(nl, KVMWARD_CMD_HOST_GET, NULL, 0, answer));
	if (answer->count != 1)
		ksft_exit_fail_msg("HOST_GET gave %u answers\n", answer->count);
}

void test_slots(struct nl *nl, struct nl_answer *answer)
{
	unsigned int i;

	must(nl, "SLOT_GET", nl_dump(nl, KVMWARD_CMD_SLOT_GET, NULL, 0, answer));
	if (answer->count < KVMWARD_SLOT_POOL_SNP || answer->count > KVMWARD_SLOT_POOL_SNP + 1)
		ksft_exit_fail_msg("SLOT_GET gave %u pools\n", answer->count);
	for (i = 0; i < answer->count; i++)
		if (nl_u32(&answer->msgs[i], KVMWARD_A_SLOT_POOL) != i)
			ksft_exit_fail_msg("SLOT_GET: pool %u is not at its place\n", i);
}

void test_guests(struct nl *nl, struct nl_answer *answer)
{
	must(nl, "GUEST_GET", nl_dump(nl, KVMWARD_CMD_GUEST_GET, NULL, 0, answer));
}

static int vm_fd(const struct nl_msg *guest)
{
	return nl_has(guest, KVMWARD_A_GUEST_VM_FD) ? (int)nl_u32(guest, KVMWARD_A_GUEST_VM_FD) :
						      TEST_NO_VM_FD;
}

const struct nl_msg *test_guest_find(const struct nl_answer *guests, pid_t pid, int fd)
{
	const struct nl_msg *found = NULL;
	unsigned int i;

	for (i = 0; i < guests->count; i++) {
		const struct nl_msg *msg = &guests->msgs[i];

		if (nl_u32(msg, KVMWARD_A_GUEST_PID) != (uint32_t)pid || vm_fd(msg) != fd)
			continue;
		if (found)
			return NULL;
		found = msg;
	}
	return found;
}

unsigned int test_guest_count(const struct nl_answer *guests, pid_t pid)
{
	unsigned int i, count = 0;

	for (i = 0; i < guests->count; i++)
		count += nl_u32(&guests->msgs[i], KVMWARD_A_GUEST_PID) == (uint32_t)pid;
	return count;
}

unsigned int test_guests_of(struct nl *nl, pid_t pid)
{
	struct nl_answer answer;
	unsigned int count;

	test_guests(nl, &answer);
	count = test_guest_count(&answer, pid);
	nl_answer_done(&answer);
	return count;
}

bool test_module_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

bool test_param_is_yes(const char *name)
{
	char path[128], value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fread(&value, 1, 1, file) != 1)
		value = 0;
	fclose(file);
	return value == 'Y' || value == '1';
}

long test_file_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

long test_file_number_of(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	long number, found = -1;
	char name[64];

	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", name, &number) == 2)
		if (!strcmp(name, word))
			found = number;
	fclose(file);
	return found;
}

bool test_file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void (*undos[8])(void);
static unsigned int undo_count;
static pid_t undo_pid;

static void undo_all(void)
{
	while (getpid() == undo_pid && undo_count)
		undos[--undo_count]();
}

/* The signal comes again, and then does what it does to any program. */
static void undo_signalled(int number)
{
	undo_all();
	raise(number);
}

void test_at_end(void (*undo)(void))
{
	const struct sigaction action = { .sa_handler = undo_signalled, .sa_flags = SA_RESETHAND };
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	unsigned int i;

	if (undo_count == ARRAY_SIZE(undos))
		ksft_exit_fail_msg("more to be undone than there is room for\n");
	undos[undo_count++] = undo;
	if (undo_pid)
		return;
	undo_pid = getpid();
	atexit(undo_all);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

#define CONTROLLERS "/sys/fs/cgroup/cgroup.subtree_control"

static char controller_off[32];

static void controller_disable(void)
{
	test_file_write(CONTROLLERS, controller_off);
}

static bool controller_enabled(const char *name)
{
	FILE *file = fopen(CONTROLLERS, "re");
	bool found = false;
	char word[32];

	while (file && fscanf(file, "%31s", word) == 1)
		found = found || !strcmp(word, name);
	if (file)
		fclose(file);
	return found;
}

bool test_controller_enable(const char *name)
{
	char on[32];

	if (controller_enabled(name))
		return true;
	snprintf(on, sizeof(on), "+%s", name);
	snprintf(controller_off, sizeof(controller_off), "-%s", name);
	if (!test_file_write(CONTROLLERS, on))
		return false;
	test_at_end(controller_disable);
	return true;
}

long long test_status_bytes(pid_t pid, const char *key)
{
	char path[64], line[256];
	long long kib, found = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), ": %lld kB", &kib) == 1)
			found = kib << 10;
	if (file)
		fclose(file);
	return found;
}

int test_file_receive(int socket)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) <= 0 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

bool test_file_send(int socket, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1;
}

bool test_module_load(const char *name)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("modprobe", "modprobe", "-q", name, NULL);
		_exit(1);
	}
	test_wait(pid);
	return test_module_there(name);
}

long test_module_users(void)
{
	return test_file_number("/sys/module/kvmward/refcnt");
}

void test_become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		_exit(99);
}

int test_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
