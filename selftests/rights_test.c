// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who may ask what: every kind of asker against every command and the group of
 * slot events. What counts is CAP_NET_ADMIN in the initial user namespace, of
 * the asker and of whoever opened the socket; nobody's user id does.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define NOBODY 65534
#define NOT_ALLOWED_HERE 77	/* the asker cannot be made: namespaces are refused */

enum action { LOOK_UP, HOST, SLOTS, GUEST, GUESTS, JOIN, ACTIONS };

static const char *const actions[ACTIONS] = {
	"looking up the family", "host-get", "slot-get", "guest-get of a pid", "guest-get of all",
	"joining the group of slot events",
};

/* Of the initial network namespace, where all askers come from. */
static struct nl nl;
static uint32_t holder;		/* pid of a process that holds a guest */
static bool held;		/* it does: there is KVM */

/* Keeps those capabilities, of the lower 32, and no other. */
static int capabilities_keep(uint32_t mask)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].permitted &= mask;
	data[0].effective = data[0].permitted;
	memset(&data[1], 0, sizeof(data[1]));
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* Each makes the calling process the asker, with nl.fd its socket. */
static int as_it_is(void)
{
	return nl_socket(&nl);
}

static int without_capability(void)
{
	int ret = capabilities_keep(~(1U << CAP_NET_ADMIN));

	return ret ? ret : nl_socket(&nl);
}

static int as_user(void)
{
	test_become_nobody();
	return nl_socket(&nl);
}

static int as_user_with_capability(void)
{
	int ret;

	prctl(PR_SET_KEEPCAPS, 1);
	test_become_nobody();
	ret = capabilities_keep(1U << CAP_NET_ADMIN);
	return ret ? ret : nl_socket(&nl);
}

static int child_namespace_enter(int flags)
{
	test_become_nobody();
	prctl(PR_SET_DUMPABLE, 1);	/* or /proc/self stays root's */
	if (unshare(CLONE_NEWUSER | flags))
		return -NOT_ALLOWED_HERE;
	if (!test_file_write("/proc/self/setgroups", "deny") ||
	    !test_file_write("/proc/self/uid_map", "0 65534 1") || getuid())
		return -EINVAL;
	return nl_socket(&nl);
}

static int as_child_root(void)
{
	return child_namespace_enter(0);
}

static int as_child_root_elsewhere(void)
{
	return child_namespace_enter(CLONE_NEWNET);
}

static int elsewhere(void)
{
	return unshare(CLONE_NEWNET) ? -NOT_ALLOWED_HERE : nl_socket(&nl);
}

static int as_user_with_roots_socket(void)
{
	int ret = nl_socket(&nl);

	test_become_nobody();
	return ret;
}

/* A program with rights can be made to write to a socket that is not its own. */
static int with_users_socket(void)
{
	int ret;

	if (seteuid(NOBODY))
		return -errno;
	ret = nl_socket(&nl);
	return seteuid(0) ? -errno : ret;
}

/* But who says whom a message is for means it. */
static int with_users_socket_addressed(void)
{
	nl.addressed = true;
	return with_users_socket();
}

#define ALL_ALLOWED { 0, 0, 0, 0, 0, 0 }
#define NO_GUESTS { 0, 0, 0, EPERM, EPERM, EPERM }
/* A group can be joined by its number from anywhere; nothing comes through there. */
#define NO_FAMILY { ENOENT, ENOENT, ENOENT, ENOENT, ENOENT, 0 }

static const struct asker {
	const char *name;
	int (*become)(void);
	int expected[ACTIONS];
} askers[] = {
	{ "root", as_it_is, ALL_ALLOWED },
	{ "root without CAP_NET_ADMIN", without_capability, NO_GUESTS },
	{ "a user", as_user, NO_GUESTS },
	{ "a user with CAP_NET_ADMIN", as_user_with_capability, ALL_ALLOWED },
	{ "root of a child user namespace", as_child_root, NO_GUESTS },
	{ "root of a child user namespace, in its own network", as_child_root_elsewhere, NO_FAMILY },
	{ "root in another network namespace", elsewhere, NO_FAMILY },
	{ "a user with a socket of root's", as_user_with_roots_socket, NO_GUESTS },
	{ "root with a socket of a user's", with_users_socket, { 0, 0, 0, EPERM, EPERM, 0 } },
	{ "root with a socket of a user's, naming the kernel", with_users_socket_addressed,
	  ALL_ALLOWED },
};

