/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/turns.h"

/* Borrows from the facts. A leaked slot is taken for one that comes back. */
static struct kw_facts without_guests(const struct kw_facts *facts)
{
	struct kw_facts empty = *facts;

	empty.guests = (struct kw_guest_list){ .known = true };
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		empty.slots.pool[pool].charged.value = 0;
		empty.slots.pool[pool].in_use = KW_U32(0);
	}
	for (size_t i = 0; i < empty.huge.count; i++) {
		empty.huge.pools[i].free_pages = empty.huge.pools[i].total_pages;
		empty.huge.pools[i].reserved_pages = 0;
	}
	return empty;
}

static bool is_about_room(enum kw_code code)
{
	return code == KW_SLOT_FULL || code == KW_SLOT_RESERVED || code == KW_MEMORY_FULL ||
	       code == KW_CLASS_FULL || code == KW_CLASS_RESERVED;
}

enum kw_turn kw_turn_of(const struct kw_facts *facts, const struct kw_hold_list *holds,
			const struct kw_config *config, const struct kw_claim *claim,
			struct kw_verdict *ret_verdict)
{
	const struct kw_hold_list nobody = {};
	struct kw_facts empty = without_guests(facts);
	struct kw_verdict alone;

	kw_admit(facts, holds, config, claim, ret_verdict);
	if (kw_verdict_admits(ret_verdict))
		return KW_TURN_NOW;
	if (ret_verdict->code == KW_FACTS_UNKNOWN)
		return KW_TURN_LATER;
	kw_admit(&empty, &nobody, config, claim, &alone);
	if (kw_verdict_admits(&alone))
		return KW_TURN_LATER;
	if (is_about_room(alone.code))
		kw_verdict_set(ret_verdict, alone.code, "even with no other guest there: %s",
			       alone.sentence);
	return KW_TURN_NEVER;
}
