/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/hook.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/program.h"
#include "hook/unasked.h"
#include "ledger/ledger.h"

/* kvmwardd is started again 100 ms after a crash. */
#define PAUSE_NS (50 * KW_NS_PER_MS)

static void pause_a_little(void)
{
	struct timespec time = { .tv_nsec = PAUSE_NS };

	nanosleep(&time, NULL);
}

static void follow_config(const struct kw_unasked *unasked, const char *error,
			  struct kw_verdict *verdict)
{
	const char *kind = unasked->encrypted ? "encrypted" : "plain";

	if (unasked->admit)
		kw_verdict_set(verdict, KW_ADMITTED, "%s guest, admitted unasked", kind);
	else
		kw_verdict_set(verdict, KW_DAEMON_UNREACHABLE,
			       "kvmwardd cannot be asked (%s), and without it no %s guest starts; "
			       "see 'systemctl status kvmwardd'",
			       error, kind);
}

/* Another attempt may go better, unless kvmwardd is there and we are not understood. */
static bool try_again(int error, const struct kw_hook_place *place)
{
	if (error == -EACCES || error == -EBADMSG)
		return false;
	return kw_clock_monotonic_ns() + PAUSE_NS < place->start_ns + KW_HOOK_RETRY_NS;
}

/*
 * A plain guest that may start unasked takes no slot, so it need not wait for
 * kvmwardd to come back; an encrypted one had better be held for.
 */
static void decide(struct kw_attempt *attempt, const struct kw_hook_place *place,
		   const struct kw_unasked *unasked, struct kw_verdict *verdict)
{
	uint64_t deadline_ns = place->start_ns + KW_HOOK_ANSWER_NS;

	if (!kw_verdict_admits(&unasked->barred)) {
		*verdict = unasked->barred;
		return;
	}
	while ((unasked->encrypted || !unasked->admit) && try_again(attempt->status, place)) {
		pause_a_little();
		if (kw_attempt_again(attempt, deadline_ns, verdict) >= 0)
			return;
	}
	follow_config(unasked, attempt->error, verdict);
}

static void leave_note(const struct kw_hook_place *place, const struct kw_unasked *unasked,
		       struct kw_verdict *verdict)
{
	int r = unasked->uuid[0] ? kw_release_note_leave(place->state_dir, unasked->uuid) : -ENODATA;

	if (r == -ENODATA)
		kw_verdict_set(verdict, KW_XML_INVALID,
			       "kvmwardd cannot be told that this guest has ended, nor can a note "
			       "be left: the domain XML gives no UUID");
	else if (r < 0)
		kw_verdict_set(verdict, KW_DAEMON_UNREACHABLE,
			       "kvmwardd cannot be told that this guest has ended, nor can a note "
			       "be left in %s: %s",
			       place->state_dir, strerror(-r));
}

void kw_hook_answer(int argc, char **argv, const struct kw_hook_place *place,
		    struct kw_verdict *ret_verdict)
{
	_cleanup_(kw_attempt_done) struct kw_attempt attempt = {};
	struct kw_unasked unasked;

	if (kw_attempt_read(argc, argv, place, &attempt, ret_verdict))
		return;
	/* before asking: who asks may be at it when the time is up */
	kw_unasked_read(place, &attempt, &unasked);
	if (unasked.admit && kw_verdict_admits(&unasked.barred))
		kw_hook_alarm_admits();
	if (kw_attempt_first(&attempt, place, ret_verdict))
		return;
	if (kw_hook_may_refuse(attempt.kind))
		decide(&attempt, place, &unasked, ret_verdict);
	else
		leave_note(place, &unasked, ret_verdict);
}
