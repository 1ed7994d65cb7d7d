/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MOVE_FOLLOW_H
#define KW_CLI_MOVE_FOLLOW_H

#include "cli/move_run.h"

/* From here on Ctrl-C waits for kw_move_follow(). Before a job is on disk. */
void kw_move_follow_signals(void);

/*
 * Shows a move until its mover, that unit, has ended, and then how it went. Ctrl-C has
 * it taken back, and a second one only ends the showing. KW_EXIT_DONE when the guest
 * is where the command was to bring it, whatever Ctrl-C had done; KW_EXIT_REFUSED when
 * it was refused.
 */
enum kw_exit kw_move_follow(const struct kw_move_run *run, const char *uuid, const char *unit);

#endif
