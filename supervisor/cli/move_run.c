/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "act/move_side.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "bus/unit.h"
#include "cli/message.h"
#include "cli/move_follow.h"
#include "ledger/drain.h"
#include "ledger/ledger.h"
#include "ledger/moves.h"

KW_CLEANUP_OF(struct kw_move_side, kw_move_side_free);

static void unit_of(const char *uuid, char *ret_unit, size_t size)
{
	snprintf(ret_unit, size, "kvmward-move@%s.service", uuid);
}

static int name_job(struct kw_move *move)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int error = kw_file_read("/proc/sys/kernel/random/uuid", KW_UUID_LEN + 1, &text, &length);

	if (!error)
		kw_text_copy(move->id, 9, text);	/* its first 8 digits: enough among moves */
	return error;
}

static enum kw_exit check(const struct kw_move_run *run, const struct kw_move *move,
			  const struct kw_move_about *about)
{
	if (about->managed_save)
		kw_message("%s: %s has a saved state, which does not move with it; drop it with "
			   "'virsh managedsave-remove', or start the guest once", run->command,
			   about->name);
	else if (move->kind == KW_MOVE_COLD && !about->persistent)
		kw_message("%s: %s is not defined, and would be gone once it is off; define it "
			   "first: 'virsh define'", run->command, about->name);
	else if (move->kind == KW_MOVE_LIVE && !about->runs)
		kw_message("%s: %s does not run; --cold moves it as it is", run->command,
			   about->name);
	else
		return KW_EXIT_DONE;
	return KW_EXIT_REFUSED;
}

static enum kw_exit fill(const struct kw_move_run *run, struct kw_move_about *about,
			 const char *uri, struct kw_move *move)
{
	int error = kw_move_host(uri, move->host, sizeof(move->host));

	if (error || !kw_text_copy(move->uri, sizeof(move->uri), uri)) {
		kw_message("%s: '%s' is no URI of another host's libvirt, such as "
			   "qemu+ssh://root@h2/system", run->command, uri);
		return KW_EXIT_USAGE;
	}
	if (name_job(move) || gethostname(move->source, sizeof(move->source))) {
		kw_message("%s: the job cannot be named: %s", run->command, strerror(errno));
		return KW_EXIT_FAILED;
	}
	kw_text_copy(move->name, sizeof(move->name), about->name);
	kw_text_copy(move->uuid, sizeof(move->uuid), about->uuid);
	move->persistent = about->persistent;
	move->autostart = about->autostart;
	move->memory = (struct kw_move_memory){ .runs = about->runs };
	move->begun_ms = kw_clock_real_ms();
	move->xml = KW_STEAL(about->xml);
	return KW_EXIT_DONE;
}

enum kw_exit kw_move_run_prepare(const struct kw_move_run *run, const char *guest, const char *uri,
				 struct kw_move *move)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *here = kw_move_side_create(NULL, "");
	struct kw_move_about about = {};
	char text[512];
	enum kw_exit done;
	int error = kw_move_sides_prepare(text, sizeof(text));

	if (error || !here) {
		kw_message("%s: libvirt cannot be used: %s", run->command,
			   error ? text : strerror(ENOMEM));
		return KW_EXIT_FAILED;
	}
	error = kw_move_side_about(here, guest, &about);
	if (error) {
		kw_message("%s: %s: %s", run->command, guest,
			   error == -ENOENT ? "libvirt knows no such guest; see 'virsh list --all'"
					    : kw_move_side_error(here));
		return KW_EXIT_FAILED;
	}
	done = check(run, move, &about);
	if (!done)
		done = fill(run, &about, uri, move);
	free(about.xml);
	return done;
}

/* For the lock; in the order that systemd's own RuntimeDirectory= would make them. */
static void make_directories(void)
{
	mkdir(KW_LEDGER_DIR, 0700);
	mkdir(KW_KEPT_DIR, 0755);
}

