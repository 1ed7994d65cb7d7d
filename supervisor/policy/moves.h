/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MOVES_H
#define KW_POLICY_MOVES_H

#include "model/move.h"
#include "model/move_facts.h"
#include "model/verdict.h"

/* What the operator said. */
struct kw_move_wish {
	bool live, cold;	/* one of them; none: whichever is right */
	bool copy_storage;	/* local disks are copied, by a live move */
	bool unguarded;		/* the destination may be without a kvmwardd that answers */
};

enum kw_obstacle_weight {
	KW_OBSTACLE_BARS,	/* the guest cannot be moved so */
	KW_OBSTACLE_NOT_LIVE,	/* why it moves cold, though it runs and nobody asked for that */
	KW_OBSTACLE_WARNS,
};

/* One thing that speaks against a move, with a stable code and the rule in its sentence. */
struct kw_obstacle {
	struct kw_verdict verdict;
	enum kw_obstacle_weight weight;
};

#define KW_OBSTACLES_MAX 32	/* if there are more, warnings give way */

/* What would happen. */
struct kw_move_plan {
	enum kw_move_kind kind;
	bool possible;			/* no obstacle bars it */
	bool stops;			/* the guest runs, and is shut down for it */
	struct kw_u64 downtime_ms;	/* live: that QEMU aims at */
	bool copies;			/* live: disks that only this host has */
	struct kw_u64 copy_bytes;	/* live: of local disks; unknown when one's size is */
	struct kw_obstacle obstacles[KW_OBSTACLES_MAX];
	size_t count;
};

/*
 * Judges a move beforehand. Which kind, when none is asked for: cold for a guest
 * that is off, and where something bars live that does not bar cold and does not
 * pass by itself, as nested guests do; live otherwise. What is not known bars a
 * move only where it could lose the guest or run it twice, and is warned of
 * otherwise.
 */
void kw_move_judge(const struct kw_move_facts *facts, const struct kw_move_wish *wish,
		   struct kw_move_plan *ret_plan);

/* Whether the move copies that disk; what it is an overlay of is no disk of its own. */
bool kw_move_copies(const struct kw_move_plan *plan, const struct kw_move_disk *disk);

/* "bars", "not-live" or "warns". */
const char *kw_obstacle_weight_name(enum kw_obstacle_weight weight);

/* The first obstacle that bars the move, or NULL. Borrowed. */
const struct kw_obstacle *kw_move_bar(const struct kw_move_plan *plan);

#endif
