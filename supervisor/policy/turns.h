/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_TURNS_H
#define KW_POLICY_TURNS_H

#include "policy/admit.h"

enum kw_turn {
	KW_TURN_NOW,	/* there is room */
	KW_TURN_LATER,	/* others have what it needs, and may give it back */
	KW_TURN_NEVER,	/* it would not fit even with no other guest there */
};

/*
 * Is it the turn of a guest that waits? First come, first served: what those
 * before it wait for stands among the holds, marked as waiting, and so counts
 * as given away, in slots of its pool and in memory. Facts that are not known
 * now may be known later. The verdict is that of kw_admit(); for a guest that
 * is in nobody's way and still has no room, that of an empty host.
 */
enum kw_turn kw_turn_of(const struct kw_facts *facts, const struct kw_hold_list *holds,
			const struct kw_config *config, const struct kw_claim *claim,
			struct kw_verdict *ret_verdict);

#endif
