/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mover/mover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "base/text.h"
#include "facts/domain_xml.h"
#include "ledger/moves.h"

int kw_mover_take_signals(struct kw_mover *mover)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	mover->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return mover->signal_fd < 0 ? -errno : 0;
}

unsigned int kw_mover_cancels(struct kw_mover *mover)
{
	struct signalfd_siginfo signal;

	while (read(mover->signal_fd, &signal, sizeof(signal)) == sizeof(signal))
		mover->cancels++;
	return mover->cancels;
}

void kw_mover_pause(struct kw_mover *mover, unsigned int ms)
{
	struct pollfd fd = { .fd = mover->signal_fd, .events = POLLIN };

	poll(&fd, 1, (int)ms);
	kw_mover_cancels(mover);
}

void kw_mover_tell(struct kw_mover *mover)
{
	struct kw_move_progress *progress = &mover->progress, next;

	kw_move_begin_progress(&mover->move, &next);
	next.state = progress->state;
	next.total_bytes = progress->total_bytes;
	next.moved_bytes = progress->moved_bytes;
	next.remaining_bytes = progress->remaining_bytes;
	next.bytes_per_s = progress->bytes_per_s;
	next.downtime_ms = progress->downtime_ms;
	next.total_ms = KW_U64(kw_clock_real_ms() - mover->move.begun_ms);
	*progress = next;
	kw_progress_save(mover->run_dir, progress);
}

int kw_mover_save(struct kw_mover *mover)
{
	kw_mover_tell(mover);
	return kw_move_save(mover->jobs_dir, &mover->move);
}

enum kw_side_state kw_mover_look(struct kw_mover *mover, struct kw_move_side *side, char **ret_xml,
				 char *error, size_t error_size)
{
	bool there = side == mover->there;
	enum kw_side_state state;
	int result;

	*ret_xml = NULL;
	if (there && !kw_move_side_is_connected(side) &&
	    !kw_mover_reaches(mover, error, error_size))
		return KW_SIDE_UNKNOWN;
	result = kw_move_side_look(side, &state, ret_xml);
	if (!result)
		return state;
	snprintf(error, error_size, "libvirt of %s %s: %.500s",
		 there ? mover->move.host : "this host",
		 result == -EAGAIN ? "cannot tell" : "cannot be asked", kw_move_side_error(side));
	return KW_SIDE_UNKNOWN;
}

int kw_mover_outcome(const struct kw_move_side *side, int result, char *error, size_t error_size)
{
	if (result)
		kw_text_copy(error, error_size, kw_move_side_error(side));
	return result == -ENOTCONN ? -EAGAIN : result;
}

int kw_mover_set_autostart(struct kw_mover *mover)
{
	int result = 0;

	if (mover->move.autostart)
		result = kw_move_side_set_autostart(mover->there, true);
	if (!result || result == -ENOTCONN)
		return result;
	fprintf(stderr, "%s: autostart cannot be set there: %s\n", mover->move.name,
		kw_move_side_error(mover->there));
	return 0;
}

int kw_mover_parse(const char *xml, struct kw_domain *ret_domain)
{
	char ignored[160];

	return kw_domain_xml_parse(xml, strlen(xml), ret_domain, ignored, sizeof(ignored));
}
