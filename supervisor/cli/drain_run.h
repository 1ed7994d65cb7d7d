/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_DRAIN_RUN_H
#define KW_CLI_DRAIN_RUN_H

#include "model/move.h"

#define KW_DRAIN_JOBS_MAX 64

enum kw_drain_end {
	KW_DRAIN_WAITS,		/* not begun, since the drain was interrupted first */
	KW_DRAIN_RUNS,
	KW_DRAIN_MOVED,
	KW_DRAIN_STAYED,	/* it is here as before */
	KW_DRAIN_FAILED,	/* neither: 'kvmward job' shows what is left to do */
};

/* One guest that moves, by a 'kvmward migrate' of its own. */
struct kw_drain_move {
	const char *name, *uuid, *uri;	/* borrowed */
	enum kw_move_kind kind;
	enum kw_drain_end end;
	char words[KW_MOVE_ERROR_MAX];	/* why not MOVED */
	struct kw_u64 total_ms, downtime_ms; /* of one that moved */
};

struct kw_drain_how {
	const char *program;		/* kvmward itself */
	const char *progress_dir;	/* KW_MOVES_RUN_DIR */
	const char *const *options[2];	/* of migrate, by kw_move_kind; each ends with NULL */
	unsigned int jobs;		/* so many at a time, 1 to KW_DRAIN_JOBS_MAX */
	void (*told)(const struct kw_drain_move *move, void *data); /* one began or has ended */
	void *data;
};

/*
 * Moves them in their order, until all have ended. After SIGINT or SIGTERM none
 * is begun any more, and those under way are told by SIGINT to take back what
 * they can, and waited for. 0, or negative errno when one could not even be
 * begun.
 */
int kw_drain_run(const struct kw_drain_how *how, struct kw_drain_move *moves, size_t count);

#endif
