/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/move_steps.h"

static const char *const names[] = {
	[KW_MOVE_HOLD] = "hold",
	[KW_MOVE_DEFINE_THERE] = "define-there",
	[KW_MOVE_SHUT_DOWN] = "shut-down",
	[KW_MOVE_MARK_HERE] = "mark-here",
	[KW_MOVE_COPY] = "copy",
	[KW_MOVE_GIVE] = "give",
	[KW_MOVE_START_THERE] = "start-there",
	[KW_MOVE_UNDEFINE_HERE] = "undefine-here",
	[KW_MOVE_DONE] = "done",
	[KW_MOVE_TAKE_BACK] = "take-back",
	[KW_MOVE_UNDEFINE_THERE] = "undefine-there",
	[KW_MOVE_UNMARK_HERE] = "unmark-here",
	[KW_MOVE_START_HERE] = "start-here",
	[KW_MOVE_UNDONE] = "undone",
	[KW_MOVE_TOO_LATE] = "too-late",
	[KW_MOVE_WAIT_HERE] = "wait-here",
	[KW_MOVE_WAIT_THERE] = "wait-there",
	[KW_MOVE_STUCK] = "stuck",
};

const char *kw_move_step_name(enum kw_move_step step)
{
	return step < KW_MOVE_STEP_COUNT ? names[step] : "unknown";
}

static bool exists(const struct kw_side *side)
{
	return side->state == KW_SIDE_OFF || side->state == KW_SIDE_RUNS;
}

static bool is_marked(const struct kw_side *side, enum kw_mark_kind kind)
{
	return exists(side) && side->mark == kind;
}

/* Nothing that this job, or a start that it allows, brings about. */
static bool is_odd(const struct kw_move_view *view)
{
	const struct kw_side *here = &view->here, *there = &view->there;

	if ((exists(here) && here->foreign) || (exists(there) && there->foreign))
		return true;
	if (is_marked(here, KW_MARK_ARRIVING) || is_marked(here, KW_MARK_UNKNOWN) ||
	    is_marked(there, KW_MARK_LEAVING) || is_marked(there, KW_MARK_UNKNOWN))
		return true;
	if (here->state == KW_SIDE_RUNS && there->state == KW_SIDE_RUNS)
		return true;
	/* A definition of the destination's own, or a mark that was removed by hand. */
	return is_marked(here, KW_MARK_NONE) && is_marked(there, KW_MARK_NONE);
}

static void learn(const struct kw_move_view *view, struct kw_move_memory *memory)
{
	if (view->here.state == KW_SIDE_RUNS)
		memory->runs = true;
	if (view->there.state == KW_SIDE_RUNS)
		memory->started = true;
	if (view->there.state == KW_SIDE_ABSENT)
		memory->given = memory->copied = memory->started = false;
}

/* It is off here, and marked: the destination may have it. */
static enum kw_move_step hand_over(const struct kw_move_view *view, struct kw_move_memory *memory)
{
	if (is_marked(&view->there, KW_MARK_NONE))
		return memory->started || !memory->runs ? KW_MOVE_UNDEFINE_HERE :
							  KW_MOVE_START_THERE;
	if (memory->runs && !memory->started && !view->held)
		return KW_MOVE_HOLD;
	if (!memory->copied && !memory->started)
		return KW_MOVE_COPY;
	memory->given = true;
	return KW_MOVE_GIVE;
}

static enum kw_move_step forward_alone(const struct kw_move_view *view)
{
	if (view->there.state == KW_SIDE_ABSENT)
		return KW_MOVE_STUCK;
	return view->there.mark == KW_MARK_NONE ? KW_MOVE_DONE : KW_MOVE_GIVE;
}

static enum kw_move_step forward(const struct kw_move_view *view, struct kw_move_memory *memory)
{
	if (view->here.state == KW_SIDE_ABSENT)
		return forward_alone(view);
	/* A start of the destination's own doing, past its mark: first of all none here. */
	if (view->there.state == KW_SIDE_RUNS && view->here.mark == KW_MARK_NONE)
		return KW_MOVE_MARK_HERE;
	if (memory->runs && !view->held && view->here.state == KW_SIDE_RUNS)
		return KW_MOVE_HOLD;
	if (view->there.state == KW_SIDE_ABSENT)
		return KW_MOVE_DEFINE_THERE;
	if (view->here.state == KW_SIDE_RUNS)
		return KW_MOVE_SHUT_DOWN;
	if (view->here.mark == KW_MARK_NONE)
		return KW_MOVE_MARK_HERE;
	return hand_over(view, memory);
}

/* It is here, and the destination cannot start it whatever it was told before. */
static enum kw_move_step come_back(const struct kw_move_view *view,
				   const struct kw_move_memory *memory)
{
	if (view->here.mark == KW_MARK_LEAVING)
		return KW_MOVE_UNMARK_HERE;
	if (view->here.state == KW_SIDE_OFF && memory->runs && !memory->lost)
		return KW_MOVE_START_HERE;
	if (view->there.state == KW_SIDE_UNKNOWN)
		return KW_MOVE_WAIT_THERE;
	return view->there.state == KW_SIDE_ABSENT ? KW_MOVE_UNDONE : KW_MOVE_UNDEFINE_THERE;
}

static enum kw_move_step undo(const struct kw_move_view *view, const struct kw_move_memory *memory)
{
	if (view->here.state == KW_SIDE_ABSENT || view->there.state == KW_SIDE_RUNS)
		return KW_MOVE_TOO_LATE;
	if (view->there.state == KW_SIDE_UNKNOWN && memory->given)
		return KW_MOVE_WAIT_THERE;
	if (is_marked(&view->there, KW_MARK_NONE))
		return KW_MOVE_TAKE_BACK;
	if (memory->given)
		return KW_MOVE_UNDEFINE_THERE;
	return come_back(view, memory);
}

enum kw_move_step kw_move_next(const struct kw_move_view *view, struct kw_move_memory *memory)
{
	learn(view, memory);
	if (view->here.state == KW_SIDE_UNKNOWN)
		return KW_MOVE_WAIT_HERE;
	if (is_odd(view))
		return KW_MOVE_STUCK;
	if (memory->undo)
		return undo(view, memory);
	return view->there.state == KW_SIDE_UNKNOWN ? KW_MOVE_WAIT_THERE : forward(view, memory);
}
