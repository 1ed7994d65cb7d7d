/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MOVE_RUN_H
#define KW_CLI_MOVE_RUN_H

#include "cli/command.h"
#include "model/move.h"

/* Moves as jobs: each answers 0 or the exit status, after a message that begins with command. */
struct kw_move_run {
	const char *command;		/* borrowed */
	bool json;			/* progress and result as an object on a line each */
	bool undo;			/* the guest is wanted here, and not at its destination */
};

/*
 * Fills in a new job with what libvirt tells of the guest, by name or UUID; kind
 * and options are the caller's to have set. The caller ends it.
 */
enum kw_exit kw_move_run_prepare(const struct kw_move_run *run, const char *guest, const char *uri,
				 struct kw_move *move);

/* Puts the job on disk, has systemd start its mover, and follows that to its end. */
enum kw_exit kw_move_run_begin(const struct kw_move_run *run, const struct kw_move *move);

/* Has systemd start the mover of a job that is there, in that direction, and follows it. */
enum kw_exit kw_move_run_again(const struct kw_move_run *run, const char *uuid, bool undo);

/* Asks the mover to take the move back, and follows that. */
enum kw_exit kw_move_run_cancel(const struct kw_move_run *run, const char *uuid);

#endif