static int act(enum action action)
{
	struct nl_answer answer = { 0 };
	struct nl other = nl;
	char attr[16];
	int ret = -EINVAL;

	switch (action) {
	case LOOK_UP:
		ret = nl_find(&other);
		nl.seq = other.seq;
		break;
	case HOST:
		ret = nl_do(&nl, KVMWARD_CMD_HOST_GET, NULL, 0, &answer);
		break;
	case SLOTS:
		ret = nl_dump(&nl, KVMWARD_CMD_SLOT_GET, NULL, 0, &answer);
		break;
	case GUEST:
		ret = nl_do(&nl, KVMWARD_CMD_GUEST_GET, attr,
			    nl_put(attr, KVMWARD_A_GUEST_PID, &holder, sizeof(holder)), &answer);
		break;
	case GUESTS:
		ret = nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer);
		break;
	default:
		ret = nl_join(&nl);
		break;
	}
	/* A refusal that lets something out is none. */
	if (ret && answer.count)
		ret = -EBADMSG;
	nl_answer_done(&answer);
	return ret;
}

/* In a child: what becomes of each action, or of becoming that asker. */
static void asker_run(const struct asker *asker, int *results)
{
	int ret = asker->become();
	enum action action;

	for (action = 0; action < ACTIONS; action++)
		results[action] = ret ? ret : act(action);
	_exit(0);
}

static int expected_of(const struct asker *asker, enum action action)
{
	if (action == GUEST && !asker->expected[action] && !held)
		return -ESRCH;
	return -asker->expected[action];
}

static void cell_test(const struct asker *asker, enum action action, int result)
{
	int expected = expected_of(asker, action);

	if (result == -NOT_ALLOWED_HERE) {
		ksft_test_result_skip("%s: %s: such namespaces are not allowed here\n", asker->name,
				      actions[action]);
		return;
	}
	if (action == JOIN && !nl.group) {
		ksft_test_result_skip("%s: %s: there is none\n", asker->name, actions[action]);
		return;
	}
	if (result != expected)
		ksft_print_msg("%s instead of %s\n", strerror(-result), strerror(-expected));
	ksft_test_result(result == expected, "%s: %s: %s\n", asker->name, actions[action],
			 expected ? strerror(-expected) : "allowed");
}

static void asker_test(const struct asker *asker, int *results)
{
	enum action action;
	pid_t pid;

	for (action = 0; action < ACTIONS; action++)
		results[action] = -ECANCELED;
	pid = fork();
	if (!pid)
		asker_run(asker, results);
	test_wait(pid);
	for (action = 0; action < ACTIONS; action++)
		cell_test(asker, action, results[action]);
}

/* In a child in another network namespace: joins, and is asked whether it heard anything. */
static void listener_run(int talk)
{
	struct nl_answer event;
	char byte = 1;

	if (elsewhere() || nl_join(&nl))
		_exit(1);
	if (write(talk, &byte, 1) != 1 || read(talk, &byte, 1) != 1)
		_exit(2);
	_exit(nl_event(&nl, false, &event) == -EAGAIN ? 0 : 3);
}

/* Takes a slot and gives it back. True: this namespace has heard of both. */
static bool heard_here(void)
{
	struct nl_answer event;
	bool ok = !nl_join(&nl);
	int i;

	close(vms_create(VMS_SEV));
	for (i = 0; i < 2; i++) {
		ok = ok && !nl_event(&nl, true, &event) && event.count == 1;
		nl_answer_done(&event);
	}
	return ok;
}

static const char *silence_excuse(void)
{
	struct nl_answer answer;
	bool sent;

	test_host(&nl, &answer);
	sent = nl_has(&answer.msgs[0], KVMWARD_A_HOST_SLOT_EVENTS) &&
	       nl_u32(&answer.msgs[0], KVMWARD_A_HOST_SLOT_EVENTS);
	nl_answer_done(&answer);
	if (!sent)
		return "the module sends no events here";
	return vms_offered(VMS_SEV) ? NULL : "no SEV here";
}

/* Who has joined from another network namespace hears nothing. */
static void silence_test(void)
{
	const char *name = "an event is heard in the initial network namespace only";
	const char *excuse = silence_excuse();
	int talk[2];
	char byte;
	bool heard;
	pid_t pid;

	if (excuse || socketpair(AF_UNIX, SOCK_STREAM, 0, talk)) {
		ksft_test_result_skip("%s: %s\n", name, excuse ? excuse : strerror(errno));
		return;
	}
	pid = fork();
	if (!pid) {
		close(talk[0]);
		listener_run(talk[1]);
	}
	close(talk[1]);
	heard = read(talk[0], &byte, 1) == 1 && heard_here() && write(talk[0], &byte, 1) == 1;
	close(talk[0]);
	ksft_test_result(test_wait(pid) == 0 && heard, "%s\n", name);
}

int main(void)
{
	int *results = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int vm;

	test_open(&nl);
	ksft_set_plan(ARRAY_SIZE(askers) * ACTIONS + 1);
	vm = vms_there() ? vms_create(VMS_PLAIN) : -1;
	held = vm >= 0;
	holder = getpid();
	for (i = 0; i < ARRAY_SIZE(askers); i++)
		asker_test(&askers[i], results);
	close(vm);
	silence_test();
	ksft_finished();
}
