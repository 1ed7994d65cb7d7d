/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a netlink socket has to read, for tests of what reads it: recvmsg() here
 * stands in for libc's, so that libnl and everything above it run as they are.
 */
#ifndef KW_TESTS_FAKE_SOCKET_H
#define KW_TESTS_FAKE_SOCKET_H

#include <errno.h>
#include <sys/socket.h>

#include "tests/kernel_message.h"

#define DATAGRAMS_MAX 64

struct datagram {
	struct message message;
	int error;		/* of recvmsg(), instead of the message */
	uint32_t sender;	/* port; the kernel's is 0 */
};

static struct {
	struct datagram datagrams[DATAGRAMS_MAX];
	unsigned int head, tail;
} unread;

static inline struct datagram *queue(void)
{
	assert_true(unread.tail < DATAGRAMS_MAX);
	memset(&unread.datagrams[unread.tail], 0, sizeof(unread.datagrams[0]));
	return &unread.datagrams[unread.tail++];
}

static inline void queue_clear(void)
{
	unread.head = unread.tail = 0;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	const struct datagram *datagram = &unread.datagrams[unread.head];
	struct sockaddr_nl sender = { .nl_family = AF_NETLINK };
	size_t length = datagram->message.header.nlmsg_len;

	(void)fd;
	if (unread.head == unread.tail) {
		errno = EAGAIN;		/* what SO_RCVTIMEO makes of silence, too */
		return -1;
	}
	if (!(flags & MSG_PEEK))
		unread.head++;
	if (datagram->error) {
		errno = datagram->error;
		return -1;
	}
	sender.nl_pid = datagram->sender;
	memcpy(message->msg_name, &sender, sizeof(sender));
	message->msg_namelen = sizeof(sender);
	message->msg_controllen = 0;
	message->msg_flags = length > message->msg_iov[0].iov_len ? MSG_TRUNC : 0;
	memcpy(message->msg_iov[0].iov_base, &datagram->message,
	       length < message->msg_iov[0].iov_len ? length : message->msg_iov[0].iov_len);
	return (ssize_t)length;
}

#endif