static int lock_job(const struct kw_move_run *run, const char *name, const char *uuid)
{
	int lock;

	make_directories();
	lock = kw_move_lock(KW_MOVES_RUN_DIR, uuid);
	if (lock == -EWOULDBLOCK)
		kw_message("%s: %s is being moved already; see 'kvmward job'", run->command, name);
	else if (lock < 0)
		kw_message("%s: %s: its job cannot be taken: %s%s", run->command, name,
			   strerror(-lock), lock == -EACCES ? "; only root moves guests" : "");
	return lock;
}

/* The lock is let go of, since the mover takes it. */
static enum kw_exit start(const struct kw_move_run *run, const char *name, const char *uuid)
{
	char unit[96], error[512];

	unit_of(uuid, unit, sizeof(unit));
	if (kw_unit_start(unit, error, sizeof(error))) {
		kw_message("%s: %s: systemd does not start %s: %s; nothing was done; 'kvmward job "
			   "resume %s' tries again, 'kvmward job undo %s' ends the job", run->command,
			   name, unit, error, name, name);
		return KW_EXIT_FAILED;
	}
	return kw_move_follow(run, uuid, unit);
}

/* What an earlier move of this guest has left to see would be taken for this one's. */
static int show_begin(const struct kw_move *move)
{
	struct kw_move_progress progress;

	kw_move_begin_progress(move, &progress);
	progress.step[0] = progress.error[0] = '\0';
	return kw_progress_save(KW_MOVES_RUN_DIR, &progress);
}

/* A job that nobody could see would stand in the way of the next one. */
static int create(const struct kw_move *move)
{
	int error = kw_move_create(KW_MOVES_DIR, move);

	if (error)
		return error;
	error = show_begin(move);
	if (error)
		kw_move_remove(KW_MOVES_DIR, move->uuid);
	return error;
}

enum kw_exit kw_move_run_begin(const struct kw_move_run *run, const struct kw_move *move)
{
	int error, lock = lock_job(run, move->name, move->uuid);

	if (lock < 0)
		return KW_EXIT_FAILED;
	kw_move_follow_signals();
	error = create(move);
	close(lock);
	if (error == -EEXIST)
		kw_message("%s: %s has a move that is not finished; 'kvmward job' shows it, "
			   "'kvmward job resume %s' goes on with it, 'kvmward job undo %s' takes it "
			   "back", run->command, move->name, move->name, move->name);
	else if (error)
		kw_message("%s: %s: the job cannot be saved in %s and %s: %s; nothing was done",
			   run->command, move->name, KW_MOVES_DIR, KW_MOVES_RUN_DIR,
			   strerror(-error));
	return error ? KW_EXIT_FAILED : start(run, move->name, move->uuid);
}

static int turn(const char *uuid, bool undo, struct kw_move *move)
{
	int error = kw_move_load(KW_MOVES_DIR, uuid, move);

	if (error)
		return error;
	move->memory.undo = undo;
	error = kw_move_save(KW_MOVES_DIR, move);
	return error ? error : show_begin(move);
}

enum kw_exit kw_move_run_again(const struct kw_move_run *run, const char *uuid, bool undo)
{
	_cleanup_(kw_move_done) struct kw_move move = {};
	int error, lock = lock_job(run, uuid, uuid);

	if (lock < 0)
		return KW_EXIT_FAILED;
	kw_move_follow_signals();
	error = turn(uuid, undo, &move);
	close(lock);
	if (error) {
		kw_message("%s: %s/%s.json: %s", run->command, KW_MOVES_DIR, uuid,
			   error == -EBADMSG ? "the job is damaged; see kvmward-mover(8) for how to "
					       "end it by hand" : strerror(-error));
		return KW_EXIT_FAILED;
	}
	return start(run, move.name, uuid);
}

enum kw_exit kw_move_run_cancel(const struct kw_move_run *run, const char *uuid)
{
	char unit[96], error[512];

	unit_of(uuid, unit, sizeof(unit));
	if (kw_unit_signal(unit, SIGTERM, error, sizeof(error))) {
		kw_message("%s: %s: its mover cannot be told: %s; 'kvmward job undo' takes back "
			   "what has stopped", run->command, uuid, error);
		return KW_EXIT_FAILED;
	}
	return kw_move_follow(run, uuid, unit);
}
