/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_NETLINK_H
#define KW_FACTS_NETLINK_H

#include "model/guest.h"
#include "model/host.h"
#include "model/slots.h"

struct kw_netlink;

/*
 * Opens a socket to the generic netlink family "kvmward". -ENOENT: the module
 * is not loaded (the kernel has been asked to load it by family name); other
 * negative errno as the kernel gave it.
 */
int kw_netlink_open(struct kw_netlink **ret_netlink);

/* The same, but a module that is not loaded is left alone. */
int kw_netlink_open_loaded(struct kw_netlink **ret_netlink);
void kw_netlink_close(struct kw_netlink *netlink);

/* The kernel's own words about the last refusal (extack), or "". Borrowed. */
const char *kw_netlink_error(const struct kw_netlink *netlink);

/*
 * Each asks the kernel once. 0, or negative errno with the output untouched:
 * -EPERM without CAP_NET_ADMIN (guests only), -EBADMSG for an answer that is
 * not as the contract says, -ETIMEDOUT after 5 s without an answer, -ENOENT
 * when the module went away. The caller owns *ret_list. psp: with the facts of
 * the SEV firmware, for which the module may wait a quarter of a second.
 */
int kw_netlink_host(struct kw_netlink *netlink, bool psp, struct kw_host *ret_host);
int kw_netlink_slots(struct kw_netlink *netlink, struct kw_slot_table *ret_slots);
int kw_netlink_guests(struct kw_netlink *netlink, struct kw_guest_list *ret_list);

#endif
