/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A live move: libvirt does it, and is watched, stopped, and asked what came of it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "mover/live.h"
#include "mover/mover.h"

#define LOOK_MS 500u
#define ABORT_AGAIN_MS 2000u
/* Both show it for a moment: one side has let go, and the other not yet. */
#define BOTH_MOST_MS 60000u

/*
 * libvirt's call, which returns when all is over, in a thread with a connection of its own.
 * Until then this is the thread's.
 */
struct carrier {
	struct kw_move_side *side;
	char uri[KW_MOVE_URI_MAX], *disks;
	struct kw_move_live live;
	int result;
	int done_fd;
};

static void carrier_free(struct carrier *carrier)
{
	if (!carrier)
		return;
	kw_move_side_free(carrier->side);
	free(carrier->disks);
	if (carrier->done_fd >= 0)
		close(carrier->done_fd);
	free(carrier);
}

KW_CLEANUP_OF(struct carrier, carrier_free);

/* NULL with errno. */
static struct carrier *carrier_create(const struct kw_move *move)
{
	_cleanup_(carrier_free_at) struct carrier *carrier = calloc(1, sizeof(*carrier));

	if (!carrier)
		return NULL;
	kw_text_copy(carrier->uri, sizeof(carrier->uri), move->uri);
	carrier->disks = strdup(move->copy_disks ?: "");
	carrier->live = (struct kw_move_live){ carrier->uri, move->persistent, carrier->disks };
	carrier->done_fd = eventfd(0, EFD_CLOEXEC);
	carrier->side = kw_move_side_create(NULL, move->uuid);
	return carrier->disks && carrier->done_fd >= 0 && carrier->side ? KW_STEAL(carrier) : NULL;
}

static void *carry(void *data)
{
	struct carrier *carrier = data;

	carrier->result = kw_move_side_migrate(carrier->side, &carrier->live);
	eventfd_write(carrier->done_fd, 1);
	return NULL;
}

static bool is_late(const struct kw_mover *mover, uint64_t begun_ns)
{
	uint32_t limit_s = mover->move.options.timeout_s;

	return limit_s && kw_clock_monotonic_ns() - begun_ns >= limit_s * KW_NS_PER_S;
}

/* Whether it is to be stopped, which is told once. */
static bool is_unwanted(struct kw_mover *mover, uint64_t begun_ns)
{
	struct kw_move *move = &mover->move;

	if (move->memory.undo)
		return true;
	if (kw_mover_cancels(mover))
		kw_text_copy(move->error, sizeof(move->error), "cancelled");
	else if (is_late(mover, begun_ns))
		snprintf(move->error, sizeof(move->error), "not moved within the %u s of --timeout",
			 move->options.timeout_s);
	else
		return false;
	move->memory.undo = true;
	return true;
}

static void copy_stats(struct kw_mover *mover, const struct kw_move_stats *stats)
{
	mover->progress.total_bytes = stats->total_bytes;
	mover->progress.moved_bytes = stats->moved_bytes;
	mover->progress.remaining_bytes = stats->remaining_bytes;
	mover->progress.bytes_per_s = stats->bytes_per_s;
	mover->progress.downtime_ms = stats->downtime_ms;
}

/* A look at what libvirt does. False when it says that it does nothing of the kind. */
static bool watch(struct kw_mover *mover, uint64_t begun_ns, uint64_t *aborted_ns)
{
	struct kw_move_stats stats = {};
	uint64_t now_ns = kw_clock_monotonic_ns();
	int result = kw_move_side_stats(mover->here, false, &stats);

	if (!result && stats.active)
		copy_stats(mover, &stats);
	if (is_unwanted(mover, begun_ns) &&
	    now_ns - *aborted_ns >= ABORT_AGAIN_MS * KW_NS_PER_MS) {
		kw_move_side_abort(mover->here);
		*aborted_ns = now_ns;
	}
	kw_mover_tell(mover);
	return result ? result == -ENOTCONN : stats.active;
}

/*
 * What is under way although nobody here waits for a call of libvirt: its connection broke, or
 * the mover that had begun it ended. False when it still is, and was to be waited for no more.
 */
