/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_MOVE_LIVE_H
#define KW_ACT_MOVE_LIVE_H

#include "act/move_side.h"
#include "model/known.h"

/* libvirt's figures of a live move. */
struct kw_move_stats {
	bool active;			/* one is under way */
	struct kw_u64 total_bytes, moved_bytes, remaining_bytes, bytes_per_s;
	struct kw_u64 downtime_ms;	/* expected; of one that is over: measured */
	struct kw_u64 total_ms;
};

struct kw_move_live {
	const char *uri;		/* of the destination, as this host's libvirt reaches it */
	bool persistent;		/* it is defined: there afterwards, and here no more */
	const char *copy_disks;		/* "vda,vdb": their targets; NULL or "" none */
};

/*
 * Moves the guest of this side, and returns when it is there or stays. libvirt
 * does it on its own, so that of -ENOTCONN only looking tells what came of it.
 */
int kw_move_side_migrate(struct kw_move_side *side, const struct kw_move_live *live);

/* Of the move under way, or of the last one that is over (completed). */
int kw_move_side_stats(struct kw_move_side *side, bool completed, struct kw_move_stats *ret_stats);

/* Stops what is under way; the guest stays where it is. */
int kw_move_side_abort(struct kw_move_side *side);

#endif
