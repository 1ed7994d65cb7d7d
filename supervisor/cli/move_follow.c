/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <time.h>

#include "bus/unit.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/move_show.h"
#include "cli/refusal.h"
#include "ledger/moves.h"

#define ALIVE_MS 1000	/* how often it is looked whether the mover is there at all */
#define END_MS 50
#define END_TIMES 200	/* what is over may take so long to be gone */

struct follow {
	const struct kw_move_run *run;
	const char *uuid, *unit;
	int news_fd, signal_fd;
	unsigned int interrupts;
	bool cancelled;			/* the mover has been told of the first */
	struct kw_move_show show;
	struct kw_move_progress progress;
};

static void follow_done(struct follow *follow)
{
	kw_move_show_end(&follow->show);
	if (follow->news_fd >= 0)
		close(follow->news_fd);
	if (follow->signal_fd >= 0)
		close(follow->signal_fd);
}

static void fill_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
}

void kw_move_follow_signals(void)
{
	sigset_t signals;

	fill_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static void watch(struct follow *follow)
{
	sigset_t signals;

	kw_move_follow_signals();
	fill_signals(&signals);
	follow->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	follow->news_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(follow->news_fd, KW_MOVES_RUN_DIR, IN_MOVED_TO);
}

static bool is_alive(const struct follow *follow)
{
	bool alive = true;
	char error[256];

	return kw_unit_is_alive(follow->unit, &alive, error, sizeof(error)) || alive;
}

/* What stands there now; false when it cannot be read, and what was read before stays. */
static bool read_progress(struct follow *follow)
{
	return !kw_progress_load(KW_MOVES_RUN_DIR, follow->uuid, &follow->progress);
}

/* Until there is something to look at. False when nobody is to look any more. */
static bool sleep_on(struct follow *follow)
{
	struct pollfd fds[] = { { .fd = follow->news_fd, .events = POLLIN },
				{ .fd = follow->signal_fd, .events = POLLIN } };
	struct signalfd_siginfo signal;
	char ignored[4096];

	if (poll(fds, 2, ALIVE_MS) == 0 && !is_alive(follow))
		return false;
	while (read(follow->news_fd, ignored, sizeof(ignored)) > 0)
		;
	if (read(follow->signal_fd, &signal, sizeof(signal)) == sizeof(signal))
		follow->interrupts++;
	return true;
}

/* Again and again: systemd may not have started it yet. */
static void cancel(struct follow *follow)
{
	char error[256];

	follow->cancelled = !kw_unit_signal(follow->unit, SIGTERM, error, sizeof(error));
	if (!follow->cancelled)
		return;
	kw_move_show_end(&follow->show);
	kw_message("taking the move back; Ctrl-C again leaves that to go on by itself");
}

/* True when the move is over, or its mover gone. */
static bool look(struct follow *follow)
{
	bool goes_on = sleep_on(follow);

	read_progress(follow);
	if (follow->progress.state != KW_MOVE_RUNNING || !goes_on)
		return true;
	kw_move_show(&follow->show, &follow->progress);
	if (follow->interrupts && !follow->cancelled)
		cancel(follow);
	return follow->interrupts > 1;
}

/* The job goes last: who comes after us may begin another at once. */
static void wait_for_end(const struct follow *follow)
{
	const struct timespec pause = { .tv_nsec = END_MS * 1000000l };

	for (int i = 0; i < END_TIMES && is_alive(follow); i++)
		nanosleep(&pause, NULL);
}

static void tell_left(const struct follow *follow)
{
	const char *name = follow->progress.name;

	if (follow->interrupts > 1)
		kw_message("%s: %s: it goes on by itself; 'kvmward job' shows how far it is",
			   follow->run->command, name);
	else
		kw_message("%s: %s: its mover has ended before the move was over; 'journalctl -u "
			   "%s' may say why; 'kvmward job resume %s' goes on, 'kvmward job undo %s' "
			   "takes it back", follow->run->command, name, follow->unit, name, name);
}

static enum kw_exit conclude(struct follow *follow)
{
	const struct kw_move_progress *progress = &follow->progress;
	char text[KW_MOVE_ERROR_MAX + 1024];
	enum kw_move_state wanted = follow->run->undo ? KW_MOVE_STAYED : KW_MOVE_MOVED;

	if (follow->run->json)
		kw_json_print(kw_json_move(progress), true);
	kw_move_result(text, sizeof(text), progress);
	/* Of a live move the destination's hook decides, whose words are in libvirt's. */
	if (progress->kind == KW_MOVE_LIVE)
		kw_refusal_find(progress->error, &follow->progress.verdict);
	if (progress->state == KW_MOVE_MOVED && !follow->run->json)
		puts(text);
	else if (progress->state != KW_MOVE_MOVED)
		kw_message("%s", text);
	if (!kw_verdict_admits(&progress->verdict) && progress->state == KW_MOVE_STAYED) {
		kw_message_refused(&progress->verdict);
		return KW_EXIT_REFUSED;
	}
	return progress->state == wanted ? KW_EXIT_DONE : KW_EXIT_FAILED;
}

enum kw_exit kw_move_follow(const struct kw_move_run *run, const char *uuid, const char *unit)
{
	_cleanup_(follow_done) struct follow follow = {
		.run = run, .uuid = uuid, .unit = unit,
	};

	kw_move_show_begin(&follow.show, run->json);
	watch(&follow);
	read_progress(&follow);
	while (!look(&follow))
		;
	kw_move_show_end(&follow.show);
	if (follow.progress.state == KW_MOVE_RUNNING) {
		/* It ended before it could listen. */
		if (follow.interrupts == 1)
			return kw_move_run_again(run, uuid, true);
		tell_left(&follow);
		return KW_EXIT_FAILED;
	}
	wait_for_end(&follow);
	return conclude(&follow);
}
