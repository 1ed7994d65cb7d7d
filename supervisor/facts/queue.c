/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/queue.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>

/* A thousand guests that start at once are some 300 KiB of events. */
#define QUEUE_BYTES (1024 * 1024)

void kw_queue_widen(int fd)
{
	const int size = QUEUE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* Root could send to a group as well, and in a container others could. */
static bool is_from_kernel(const struct sockaddr_nl *sender, socklen_t size)
{
	return size == sizeof(*sender) && sender->nl_family == AF_NETLINK && sender->nl_pid == 0;
}

ssize_t kw_queue_take(int fd, void *to, size_t size)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec part = { .iov_base = to, .iov_len = size };
	struct msghdr message = {
		.msg_name = &sender,
		.msg_namelen = sizeof(sender),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);

	if (got < 0)
		return -errno;
	return is_from_kernel(&sender, message.msg_namelen) ? got : 0;
}
