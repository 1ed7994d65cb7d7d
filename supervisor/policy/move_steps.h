/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MOVE_STEPS_H
#define KW_POLICY_MOVE_STEPS_H

#include "model/move_view.h"

/*
 * A cold move, step by step. A guest on the move is defined on two hosts. The one
 * whose definition has no mark may start it, and at any moment that is at most
 * one of them:
 *
 *	step			here		there		may start it
 *	(before)		runs		absent		here
 *	HOLD			runs		a hold		here
 *	DEFINE_THERE		runs		off, arriving	here
 *	SHUT_DOWN		off		off, arriving	here
 *	MARK_HERE, COPY		off, leaving	off, arriving	neither
 *	GIVE			off, leaving	off		there
 *	START_THERE		off, leaving	runs		there
 *	UNDEFINE_HERE		absent		runs		there
 *
 * The way back takes the right from the destination first: TAKE_BACK marks its
 * definition, UNDEFINE_THERE removes it, UNMARK_HERE, START_HERE. What the
 * destination was once given it loses for good only with its definition: a late
 * message that gives it once more then finds nothing. A mark is set on a guest
 * that is off, and libvirt sets none while it starts one, so whoever sees "off"
 * and the mark together knows that it stays off.
 */
enum kw_move_step {
	KW_MOVE_HOLD,
	KW_MOVE_DEFINE_THERE,	/* with the mark "arriving" in it */
	KW_MOVE_SHUT_DOWN,
	KW_MOVE_MARK_HERE,	/* "leaving" */
	KW_MOVE_COPY,
	KW_MOVE_GIVE,		/* no mark there any more */
	KW_MOVE_START_THERE,
	KW_MOVE_UNDEFINE_HERE,
	KW_MOVE_DONE,		/* it is there, and only there */

	KW_MOVE_TAKE_BACK,	/* mark it there, "arriving" */
	KW_MOVE_UNDEFINE_THERE,
	KW_MOVE_UNMARK_HERE,
	KW_MOVE_START_HERE,
	KW_MOVE_UNDONE,		/* it is here, and only here */

	KW_MOVE_TOO_LATE,	/* to undo: it runs there, or is defined nowhere else */
	KW_MOVE_WAIT_HERE,	/* nothing can be done until libvirt here can be asked */
	KW_MOVE_WAIT_THERE,
	KW_MOVE_STUCK,		/* somebody else has had a hand in it: it is for people to decide */
	KW_MOVE_STEP_COUNT,
};

/* "hold", "define-there" and so on: for job files and messages. */
const char *kw_move_step_name(enum kw_move_step step);

/*
 * The next step, from what was seen after the last one. The memory is brought in
 * line with it and has to be saved before the step is done, whose outcome is
 * learnt by the next look and in no other way. The caller sets undo when a step
 * cannot be done (KW_MOVE_TOO_LATE answers where that is no way out, and undo has
 * to be cleared), copied and started after those steps, and lost when the guest
 * cannot be started here again.
 */
enum kw_move_step kw_move_next(const struct kw_move_view *view, struct kw_move_memory *memory);

#endif
