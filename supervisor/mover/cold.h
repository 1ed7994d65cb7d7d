/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MOVER_COLD_H
#define KW_MOVER_COLD_H

#include <stdint.h>

#include "model/move.h"
#include "policy/move_steps.h"

/* What a cold move does to the two hosts and to its job; tests have hands of their own. */
struct kw_cold_hands {
	void *data;

	/* What both hosts show now; error says why a side is not seen. */
	void (*look)(void *data, struct kw_move_view *ret_view, char *error, size_t error_size);

	/*
	 * Does the step. 0; -EAGAIN when the connection broke, so that it may be done
	 * or not; -EPERM when it is of no use to try that again; any other negative
	 * errno when it may be. Why not is in error.
	 */
	int (*act)(void *data, enum kw_move_step step, char *error, size_t error_size);

	/* The job is on disk when this returns. 0 or negative errno. */
	int (*save)(void *data);

	/* Waits that long, less when a cancel comes. */
	void (*pause)(void *data, unsigned int ms);

	/* A clock that only goes on. */
	uint64_t (*now_ms)(void *data);

	/* How often it was to be cancelled so far. */
	unsigned int (*cancels)(void *data);
};

/* As long as a guest that is off waits for its destination before it is started here again. */
#define KW_COLD_WAIT_MS 60000u
#define KW_COLD_PAUSE_MS 1000u

/*
 * Moves the guest of this job, or takes the move back, from wherever it is, until
 * it is in one place: KW_MOVE_MOVED or KW_MOVE_STAYED. KW_MOVE_STOPPED with the
 * reason in move->error where only people can go on, or when it was cancelled
 * twice. The move is the one that hands->save() saves.
 */
enum kw_move_state kw_cold_run(const struct kw_cold_hands *hands, struct kw_move *move);

#endif
