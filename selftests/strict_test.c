// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that are wrong, or come from somebody who may not ask. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sched.h>

#include "kselftest.h"
#include "testing.h"

static struct nl nl;
static char attrs[256];

/* The command must be refused with that errno, and words that contain `words`. */
static void refused(uint8_t cmd, bool dump, size_t len, int expected, const char *words,
		    const char *name)
{
	struct nl_answer answer;
	int ret = dump ? nl_dump(&nl, cmd, attrs, len, &answer) :
			 nl_do(&nl, cmd, attrs, len, &answer);
	bool ok = ret == -expected && !answer.count && strstr(nl.error, words);

	if (!ok || *nl.error)
		ksft_print_msg("%s: %s (%s)\n", name, nl.error, strerror(-ret));
	ksft_test_result(ok, "%s\n", name);
	nl_answer_done(&answer);
}

static size_t number(uint16_t attr, uint32_t value)
{
	return nl_put(attrs, attr, &value, sizeof(value));
}

static void attributes_test(void)
{
	const char text[] = "far longer than a number";

	refused(KVMWARD_CMD_HOST_GET, false, number(KVMWARD_A_HOST_VENDOR, 1), EINVAL,
		"takes no attributes", "host-get with an attribute");
	refused(KVMWARD_CMD_HOST_GET, false, number(KVMWARD_A_HOST_MAX + 7, 1), EINVAL, "nknown",
		"host-get with an unknown attribute");
	refused(KVMWARD_CMD_SLOT_GET, true, number(KVMWARD_A_SLOT_POOL, 1), EINVAL, "", "slot-get with an attribute");
	refused(KVMWARD_CMD_GUEST_GET, false, 0, EINVAL, "pid is missing", "guest-get without a pid");
	refused(KVMWARD_CMD_GUEST_GET, false, number(KVMWARD_A_GUEST_PID, 0), ERANGE, "", "guest-get of pid 0");
	refused(KVMWARD_CMD_GUEST_GET, false, number(KVMWARD_A_GUEST_PID, 0xfffffff0), ESRCH,
		"holds a guest", "guest-get of no process");
	refused(KVMWARD_CMD_GUEST_GET, false, number(KVMWARD_A_GUEST_PID, getpid()), ESRCH,
		"holds a guest", "guest-get of a process without guests");
	refused(KVMWARD_CMD_GUEST_GET, false, number(KVMWARD_A_GUEST_VM_FD, 1), EINVAL, "nknown",
		"guest-get with an attribute that is not for asking");
	refused(KVMWARD_CMD_GUEST_GET, false, nl_put(attrs, KVMWARD_A_GUEST_PID, text, 2), EINVAL, "length",
		"guest-get with a short pid");
	refused(KVMWARD_CMD_GUEST_GET, false,
		nl_put(attrs, KVMWARD_A_GUEST_PID, text, sizeof(text)), EINVAL, "length",
		"guest-get with a long pid");
	refused(KVMWARD_CMD_GUEST_GET, true, number(KVMWARD_A_GUEST_VM_FD, 1), EINVAL, "", "guest dump with an unknown attribute");
	refused(KVMWARD_CMD_GUEST_GET, true, number(KVMWARD_A_GUEST_PID, 1), EINVAL, "", "guest dump with a pid");
}

static void commands_test(void)
{
	refused(KVMWARD_CMD_MAX + 1, false, 0, EOPNOTSUPP, "", "a command that is not");
	refused(KVMWARD_CMD_HOST_GET, true, 0, EOPNOTSUPP, "", "host-get as a dump");
	refused(KVMWARD_CMD_SLOT_GET, false, 0, EOPNOTSUPP, "", "slot-get as a do");
}

