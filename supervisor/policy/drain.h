/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_DRAIN_H
#define KW_POLICY_DRAIN_H

#include "policy/moves.h"

/* A guest of a host that is emptied. The arrays have an entry for each destination. */
struct kw_drain_guest {
	struct kw_move_facts *facts;	/* plan is filled in by kw_drain_settle() */
	struct kw_move_plan *plans;	/* filled in likewise, up to where it goes */
	bool goes;
	size_t destination;		/* that it goes to */
};

/*
 * Each guest goes to the first destination, in the order given, that nothing
 * bars. For one after the other:
 *
 * candidates: those that go nowhere yet and that nothing but want of room may
 * bar there, by their index; ret_indices has room for count. Returns how many.
 * settle: the verdicts of the kvmwardd there on these, each as if those before
 * it had come; NULL where none answers.
 */
size_t kw_drain_candidates(struct kw_drain_guest *guests, size_t count, size_t destination,
			   const struct kw_move_wish *wish, size_t *ret_indices);
void kw_drain_settle(struct kw_drain_guest *guests, size_t destination,
		     const struct kw_move_wish *wish, const size_t *indices, size_t count,
		     const struct kw_verdict *verdicts);

#endif
