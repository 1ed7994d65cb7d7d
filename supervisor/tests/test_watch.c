/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "facts/uevent.h"
#include "facts/watch.h"

#define HEAD "change@/devices/virtual/misc/kvm\0ACTION=change\0" \
	     "DEVPATH=/devices/virtual/misc/kvm\0SUBSYSTEM=misc\0MAJOR=10\0MINOR=232\0"
#define CREATE HEAD "DEVNAME=kvm\0CREATED=3\0COUNT=1\0EVENT=create\0PID=4242\0SEQNUM=1234"
#define TEXT(text) (text), sizeof(text)

static void test_events(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		bool kvm;
	} cases[] = {
		{ TEXT(CREATE), true },
		{ TEXT(HEAD "DEVNAME=kvm\0EVENT=destroy\0STATS_PATH=/sys/x/kvm/1-9"), true },
		{ TEXT("add@/devices/virtual/misc/kvm\0ACTION=add\0DEVNAME=kvm"), true },
		{ TEXT("remove@/devices/virtual/misc/kvm\0ACTION=remove\0DEVNAME=/dev/kvm"), true },
		{ TEXT(HEAD "DEVNAME=kvm"), false },
		{ TEXT(HEAD "DEVNAME=kvm\0EVENT=created"), false },
		{ TEXT(HEAD "DEVNAME=kvmfr0\0EVENT=create"), false },
		{ TEXT(HEAD "DEVNAME=vda\0EVENT=create"), false },
		{ TEXT("add@/devices/vnet0\0ACTION=add\0INTERFACE=DEVNAME=kvm"), false },
		{ CREATE, sizeof(CREATE) - sizeof("te\0PID=4242\0SEQNUM=1234"), false },
		{ CREATE, 1, false },
		{ "", 0, false },
		{ TEXT("libudev\0\xfe\xed\xca\xfe"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (kw_uevent_is_kvm(cases[i].text, cases[i].length) != cases[i].kvm)
			fail_msg("event %zu: not %d", i, cases[i].kvm);
}

/* recvmsg() in libc's place: what waits in the socket, one row after the other. */
static struct {
	const char *text;
	ssize_t length;
	int error;
	uint32_t sender;
	sa_family_t family;
} waiting[8];
static unsigned int taken;

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct sockaddr_nl sender = { .nl_family = waiting[taken].family,
				      .nl_pid = waiting[taken].sender };
	ssize_t length = waiting[taken].length;

	assert_int_equal(fd, 77);
	assert_true(flags & MSG_DONTWAIT);
	if (length < 0) {
		errno = waiting[taken].error;
		taken += errno != EAGAIN;
		return -1;
	}
	assert_true((size_t)length <= message->msg_iov[0].iov_len);
	memcpy(message->msg_iov[0].iov_base, waiting[taken].text, (size_t)length);
	memcpy(message->msg_name, &sender, sizeof(sender));
	message->msg_namelen = sizeof(sender);
	taken++;
	return length;
}

#define EVENT(text, from) { text, sizeof(text), 0, from, AF_NETLINK }
#define FAILS(error) { NULL, -1, error }
#define OTHER "add@/devices/x\0ACTION=add\0DEVNAME=sda"

static void test_drain(void **state)
{
	static const struct {
		__typeof__(waiting[0]) rows[8];
		bool look;
		unsigned int taken;
	} cases[] = {
		{ { FAILS(EAGAIN) }, false, 0 },
		{ { EVENT(CREATE, 0), FAILS(EAGAIN) }, true, 1 },
		{ { EVENT(CREATE, 0), EVENT(OTHER, 0), FAILS(EAGAIN) }, true, 2 },
		{ { EVENT(OTHER, 0), EVENT(OTHER, 0), FAILS(EAGAIN) }, false, 2 },
		{ { EVENT(CREATE, 555), FAILS(EAGAIN) }, false, 1 },
		{ { { CREATE, sizeof(CREATE), 0, 0, AF_UNIX }, FAILS(EAGAIN) }, false, 1 },
		{ { FAILS(ENOBUFS), EVENT(OTHER, 0), FAILS(EAGAIN) }, true, 2 },
		{ { FAILS(EINTR), EVENT(CREATE, 0), FAILS(EAGAIN) }, true, 2 },
		{ { EVENT("", 0), FAILS(EAGAIN) }, false, 1 },
		{ { FAILS(EBADF) }, false, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(waiting, cases[i].rows, sizeof(waiting));
		taken = 0;
		if (kw_watch_drain(77) != cases[i].look)
			fail_msg("case %zu: not %d", i, cases[i].look);
		assert_int_equal(taken, cases[i].taken);
	}
}

/* The kernel's group, without waiting for anything. */
static void test_open(void **state)
{
	struct sockaddr_nl address = { 0 };
	socklen_t size = sizeof(address);
	int fd = kw_watch_open(), queue = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(address.nl_groups, 1);
	size = sizeof(queue);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, &size), 0);
	assert_true(queue > 64 * 1024);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