static bool follow(struct kw_mover *mover)
{
	uint64_t begun_ns = kw_clock_monotonic_ns(), aborted_ns = 0;

	while (watch(mover, begun_ns, &aborted_ns)) {
		if (mover->cancels > 1)
			return false;
		kw_mover_pause(mover, LOOK_MS);
	}
	return true;
}

/* False when it is not over, and was to be waited for no more. */
static bool wait_for(struct kw_mover *mover, const struct carrier *carrier)
{
	struct pollfd done = { .fd = carrier->done_fd, .events = POLLIN };
	uint64_t begun_ns = kw_clock_monotonic_ns(), aborted_ns = 0;

	while (poll(&done, 1, (int)LOOK_MS) <= 0) {
		if (kw_mover_cancels(mover) > 1)
			return false;
		watch(mover, begun_ns, &aborted_ns);
	}
	return true;
}

/* As wait_for(). A thread that is left behind keeps what it works with: the program ends soon. */
static bool migrate(struct kw_mover *mover)
{
	struct kw_move *move = &mover->move;
	_cleanup_(carrier_free_at) struct carrier *carrier = carrier_create(move);
	pthread_t thread;
	int error = carrier ? pthread_create(&thread, NULL, carry, carrier) : errno;

	if (error) {
		kw_text_copy(move->error, sizeof(move->error), strerror(error));
		return true;
	}
	if (!wait_for(mover, carrier)) {
		pthread_detach(thread);
		(void)KW_STEAL(carrier);
		return false;
	}
	pthread_join(thread, NULL);
	if (carrier->result && !move->memory.undo)
		kw_text_copy(move->error, sizeof(move->error), kw_move_side_error(carrier->side));
	return true;
}

/* Why a side is not seen is in the move's error, unless there is one already. */
static enum kw_side_state look_at(struct kw_mover *mover, struct kw_move_side *from)
{
	_cleanup_free_ char *xml = NULL;
	char error[KW_MOVE_ERROR_MAX];
	enum kw_side_state state = kw_mover_look(mover, from, &xml, error, sizeof(error));

	if (state == KW_SIDE_UNKNOWN && !mover->move.error[0])
		kw_text_copy(mover->move.error, sizeof(mover->move.error), error);
	return state;
}

/* Measured by libvirt; of a guest that has gone the other side tells. */
static void tell_figures(struct kw_mover *mover)
{
	struct kw_move_stats stats;

	mover->progress.downtime_ms = (struct kw_u64){ 0 };
	if (!kw_move_side_stats(mover->there, true, &stats))
		copy_stats(mover, &stats);
}

/* Left behind when libvirt could not undefine it: it could be started here, and must not. */
static enum kw_move_state finish(struct kw_mover *mover, enum kw_side_state here,
				 enum kw_side_state there)
{
	struct kw_move *move = &mover->move;

	tell_figures(mover);
	move->error[0] = '\0';
	move->memory.runs = there == KW_SIDE_RUNS;
	if (here == KW_SIDE_OFF && kw_move_side_undefine(mover->here, false)) {
		snprintf(move->error, sizeof(move->error), "it runs there, and its definition here "
			 "cannot be removed: %.500s", kw_move_side_error(mover->here));
		return KW_MOVE_STOPPED;
	}
	if (!kw_mover_set_autostart(mover))
		return KW_MOVE_MOVED;
	kw_text_copy(move->error, sizeof(move->error), kw_move_side_error(mover->there));
	return KW_MOVE_RUNNING;
}

/* libvirt defines it there before it lets it run, and leaves that behind when it cannot run. */
static enum kw_move_state stay(struct kw_mover *mover, enum kw_side_state here,
			       enum kw_side_state there)
{
	struct kw_move *move = &mover->move;
	int result = 0;

