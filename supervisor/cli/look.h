/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_LOOK_H
#define KW_CLI_LOOK_H

#include "base/cleanup.h"
#include "bus/client.h"
#include "facts/netlink.h"
#include "model/facts.h"
#include "policy/admit.h"

KW_CLEANUP_OF(struct kw_netlink, kw_netlink_close);
KW_CLEANUP_OF(struct kw_bus, kw_bus_close);

/* What kvmwardd tells. Its configuration is for everybody, holds are not. */
struct kw_daemon_view {
	bool reachable;			/* config is the one in force */
	bool holds_known;		/* and who waits, and the classes */
	struct kw_hold_list holds;
	struct kw_waiter_list waiting;
	struct kw_class_table classes;
	struct kw_config config;
	struct kw_walls_status walls;	/* of which everybody is told too */
	bool draining;			/* and of this; false when not reachable */
	char reason[256];		/* why not reachable, or holds not known; "" otherwise */
};

/* bus NULL: connects for this look only. The caller owns *ret_view. */
void kw_daemon_view_read(struct kw_bus *bus, struct kw_daemon_view *ret_view);
void kw_daemon_view_done(struct kw_daemon_view *view);

/*
 * Fills in what kvmwardd had expected those guests to pin that pin otherwise.
 * False when it could not be asked, which it is for a second only.
 */
bool kw_daemon_tell_differing(struct kw_guest_list *guests);

/* What is told of one pool, put together from kernel and kvmwardd. */
struct kw_pool_view {
	const char *title;
	const struct kw_slots *slots;	/* borrowed from the facts */
	struct kw_u32 taken, held, reserved, free;
	struct kw_u32 waiting;		/* guests that wait for a slot of it */
	struct kw_u32 leaked;		/* charged, but held by no guest that was seen */
};
void kw_pool_view_make(const struct kw_facts *facts, const struct kw_daemon_view *daemon,
		       enum kw_pool pool, struct kw_pool_view *ret_view);

/*
 * Connects to kvmwardd for calls that shall be answered soon. 0 or negative
 * errno.
 */
int kw_daemon_connect(struct kw_bus **ret_bus);

/* Why a call failed, for "kvmwardd cannot be asked: …". bus NULL: no connection. Borrowed. */
const char *kw_daemon_reason(const struct kw_bus *bus, int error);

/* Say why the module could not be asked, and what to do. netlink may be NULL. */
void kw_message_module(int error, const struct kw_netlink *netlink);
void kw_message_facts(const struct kw_facts *facts);

#endif
