/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "facts/queue.h"
#include "facts/uevent.h"

/* Multicast group of the kernel's own uevents; udev sends its on another. */
#define KERNEL_GROUP 1

/* The kernel's limit for the text of one event is 2 KiB (UEVENT_BUFFER_SIZE). */
#define EVENT_BYTES 4096

int kw_watch_open(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	kw_queue_widen(fd);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return kw_steal_fd(&fd);
}

bool kw_watch_drain(int fd)
{
	bool look = false;

	for (;;) {
		char text[EVENT_BYTES];
		ssize_t got = kw_queue_take(fd, text, sizeof(text));

		if (got == -ENOBUFS)
			look = true;
		else if (got < 0 && got != -EINTR)
			return look;
		else if (got > 0)
			look |= kw_uevent_is_kvm(text, (size_t)got);
	}
}
