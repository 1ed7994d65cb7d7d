/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Off here, on there: the two moments that a guest of a cold move feels. */
#include <errno.h>
#include <stdio.h>

#include "act/qemu_log.h"
#include "base/clock.h"
#include "base/text.h"
#include "mover/mover.h"

#define LOOK_MS 200u
#define ASK_AGAIN_MS 10000u	/* one that was busy booting has missed it: Nova asks as often */
#define SETTLE_MS 2000u		/* what cannot run shows it by then */

/* 1 when the guest is off, 0 when not. */
static int is_off(struct kw_move_side *side)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;
	int result = kw_move_side_look(side, &state, &xml);

	return result ? result : state != KW_SIDE_RUNS;
}

static int power_off(struct kw_mover *mover, char *error, size_t error_size)
{
	int result = kw_move_side_power_off(mover->here), off;

	if (!result)
		return 0;
	off = is_off(mover->here);
	if (off == 1)
		return 0;
	return kw_mover_outcome(mover->here, off < 0 ? off : result, error, error_size);
}

/* One that sleeps hears nothing of it. */
static int check_awake(struct kw_mover *mover, char *error, size_t error_size)
{
	bool awake;
	int result = kw_move_side_is_awake(mover->here, &awake);

	if (result || awake)
		return kw_mover_outcome(mover->here, result, error, error_size);
	result = is_off(mover->here);
	if (result)
		return result < 0 ? kw_mover_outcome(mover->here, result, error, error_size) : 0;
	kw_text_copy(error, error_size, "it is paused or asleep, and cannot shut down; 'virsh "
		     "resume' or 'virsh dompmwakeup' wakes it, --force powers it off");
	return -EPERM;
}

static int too_long(struct kw_mover *mover, char *error, size_t error_size)
{
	snprintf(error, error_size, "it has not shut down within %u s, though it may do so yet; "
		 "--shutdown-timeout gives it longer, --force powers it off then",
		 mover->move.options.shutdown_timeout_s);
	return -EPERM;
}

/* To cancel does not end this: it was asked, and will be off at some time. */
static int wait_off(struct kw_mover *mover, char *error, size_t error_size)
{
	uint64_t begun_ns = kw_clock_monotonic_ns(), limit_ms, passed_ms, asked_ms = 0;
	int off;

	limit_ms = mover->move.options.shutdown_timeout_s * 1000ull;
	while ((off = is_off(mover->here)) == 0) {
		passed_ms = (kw_clock_monotonic_ns() - begun_ns) / KW_NS_PER_MS;
		if (passed_ms >= limit_ms)
			return mover->move.options.force ? power_off(mover, error, error_size)
							 : too_long(mover, error, error_size);
		if (passed_ms - asked_ms >= ASK_AGAIN_MS) {
			kw_move_side_shut_down(mover->here);
			asked_ms = passed_ms;
		}
		kw_mover_tell(mover);
		kw_mover_pause(mover, LOOK_MS);
	}
	return off < 0 ? kw_mover_outcome(mover->here, off, error, error_size) : 0;
}

static int turn_off(struct kw_mover *mover, char *error, size_t error_size)
{
	bool force = mover->move.options.force;
	int result = check_awake(mover, error, error_size);

	if (result)
		return result == -EPERM && force ? power_off(mover, error, error_size) : result;
	result = kw_move_side_shut_down(mover->here);
	if (result && result != -EIO)
		return kw_mover_outcome(mover->here, result, error, error_size);
	return wait_off(mover, error, error_size);
}

/* Who has saved it wants it off, and its memory kept: so it stays. */
int kw_mover_check_not_saved(struct kw_mover *mover, char *error, size_t error_size)
{
	bool saved = false;
	int result = kw_move_side_is_saved(mover->here, &saved);

	if (result || !saved)
		return kw_mover_outcome(mover->here, result, error, error_size);
	mover->move.memory.runs = false;
	kw_text_copy(error, error_size, "it was saved, not shut down; 'virsh start' goes on with it");
	return -EPERM;
}

int kw_mover_shut_down(struct kw_mover *mover, char *error, size_t error_size)
{
	int result = turn_off(mover, error, error_size);

	return result ? result : kw_mover_check_not_saved(mover, error, error_size);
}

static int check_runs(struct kw_move_side *side, char *error, size_t error_size)
{
	bool awake = false;
	int result = kw_move_side_is_awake(side, &awake);

	if (!result && awake)
		return 0;
	kw_mover_outcome(side, result, error, error_size);
	if (!result)
		kw_text_copy(error, error_size, "it was started and does not run; see its log in "
			     KW_QEMU_LOG_DIR);
	return result == -ENOTCONN ? -EAGAIN : -EPERM;
}

int kw_mover_start(struct kw_mover *mover, struct kw_move_side *side, char *error,
		   size_t error_size)
{
	int result = kw_move_side_start(side);

	if (result == -ENOTCONN)
		return kw_mover_outcome(side, result, error, error_size);
	if (result) {
		kw_mover_outcome(side, result, error, error_size);
		return side == mover->here ? -EIO : -EPERM;
	}
	kw_mover_pause(mover, SETTLE_MS);
	return check_runs(side, error, error_size);
}
