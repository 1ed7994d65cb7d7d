/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hands of a cold move: what its steps are, in calls of libvirt and kvmwardd. */
#include <errno.h>
#include <string.h>

#include "act/move_mark.h"
#include "base/clock.h"
#include "base/text.h"
#include "facts/domain_xml.h"
#include "mover/cold.h"
#include "mover/mover.h"

static void read_mark(const struct kw_mover *mover, const char *xml, struct kw_side *side)
{
	struct kw_mark mark;
	int error = kw_domain_xml_mark(xml, &mark);

	side->mark = mark.kind;
	side->foreign = !error && mark.kind != KW_MARK_NONE && strcmp(mark.job, mover->move.id);
	side->evacuated = side->foreign && !strcmp(mark.job, KW_MARK_EVACUATED);
}

static void look_at(struct kw_mover *mover, struct kw_move_side *from, struct kw_side *ret_side,
		    char *error, size_t error_size)
{
	_cleanup_free_ char *xml = NULL;
	struct kw_side side = { .state = kw_mover_look(mover, from, &xml, error, error_size) };

	if (xml)
		read_mark(mover, xml, &side);
	*ret_side = side;
}

static void note_times(struct kw_move *move, const struct kw_move_view *view)
{
	bool runs_there = view->there.state == KW_SIDE_RUNS;

	if (view->here.state == KW_SIDE_RUNS)
		move->off_ms = move->on_ms = 0;
	else if (!move->off_ms && view->here.state == KW_SIDE_OFF && move->memory.runs)
		move->off_ms = kw_clock_real_ms();
	if (runs_there && !move->on_ms)
		move->on_ms = kw_clock_real_ms();
}

static void look(void *data, struct kw_move_view *ret_view, char *error, size_t error_size)
{
	struct kw_mover *mover = data;

	look_at(mover, mover->there, &ret_view->there, error, error_size);
	look_at(mover, mover->here, &ret_view->here, error, error_size);
	ret_view->held = kw_mover_held(mover);
	note_times(&mover->move, ret_view);
}

static int mark(struct kw_mover *mover, struct kw_move_side *side, enum kw_mark_kind kind)
{
	struct kw_mark to = { .kind = kind };

	kw_text_copy(to.job, sizeof(to.job), mover->move.id);
	kw_text_copy(to.peer, sizeof(to.peer),
		     side == mover->here ? mover->move.host : mover->move.source);
	return kw_move_side_mark(side, &to);
}

static int define_there(struct kw_mover *mover)
{
	_cleanup_free_ char *xml = NULL;
	struct kw_mark to = { .kind = KW_MARK_ARRIVING };
	int result;

	kw_text_copy(to.job, sizeof(to.job), mover->move.id);
	kw_text_copy(to.peer, sizeof(to.peer), mover->move.source);
	result = kw_move_mark_definition(mover->move.xml, &to, &xml);
	return result ? result : kw_move_side_define(mover->there, xml);
}

/* A guest that is off and marked is saved no more: what is not there now will not be. */
static int give(struct kw_mover *mover, char *error, size_t error_size)
{
	int result = kw_mover_check_not_saved(mover, error, error_size);

	if (!result)
		result = kw_mover_outcome(mover->there, mark(mover, mover->there, KW_MARK_NONE),
					  error, error_size);
	return result;
}

/* Until then both would start it at boot, and its mark keeps it from that here. */
static int undefine_here(struct kw_mover *mover, char *error, size_t error_size)
{
	int result = kw_mover_set_autostart(mover);

	if (result)
		return kw_mover_outcome(mover->there, result, error, error_size);
	result = kw_move_side_undefine(mover->here, mover->move.nvram_new);
	return kw_mover_outcome(mover->here, result, error, error_size);
}

/* The steps of one call. */
static int call(struct kw_mover *mover, enum kw_move_step step)
{
	switch (step) {
	case KW_MOVE_DEFINE_THERE:
		return define_there(mover);
	case KW_MOVE_MARK_HERE:
		return mark(mover, mover->here, KW_MARK_LEAVING);
	case KW_MOVE_TAKE_BACK:
		return mark(mover, mover->there, KW_MARK_ARRIVING);
	case KW_MOVE_UNDEFINE_THERE:
		return kw_move_side_undefine(mover->there, mover->move.nvram_new);
	case KW_MOVE_UNMARK_HERE:
		return mark(mover, mover->here, KW_MARK_NONE);
	default:
		return -EINVAL;
	}
}

static bool is_there(enum kw_move_step step)
{
	return step == KW_MOVE_DEFINE_THERE || step == KW_MOVE_TAKE_BACK ||
	       step == KW_MOVE_UNDEFINE_THERE;
}

static int act(void *data, enum kw_move_step step, char *error, size_t error_size)
{
	struct kw_mover *mover = data;

	switch (step) {
	case KW_MOVE_HOLD:
		return kw_mover_hold(mover, error, error_size);
	case KW_MOVE_SHUT_DOWN:
		return kw_mover_shut_down(mover, error, error_size);
	case KW_MOVE_COPY:
		return kw_mover_copy(mover, error, error_size);
	case KW_MOVE_GIVE:
		return give(mover, error, error_size);
	case KW_MOVE_START_THERE:
		return kw_mover_start(mover, mover->there, error, error_size);
	case KW_MOVE_UNDEFINE_HERE:
		return undefine_here(mover, error, error_size);
	case KW_MOVE_START_HERE:
		return kw_mover_start(mover, mover->here, error, error_size);
	default:
		return kw_mover_outcome(is_there(step) ? mover->there : mover->here,
					call(mover, step), error, error_size);
	}
}

static int save(void *data)
{
	return kw_mover_save(data);
}

static void pause_for(void *data, unsigned int ms)
{
	kw_mover_pause(data, ms);
}

static uint64_t now(void *data)
{
	(void)data;
	return kw_clock_monotonic_ns() / KW_NS_PER_MS;
}

static unsigned int cancels(void *data)
{
	return kw_mover_cancels(data);
}

enum kw_move_state kw_mover_run_cold(struct kw_mover *mover)
{
	const struct kw_cold_hands hands = { mover, look, act, save, pause_for, now, cancels };
	const struct kw_move *move = &mover->move;
	enum kw_move_state state = kw_cold_run(&hands, &mover->move);

	if (move->on_ms > move->off_ms && move->off_ms)
		mover->progress.downtime_ms = KW_U64(move->on_ms - move->off_ms);
	return state;
}
