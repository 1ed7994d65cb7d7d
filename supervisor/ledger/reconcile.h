/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_RECONCILE_H
#define KW_LEDGER_RECONCILE_H

#include "model/claim.h"
#include "model/guest.h"
#include "model/uuids.h"

/* What holds are brought in line with; all borrowed. */
struct kw_hold_world {
	const struct kw_guest_list *guests;	/* known */
	const struct kw_uuid_list *running;	/* as for kw_ledger_reconcile() */
	uint64_t now_ns, timeout_ns;
};

/* A hold from the future was taken before a reboot: nothing of it is left. */
bool kw_hold_timed_out(const struct kw_hold *hold, uint64_t now_ns, uint64_t timeout_ns);

/* By the rules of kw_ledger_reconcile(). True when the list is another than before. */
bool kw_holds_reconcile(struct kw_hold_list *list, const struct kw_hold_world *world);

#endif
