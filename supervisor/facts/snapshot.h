/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_SNAPSHOT_H
#define KW_FACTS_SNAPSHOT_H

#include "facts/netlink.h"
#include "model/facts.h"

/*
 * Reads everything a decision needs, opening *netlink when it is NULL and
 * closing it when the module went away. Slots are read before and after the
 * guests, again until both agree (at most 5 times), so that a guest is never
 * seen without its slot. Never fails as a whole: what could not be had is not
 * known, and reason says why. before: guests of the last snapshot, whose names
 * need not be read again; NULL: none. The SEV firmware is not asked: nothing is
 * decided by its facts. The caller owns *ret_facts.
 */
void kw_snapshot_read(struct kw_netlink **netlink, const struct kw_guest_list *before,
		      struct kw_facts *ret_facts);

/*
 * The same for looks that nobody has asked for: a module that an administrator
 * has taken out is not loaded again by them.
 */
void kw_snapshot_watch(struct kw_netlink **netlink, const struct kw_guest_list *before,
		       struct kw_facts *ret_facts);

#endif
