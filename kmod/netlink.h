/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_NETLINK_H
#define KVMWARD_NETLINK_H

#include <linux/types.h>

struct kvmward_event;
struct kvmward_slots;

/* The generic netlink family: last up, first down. 0 or negative errno. */
int kvmward_netlink_init(void);

/* Waits for requests that are under way. No event may be sent any more. */
void kvmward_netlink_exit(void);

/* There is a group slots only where the kernel can keep others out of it. */
bool kvmward_netlink_group_there(void);

/* Does anybody listen to the group slots? In any context. */
bool kvmward_netlink_heard(void);

/*
 * Sends an event to all listeners, with the pool's figures after it; NULL: it is
 * not known which pool. 0, or a negative errno when it could not be built. A listener
 * without room for it is told so by netlink. May sleep.
 */
int kvmward_netlink_event(const struct kvmward_event *event, const struct kvmward_slots *slots);

/* Tells all listeners that an event was lost: ENOBUFS from their next read. */
void kvmward_netlink_lost(void);

#endif