/* An attribute that says it is longer than the message. */
static void overrun_test(void)
{
	uint32_t pid = getpid();
	struct nlattr attr;
	size_t len = number(KVMWARD_A_GUEST_PID, pid);

	memcpy(&attr, attrs, sizeof(attr));
	attr.nla_len = 200;
	memcpy(attrs, &attr, sizeof(attr));
	refused(KVMWARD_CMD_GUEST_GET, false, len, EINVAL, "leftover", "an attribute that overruns its message");
}

/* A message cut off: what says it is longer than it is has no answer at all. */
static void truncated_test(void)
{
	struct nl_answer answer = { 0 };
	char buf[512];
	struct nlmsghdr hdr;
	int ret;

	nl_request(&nl, buf, KVMWARD_CMD_HOST_GET, NLM_F_ACK, NULL, 0);
	memcpy(&hdr, buf, sizeof(hdr));
	hdr.nlmsg_len = NLMSG_HDRLEN;
	memcpy(buf, &hdr, sizeof(hdr));
	ret = nl_send(&nl, buf, hdr.nlmsg_len);
	ret = ret ? ret : nl_receive(&nl, &answer);
	ksft_test_result(ret == -EINVAL && !answer.count, "a message without a command\n");
	nl_answer_done(&answer);
}

static void oversized_test(void)
{
	static char buf[60000];
	struct nl_answer answer = { 0 };
	struct nlmsghdr hdr;
	int ret;

	nl_request(&nl, buf, KVMWARD_CMD_HOST_GET, NLM_F_ACK, NULL, 0);
	memcpy(&hdr, buf, sizeof(hdr));
	hdr.nlmsg_len = sizeof(buf);
	memcpy(buf, &hdr, sizeof(hdr));
	ret = nl_send(&nl, buf, sizeof(buf));
	ret = ret ? ret : nl_receive(&nl, &answer);
	ksft_test_result(ret == -EINVAL && !answer.count, "60,000 bytes of nothing\n");
	nl_answer_done(&answer);
}

static int guests_as_nobody(void)
{
	struct nl_answer answer;
	struct nl own;
	uint32_t pid = getppid();

	test_become_nobody();
	if (nl_open(&own))
		return 1;
	if (nl_dump(&own, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer) != -EPERM || answer.count)
		return 2;
	if (nl_do(&own, KVMWARD_CMD_GUEST_GET, attrs, nl_put(attrs, KVMWARD_A_GUEST_PID, &pid, 4),
		  &answer) != -EPERM || answer.count)
		return 3;
	return 0;
}

/* Root of a user namespace of one's own is not root of the host. */
static int guests_as_root_of_nothing(void)
{
	struct nl_answer answer;
	struct nl own;

	test_become_nobody();
	if (unshare(CLONE_NEWUSER))
		return 4;
	if (nl_open(&own))
		return 1;
	return nl_dump(&own, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer) != -EPERM || answer.count;
}

/* The family is not to be seen from another network namespace. */
static int from_other_network(void)
{
	struct nl own;

	if (unshare(CLONE_NEWNET))
		return 4;
	return nl_open(&own) != -ENOENT;
}

static void in_child(int (*body)(void), const char *name)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(body());
	status = test_wait(pid);
	if (status == 4)
		ksft_test_result_skip("%s: namespaces are not allowed here\n", name);
	else
		ksft_test_result(!status, "%s\n", name);
}

/* All of that has left it working. */
static void alive_test(void)
{
	struct nl_answer answer;

	test_host(&nl, &answer);
	nl_answer_done(&answer);
	ksft_test_result(test_module_users() == 0, "still answers, and has no users left\n");
}

int main(void)
{
	test_open(&nl);
	ksft_set_plan(22);
	attributes_test();
	commands_test();
	overrun_test();
	truncated_test();
	oversized_test();
	in_child(guests_as_nobody, "guest-get is refused to a user without rights");
	in_child(guests_as_root_of_nothing, "and to root of a user namespace");
	in_child(from_other_network, "not there in another network namespace");
	alive_test();
	ksft_finished();
}