	move->memory.runs = here == KW_SIDE_RUNS;
	if (here == KW_SIDE_ABSENT)
		kw_text_copy(move->error, sizeof(move->error), "it has ended meanwhile, and "
			     "nothing is left of it");
	else if (here == KW_SIDE_OFF)
		kw_text_copy(move->error, sizeof(move->error), "it has gone off meanwhile");
	if (there == KW_SIDE_OFF && move->persistent)
		result = kw_move_side_undefine(mover->there, false);
	if (!result)
		return KW_MOVE_STAYED;
	if (result == -ENOTCONN)
		return KW_MOVE_RUNNING;
	snprintf(move->error, sizeof(move->error), "it runs here, and its definition there cannot "
		 "be removed: %.500s", kw_move_side_error(mover->there));
	return KW_MOVE_STOPPED;
}

static enum kw_move_state tell_unclear(struct kw_mover *mover, enum kw_side_state here,
				       enum kw_side_state there)
{
	struct kw_move *move = &mover->move;

	if (here == KW_SIDE_RUNS && there == KW_SIDE_RUNS)
		kw_text_copy(move->error, sizeof(move->error), "both hosts have it, and libvirt "
			     "does not move it; see 'virsh list' on both");
	else if (kw_live_judge(here, there, move->persistent) == KW_MOVE_STOPPED)
		kw_text_copy(move->error, sizeof(move->error),
			     "it runs on neither host, and is not defined on one alone");
	return KW_MOVE_STOPPED;
}

/* Waits for a side that is out of sight until it is told to wait no more. */
static enum kw_move_state conclude(struct kw_mover *mover)
{
	uint32_t both_ms = 0;

	for (;;) {
		enum kw_side_state here = look_at(mover, mover->here);
		enum kw_side_state there = look_at(mover, mover->there);
		enum kw_move_state state = kw_live_judge(here, there, mover->move.persistent);

		if (state == KW_MOVE_STOPPED)
			return tell_unclear(mover, here, there);
		if (state == KW_MOVE_MOVED)
			state = finish(mover, here, there);
		else if (state == KW_MOVE_STAYED)
			state = stay(mover, here, there);
		if (state != KW_MOVE_RUNNING)
			return state;
		if (here == KW_SIDE_RUNS && there == KW_SIDE_RUNS)
			both_ms += LOOK_MS;
		if (both_ms >= BOTH_MOST_MS || mover->cancels > 1)
			return tell_unclear(mover, here, there);
		kw_mover_tell(mover);
		kw_mover_pause(mover, LOOK_MS);
	}
}

static enum kw_move_state leave(struct kw_mover *mover)
{
	kw_text_copy(mover->move.error, sizeof(mover->move.error),
		     "libvirt may still be moving it, and was to be waited for no more");
	return KW_MOVE_STOPPED;
}

static enum kw_move_state settle(struct kw_mover *mover)
{
	return follow(mover) ? conclude(mover) : leave(mover);
}

/*
 * Whatever is defined there once this job has begun is of its own making; and a host that is not
 * there now cannot be asked what came of it.
 */
static bool may_begin(struct kw_mover *mover)
{
	struct kw_move *move = &mover->move;
	enum kw_side_state there;

	if (move->memory.undo)
		return false;
	move->error[0] = '\0';
	there = look_at(mover, mover->there);
	if (there != KW_SIDE_UNKNOWN && there != KW_SIDE_ABSENT)
		snprintf(move->error, sizeof(move->error), "%s has a guest of its UUID already",
			 move->host);
	return there == KW_SIDE_ABSENT;
}

enum kw_move_state kw_mover_run_live(struct kw_mover *mover)
{
	struct kw_move *move = &mover->move;
	bool resumed = move->step[0];

	if (!resumed && !may_begin(mover))
		return KW_MOVE_STAYED;
	kw_text_copy(move->step, sizeof(move->step), "migrate");
	if (kw_mover_save(mover)) {
		kw_text_copy(move->error, sizeof(move->error), "the job cannot be saved");
		return resumed ? KW_MOVE_STOPPED : KW_MOVE_STAYED;
	}
	if (resumed) {
		enum kw_move_state state = settle(mover);

		if (state != KW_MOVE_STAYED || move->memory.undo || !move->memory.runs)
			return state;
	}
	return migrate(mover) ? settle(mover) : leave(mover);
}
