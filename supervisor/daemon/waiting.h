/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_WAITING_H
#define KW_DAEMON_WAITING_H

#include "model/waiting.h"

/* So many guests may wait; each is judged anew at every look. */
#define KW_WAITING_MAX 512

/* One guest that waits, or that was admitted after it had waited. */
struct kw_ticket {
	uint64_t id;
	struct kw_waiter waiter;
	bool admitted;		/* has its hold, which goes when its client goes before a hook came */
	struct kw_place told;	/* what its client knows; all 0: nothing yet */
};

/* Everybody in line, in the order they came. A promise only: nothing of it is on disk. */
struct kw_waiting {
	struct kw_ticket *tickets;
	size_t count;
};

void kw_waiting_done(struct kw_waiting *waiting);

/* Puts a guest at the end. 0, -ENOSPC when too many wait, -ENOMEM. */
int kw_waiting_add(struct kw_waiting *waiting, uint64_t id, const struct kw_claim *claim,
		   uint64_t now_ns);
void kw_waiting_remove(struct kw_waiting *waiting, struct kw_ticket *ticket);

/* NULL when there is none. Borrowed until tickets come or go. */
struct kw_ticket *kw_waiting_find(const struct kw_waiting *waiting, uint64_t id);
struct kw_ticket *kw_waiting_find_uuid(const struct kw_waiting *waiting, const char *uuid);

/*
 * The holds, and after them what is promised to those who wait: to all, or,
 * when the guest of this UUID is one of them, to those before it. 0 or
 * -ENOMEM; the caller frees ret_list->holds.
 */
int kw_waiting_promises(const struct kw_waiting *waiting, const struct kw_hold_list *holds,
			const char *uuid, struct kw_hold_list *ret_list);

/* Those who wait, for clients. 0 or -ENOMEM; the caller frees ret_list->waiters. */
int kw_waiting_list(const struct kw_waiting *waiting, struct kw_waiter_list *ret_list);

#endif
