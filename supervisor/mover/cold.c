/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mover/cold.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

#define FAILURES_MOST 3u	/* of one step, each time refused for a reason that may pass */
#define BREAKS_MOST 20u		/* of one step, each time the connection broke */

struct cold {
	const struct kw_cold_hands *hands;
	struct kw_move *move;
	unsigned int cancels;		/* that were heeded */
	unsigned int failures;		/* of this step in a row; what does not last is one, too */
	unsigned int breaks;		/* of the connection, likewise */
	uint64_t waits_since_ms;	/* with a side out of sight; 0 when both are seen */
	enum kw_move_step step;
	bool too_late;			/* to take it back, as has been found out */
};

static void set_error(struct cold *cold, const char *error)
{
	kw_text_copy(cold->move->error, sizeof(cold->move->error), error);
}

/* A second cancel means: whatever is waited for, wait no more. */
static bool hear_cancel(struct cold *cold)
{
	unsigned int cancels = cold->hands->cancels(cold->hands->data);
	bool again = cancels > 1;

	if (cancels > cold->cancels && !cold->move->memory.undo && !cold->too_late) {
		cold->move->memory.undo = true;
		set_error(cold, "cancelled");
	}
	cold->cancels = cancels;
	return again;
}

static bool is_wait(enum kw_move_step step)
{
	return step == KW_MOVE_WAIT_HERE || step == KW_MOVE_WAIT_THERE;
}

static void begin_step(struct cold *cold, enum kw_move_step step)
{
	if (step != cold->step)
		cold->failures = cold->breaks = 0;
	if (!is_wait(step)) {
		cold->waits_since_ms = 0;
		if (!cold->move->memory.undo)
			cold->move->error[0] = '\0';
	}
	cold->step = step;
	kw_text_copy(cold->move->step, sizeof(cold->move->step), kw_move_step_name(step));
}

/* As long as the destination was not let start it, the guest is better off here. */
static void wait(struct cold *cold, const char *error)
{
	struct kw_move_memory *memory = &cold->move->memory;
	uint64_t now_ms = cold->hands->now_ms(cold->hands->data);

	if (!cold->waits_since_ms)
		cold->waits_since_ms = now_ms;
	if (!memory->undo)
		set_error(cold, error);
	if (cold->step == KW_MOVE_WAIT_THERE && !memory->given && !cold->too_late &&
	    now_ms - cold->waits_since_ms >= KW_COLD_WAIT_MS)
		memory->undo = true;
	cold->hands->save(cold->hands->data);
	cold->hands->pause(cold->hands->data, KW_COLD_PAUSE_MS);
}

/* False when there is nothing else to try. */
static bool give_up(struct cold *cold, const char *error)
{
	struct kw_move_memory *memory = &cold->move->memory;
	char first[KW_MOVE_ERROR_MAX / 2];

	if (cold->step == KW_MOVE_START_HERE) {
		memory->lost = true;
		kw_text_copy(first, sizeof(first), cold->move->error);
		snprintf(cold->move->error, sizeof(cold->move->error),
			 "%s; and it does not start here again: %.400s", first, error);
		return true;
	}
	set_error(cold, error);
	if (memory->undo || cold->too_late)
		return false;
	memory->undo = true;
	return true;
}

/* False when the step will not be done, ever, and there is no other. */
static bool judge(struct cold *cold, int result, const char *error)
{
	struct kw_move_memory *memory = &cold->move->memory;

	if (!result) {
		memory->copied |= cold->step == KW_MOVE_COPY;
		memory->started |= cold->step == KW_MOVE_START_THERE;
		error = "it was done again and again, and somebody undid it each time";
	}
	if (result == -EAGAIN ? ++cold->breaks >= BREAKS_MOST
			      : result == -EPERM || ++cold->failures >= FAILURES_MOST)
		return give_up(cold, error);
	if (result)
		cold->hands->pause(cold->hands->data, KW_COLD_PAUSE_MS);
	return true;
}

static bool do_step(struct cold *cold)
{
	char error[KW_MOVE_ERROR_MAX] = "";
	int result = cold->hands->save(cold->hands->data);

	if (result) {
		set_error(cold, "the job cannot be saved, and nothing is done that is not on disk");
		return false;
	}
	result = cold->hands->act(cold->hands->data, cold->step, error, sizeof(error));
	return judge(cold, result, error);
}

/* Why nobody but people can tell what to do. */
static void tell_stuck(struct cold *cold, const struct kw_move_view *view)
{
	const struct kw_side *here = &view->here, *there = &view->there;

	if (here->state == KW_SIDE_RUNS && there->state == KW_SIDE_RUNS)
		set_error(cold, "it runs on both hosts; stop one of them at once");
	else if (here->state == KW_SIDE_ABSENT && there->state == KW_SIDE_ABSENT)
		set_error(cold, "it is defined on neither host; the job still has its definition");
	else if (here->evacuated)
		set_error(cold, "a host has taken it while this one was gone; see that it is there, "
			  "'virsh undefine' it here, and resume");
	else if (here->foreign || there->foreign)
		set_error(cold, "its definition has the mark of another move");
	else
		set_error(cold, "it is defined on both hosts, and not by this move alone; "
				"undefine it on the one that is not to have it");
}

/* True when it is over, with how. */
static bool is_over(struct cold *cold, const struct kw_move_view *view, const char *error,
		    bool again, enum kw_move_state *ret_state)
{
	if (cold->step == KW_MOVE_DONE)
		*ret_state = KW_MOVE_MOVED;
	else if (cold->step == KW_MOVE_UNDONE)
		*ret_state = KW_MOVE_STAYED;
	else
		*ret_state = KW_MOVE_STOPPED;
	if (cold->step == KW_MOVE_STUCK)
		tell_stuck(cold, view);
	else if (is_wait(cold->step) && again)
		set_error(cold, error);
	else
		return *ret_state != KW_MOVE_STOPPED;
	return true;
}

enum kw_move_state kw_cold_run(const struct kw_cold_hands *hands, struct kw_move *move)
{
	struct cold cold = { .hands = hands, .move = move, .step = KW_MOVE_STEP_COUNT };
	enum kw_move_state state = KW_MOVE_STOPPED;

	for (;;) {
		bool again = hear_cancel(&cold);
		char error[KW_MOVE_ERROR_MAX] = "";
		struct kw_move_view view;

		hands->look(hands->data, &view, error, sizeof(error));
		begin_step(&cold, kw_move_next(&view, &move->memory));
		if (is_over(&cold, &view, error, again, &state))
			break;
		if (cold.step == KW_MOVE_TOO_LATE) {
			move->memory.undo = false;
			cold.too_late = true;
		} else if (is_wait(cold.step)) {
			wait(&cold, error);
		} else if (!do_step(&cold)) {
			break;
		}
	}
	return state;
}
