/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_CHANGES_H
#define KW_CLI_CHANGES_H

#include "cli/look.h"

enum kw_change_kind {
	KW_GUEST_CAME,
	KW_GUEST_WENT,
	KW_GUEST_CHANGED,	/* its type, ASID or flags */
	KW_HOLD_TAKEN,
	KW_HOLD_ENDED,		/* released, expired, or its guest is there now */
	KW_POOL_CHANGED,	/* without a guest or hold that explains it */
};

struct kw_change {
	enum kw_change_kind kind;
	const struct kw_guest *guest;	/* of KW_GUEST_…, as it is or was */
	const struct kw_hold *hold;	/* of KW_HOLD_… */
	bool has_pool;			/* it takes or gives a slot */
	enum kw_pool pool;
	struct kw_pool_view view;	/* of that pool, after the change */
};

/* What was seen at one moment. */
struct kw_moment {
	struct kw_facts facts;
	struct kw_daemon_view daemon;
};

void kw_moment_done(struct kw_moment *moment);

/*
 * Tells every difference between two moments. Guests and holds are compared
 * only when both moments know them.
 */
void kw_changes_tell(const struct kw_moment *before, const struct kw_moment *now,
		     void (*tell)(const struct kw_change *change, void *data), void *data);

#endif
