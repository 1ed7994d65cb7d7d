/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvmward-mover: moves one guest, as its job says, and is started by systemd. What
 * it knows it has from the job and from both hosts, so it may be killed at any
 * moment and started again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "ledger/moves.h"
#include "mover/mover.h"

static const char usage[] =
	"Usage: kvmward-mover UUID\n"
	"Goes on with the move of this guest. systemd runs it, as kvmward-move@UUID;\n"
	"'kvmward migrate' begins a move, 'kvmward job resume' starts this again.\n";

static void mover_done(struct kw_mover *mover)
{
	kw_bus_close(mover->hold);
	kw_move_side_free(mover->here);
	kw_move_side_free(mover->there);
	kw_move_done(&mover->move);
}

static int fail(const char *uuid, const char *what, const char *why)
{
	fprintf(stderr, "kvmward-mover: %s: %s: %s\n", uuid, what, why);
	return EXIT_FAILURE;
}

/* Nothing of an undone or a finished move is left but how it went. */
static void end(struct kw_mover *mover, enum kw_move_state state)
{
	struct kw_move *move = &mover->move;
	int error = 0;

	if (state == KW_MOVE_STOPPED)
		kw_move_save(mover->jobs_dir, move);
	mover->progress.state = state;
	kw_mover_tell(mover);
	if (state != KW_MOVE_STOPPED)
		error = kw_move_remove(mover->jobs_dir, move->uuid);
	if (error)
		fprintf(stderr, "%s: the job is over and cannot be removed: %s\n", move->name,
			strerror(-error));
	fprintf(stderr, "%s: %s%s%s\n", move->name, kw_move_state_name(state),
		move->error[0] ? ": " : "", move->error);
}

static enum kw_move_state run(struct kw_mover *mover)
{
	struct kw_move *move = &mover->move;

	fprintf(stderr, "%s: %s to %s\n", move->name,
		move->memory.undo ? "taking back its move" : "moving", move->host);
	kw_text_copy(move->error, sizeof(move->error),
		     move->memory.undo ? "its move was taken back" : "");
	move->verdict = (struct kw_verdict){ .code = KW_ADMITTED };
	mover->progress.state = KW_MOVE_RUNNING;
	kw_mover_tell(mover);
	return move->kind == KW_MOVE_LIVE ? kw_mover_run_live(mover) : kw_mover_run_cold(mover);
}

/* Who looks at jobs has the lock for a moment, too. */
static int take_lock(const char *uuid)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	int lock = kw_move_lock(KW_MOVES_RUN_DIR, uuid);

	for (int i = 0; lock == -EWOULDBLOCK && i < 50; i++) {
		nanosleep(&pause, NULL);
		lock = kw_move_lock(KW_MOVES_RUN_DIR, uuid);
	}
	return lock;
}

static int work(struct kw_mover *mover, const char *uuid)
{
	char error[512];
	enum kw_move_state state;
	int result = kw_move_load(mover->jobs_dir, uuid, &mover->move);

	if (result)
		return fail(uuid, mover->jobs_dir, result == -EBADMSG ? "its job is damaged"
								   : strerror(-result));
	if (kw_move_sides_prepare(error, sizeof(error)))
		return fail(uuid, "libvirt cannot be used", error);
	mover->here = kw_move_side_create(NULL, uuid);
	mover->there = kw_move_side_create(mover->move.uri, uuid);
	if (!mover->here || !mover->there)
		return fail(uuid, "nothing was begun", strerror(ENOMEM));
	state = run(mover);
	end(mover, state);
	return state == KW_MOVE_MOVED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	_cleanup_(mover_done) struct kw_mover mover = {
		.jobs_dir = KW_MOVES_DIR, .run_dir = KW_MOVES_RUN_DIR,
	};
	_cleanup_close_ int lock = -1;
	char uuid[KW_UUID_LEN + 1];

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("kvmward-mover " KW_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 2 || kw_text_uuid(argv[1], uuid)) {
		fputs(usage, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : 2;
	}
	if (kw_mover_take_signals(&mover))
		return fail(uuid, "signals cannot be taken", strerror(errno));
	lock = take_lock(uuid);
	if (lock < 0)
		return fail(uuid, "its job cannot be taken", lock == -EWOULDBLOCK ?
			    "another has it" : strerror(-lock));
	return work(&mover, uuid);
}
