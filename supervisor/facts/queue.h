/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_QUEUE_H
#define KW_FACTS_QUEUE_H

#include <stddef.h>
#include <sys/types.h>

/* Makes room in a netlink socket for what a thousand guests cause that start at once. */
void kw_queue_widen(int fd);

/*
 * Takes the next datagram that waits in a netlink socket, without blocking. Its
 * length; 0 for one that is not the kernel's; or negative errno: -EAGAIN
 * nothing waits, -ENOBUFS some were lost, -EINTR.
 */
ssize_t kw_queue_take(int fd, void *to, size_t size);

#endif
