/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_ADMIT_H
#define KW_POLICY_ADMIT_H

#include "model/claim.h"
#include "model/config.h"
#include "model/facts.h"
#include "model/room.h"
#include "model/verdict.h"

/*
 * What one pool has left, never below 0:
 *
 *	free = min(capacity - taken - pending holds, rest of the override) - reserve
 *
 * The rest of the operator's override is num_memory_encrypted_guests less what
 * is taken and pending in both pools: it limits encrypted guests, whichever
 * pool they draw from.
 */
struct kw_pool_room {
	struct kw_u32 capacity, taken, free;	/* free is unknown when one of the others is */
	uint32_t pending, reserve;
	uint32_t waiting;		/* those of pending that guests wait for */
};
void kw_pool_room(const struct kw_facts *facts, const struct kw_hold_list *holds,
		  const struct kw_config *config, enum kw_pool pool, struct kw_pool_room *ret_room);

/* What is left of the host's memory. */
void kw_memory_room(const struct kw_facts *facts, const struct kw_hold_list *holds,
		    const struct kw_config *config, struct kw_memory_room *ret_room);

/* Of every pool that there is, as far as that is known; how many. */
size_t kw_huge_rooms(const struct kw_facts *facts, const struct kw_hold_list *holds,
		     const struct kw_config *config, struct kw_huge_room ret_rooms[KW_HUGE_SIZES]);

/* What a guest of this claim takes of the host's memory, its hugepages left out. */
uint64_t kw_claim_takes_bytes(const struct kw_config *config, const struct kw_claim *claim);

/*
 * May this guest start now? A hold of the claim's own UUID, or a guest of that
 * UUID that libvirt runs, does not count against it. Pure: the same arguments give the same verdict.
 * For an encrypted guest everything that the decision needs must be known; a
 * plain one that does not fit into what is known is refused, and what is not
 * known counts against it only if plain_when_unreachable says so.
 */
void kw_admit(const struct kw_facts *facts, const struct kw_hold_list *holds,
	      const struct kw_config *config, const struct kw_claim *claim,
	      struct kw_verdict *ret_verdict);

#endif
