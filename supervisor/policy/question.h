/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_QUESTION_H
#define KW_POLICY_QUESTION_H

/* Shared by the parts of kw_admit(); nobody else includes this. */

#include "model/claim.h"
#include "model/config.h"
#include "model/facts.h"
#include "model/verdict.h"
#include "policy/admit.h"

/* All that a decision is made on. */
struct kw_question {
	const struct kw_facts *facts;
	const struct kw_hold_list *holds;
	const struct kw_config *config;
	const char *uuid; /* does not count against itself; "" for none */
	bool only_held;	  /* leave out what guests wait for: classes have their own rule about it */
};

/* What the operator's override leaves. It counts the guests of both pools. */
struct kw_quota {
	bool set;
	struct kw_u32 left;
	uint64_t used; /* taken and pending */
};

/*
 * Does this guest give its slot to the claim, being an earlier run of the same?
 * And how much memory does a guest keep from others, as far as that is known?
 */
bool kw_is_own(const struct kw_question *q, const struct kw_guest *guest);
uint64_t kw_kept_bytes(const struct kw_question *q, const struct kw_guest *guest);

struct kw_quota kw_quota_of(const struct kw_question *q);
struct kw_pool_room kw_pool_room_of(const struct kw_question *q, enum kw_pool pool);
struct kw_memory_room kw_memory_room_of(const struct kw_question *q);

/* Slots of the pool that are left before its reserve is taken off. */
struct kw_u32 kw_slots_left(const struct kw_question *q, const struct kw_pool_room *room);

/* Is the hold of the question's own guest? And what a claim draws from pools of hugepages. */
bool kw_is_own_hold(const struct kw_question *q, const struct kw_hold *hold);
uint64_t kw_huge_bytes(const struct kw_claim *claim);

/* What of plain guests' memory has to be there: divided by ram_allocation_ratio, rounded up. */
uint64_t kw_overcommitted(const struct kw_config *config, uint64_t bytes);

/* Each true, or false with the verdict that refuses. */
bool kw_host_offers(const struct kw_facts *facts, enum kw_guest_type type, enum kw_pool pool,
		    struct kw_verdict *ret_verdict);
bool kw_refuse_unknown(const struct kw_facts *facts, const char *what,
		       struct kw_verdict *ret_verdict);
bool kw_refuse_slot_none(const struct kw_facts *facts, enum kw_pool pool,
			 struct kw_verdict *ret_verdict);

bool kw_nodes_free(const struct kw_question *q, const struct kw_claim *claim,
		   struct kw_verdict *ret_verdict);
bool kw_huge_free(const struct kw_question *q, const struct kw_claim *claim,
		  struct kw_verdict *ret_verdict);

/*
 * Has the claim's class room for it, and leaves it room for the others, of so
 * much that is free for all classes together?
 */
bool kw_share_has_room(const struct kw_question *q, const struct kw_claim *claim,
		       enum kw_pool pool, uint32_t free_slots, uint64_t free_bytes,
		       struct kw_verdict *ret_verdict);

#endif
