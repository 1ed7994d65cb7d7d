// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "testing.h"

#define NOBODY 65534

void test_open(struct nl *nl)
{
	int ret = nl_open(nl);

	ksft_print_header();
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

const struct nl_msg *test_guest_find(const struct nl_answer *guests, pid_t pid, int fd)
{
	const struct nl_msg *found = NULL;
	unsigned int i;

	for (i = 0; i < guests->count; i++) {
		const struct nl_msg *msg = &guests->msgs[i];

		if (nl_u32(msg, KVMWARD_A_GUEST_PID) != (uint32_t)pid ||
		    !nl_has(msg, KVMWARD_A_GUEST_VM_FD) ||
		    nl_u32(msg, KVMWARD_A_GUEST_VM_FD) != (uint32_t)fd)
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
