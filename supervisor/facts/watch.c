/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "facts/uevent.h"

/* Multicast group of the kernel's own uevents; udev sends its on another. */
#define KERNEL_GROUP 1

/* A thousand guests that start at once are some 300 KiB of events. */
#define QUEUE_BYTES (1024 * 1024)

/* The kernel's limit for the text of one event is 2 KiB (UEVENT_BUFFER_SIZE). */
#define EVENT_BYTES 4096

static void widen_queue(int fd)
{
	const int size = QUEUE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int kw_watch_open(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	widen_queue(fd);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return kw_steal_fd(&fd);
}

/* Root could send to the group as well, and in a container others could. */
static bool is_from_kernel(const struct sockaddr_nl *sender, socklen_t size)
{
	return size == sizeof(*sender) && sender->nl_family == AF_NETLINK && sender->nl_pid == 0;
}

/* Length of the next event, 0 for one that is not the kernel's, or negative errno. */
static ssize_t receive(int fd, char *text, size_t size)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec part = { .iov_base = text, .iov_len = size };
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

bool kw_watch_drain(int fd)
{
	bool look = false;

	for (;;) {
		char text[EVENT_BYTES];
		ssize_t got = receive(fd, text, sizeof(text));

		if (got == -ENOBUFS)
			look = true;
		else if (got < 0 && got != -EINTR)
			return look;
		else if (got > 0)
			look |= kw_uevent_is_kvm(text, (size_t)got);
	}
}
