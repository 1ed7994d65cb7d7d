/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_LOOKS_H
#define KW_POLICY_LOOKS_H

#include <stdint.h>

#include "model/facts.h"
#include "model/hearing.h"

/*
 * When to look at the host again. What is heard is a hint to look, never the
 * news itself. Time is an argument: any clock in ns that does not go back.
 */
enum kw_hint {
	KW_HINT_SLOT,	/* the module: a slot has changed hands, or such news were lost */
	KW_HINT_GUEST,	/* KVM: a guest is being made or ended; its slot, if any, follows */
	KW_HINT_OTHER,	/* something else is other than before, by now */
	KW_HINT_COUNT,
};

#define KW_LOOKS_NEVER UINT64_MAX
#define KW_LOOKS_MOST 4		/* after one hint */

struct kw_looks {
	uint64_t due_ns[KW_HINT_COUNT][KW_LOOKS_MOST];
	uint64_t idle_due_ns;
	uint64_t not_before_ns;
};

/* Nothing is due. */
void kw_looks_init(struct kw_looks *looks);

/*
 * The first look after a hint is never put off by further ones, the later ones
 * count from the last, so that a storm neither starves a look nor is left
 * without one at its end. from: how changes are learnt now.
 */
void kw_looks_hint(struct kw_looks *looks, enum kw_hint hint, enum kw_hearing from,
		   uint64_t now_ns);

/*
 * A look was made. The next waits at least 20 ms, and at least as long as this
 * one took: whatever is heard, no more than half of the time goes into looking.
 */
void kw_looks_looked(struct kw_looks *looks, uint64_t began_ns, uint64_t ended_ns);

/*
 * After a look, or within one: look again within period_ns from now even if
 * nothing is heard; 0: that is not needed.
 */
void kw_looks_idle(struct kw_looks *looks, uint64_t period_ns, uint64_t now_ns);

/* When the next look is due; KW_LOOKS_NEVER when none is. */
uint64_t kw_looks_due_ns(const struct kw_looks *looks);

/*
 * How changes are learnt. joined: we are in the module's group; not_joined why
 * not; uevents: those of KVM can be heard. Slot events alone would not do, as
 * plain guests take no slot.
 */
void kw_hearing_judge(const struct kw_facts *facts, bool joined, const char *not_joined,
		      bool uevents, struct kw_hearing_state *ret_state);

/*
 * How long the host, as it was seen last, may be left alone when nothing is
 * heard; 0 for ever. With slot events: for ever. With uevents alone a slot may
 * change hands long after them, so as long as one may, every 30 s: while a
 * guest has no vCPU yet (it can still become an encrypted one), while the
 * kernel counts other slots than the guests seen hold (one is being given back,
 * or has leaked), or while this cannot be told. With neither every 2 s.
 */
uint64_t kw_looks_period_ns(const struct kw_facts *facts, enum kw_hearing from);

#endif
