/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_NETLINK_H
#define KVMWARD_NETLINK_H

/* The generic netlink family: last up, first down. 0 or negative errno. */
int kvmward_netlink_init(void);

/* Waits for requests that are under way. */
void kvmward_netlink_exit(void);

#endif
