/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is heard is a hint to look again, never the news itself; policy/looks.h
 * says when to look.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "cli/changes.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/news.h"
#include "facts/slot_events.h"
#include "facts/snapshot.h"
#include "facts/watch.h"
#include "policy/looks.h"

#define RECONNECT_NS (30 * KW_NS_PER_S)

struct watch {
	bool json;
	int uevents;				/* fd, or -1 */
	struct kw_slot_events *slot_events;	/* NULL: cannot be had */
	struct kw_bus *bus;			/* NULL while there is none */
	bool daemon_news;			/* kvmwardd is to be asked again */
	struct kw_netlink *netlink;
	struct kw_moment last;			/* guests and holds as last known */
	bool guests_told;			/* we may see them */
	bool module_lost, daemon_lost;
	struct kw_looks looks;
	bool draining;				/* as kvmwardd said last */
	struct kw_hearing_state hearing;
	bool reader_gone;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static void watch_done(struct watch *watch)
{
	kw_moment_done(&watch->last);
	kw_netlink_close(watch->netlink);
	kw_bus_close(watch->bus);
	kw_slot_events_close(watch->slot_events);
	if (watch->uevents >= 0)
		close(watch->uevents);
}

static void tell_change(const struct kw_change *change, void *data)
{
	const struct watch *watch = data;

	kw_news_change(change, watch->json);
}

static bool keep_source(const struct watch *watch, const char *source, bool known,
			const char *reason, bool *lost)
{
	if (known == *lost)
		kw_news_source(source, known ? NULL : reason, watch->json);
	*lost = !known;
	return known;
}

/* As long as kvmwardd says nothing of a change, what it said last is true. */
static void read_daemon(struct watch *watch, struct kw_moment *now)
{
	if (watch->bus && !watch->daemon_news && !watch->daemon_lost) {
		now->daemon = watch->last.daemon;
		return;
	}
	watch->daemon_news = false;
	kw_daemon_view_read(watch->bus, &now->daemon);
	keep_source(watch, "kvmwardd", now->daemon.holds_known, now->daemon.reason,
		    &watch->daemon_lost);
	if (now->daemon.reachable && now->daemon.draining != watch->draining) {
		watch->draining = now->daemon.draining;
		kw_news_draining(watch->draining, watch->json);
	}
}

/* Holds that are not known now stay as last known; others may be the same ones in both moments. */
static void keep(struct watch *watch, struct kw_moment *now)
{
	struct kw_daemon_view *last = &watch->last.daemon;

	if (!now->daemon.holds_known) {
		now->daemon = *last;
		*last = (struct kw_daemon_view){};
	} else if (now->daemon.holds.holds == last->holds.holds) {
		*last = (struct kw_daemon_view){};
	}
	kw_moment_done(&watch->last);
	watch->last = *now;
}

static bool is_known(const struct watch *watch, const struct kw_facts *facts)
{
	return facts->slots.known && (facts->guests.known || !watch->guests_told);
}

static void judge_hearing(struct watch *watch, const struct kw_facts *facts)
{
	struct kw_hearing_state now;

	kw_hearing_judge(facts, kw_slot_events_joined(watch->slot_events),
			 kw_slot_events_reason(watch->slot_events), watch->uevents >= 0, &now);
	if (now.from != watch->hearing.from && now.reason[0] && !watch->module_lost)
		kw_message("watch: changes are learnt from %s, so lines may be late: %s",
			   kw_hearing_title(now.from), now.reason);
	watch->hearing = now;
}

/* Of a look that was just made: when to look again though nothing is heard. */
static void plan_idle_look(struct watch *watch, const struct kw_facts *facts)
{
	uint64_t period_ns;

	judge_hearing(watch, facts);
	period_ns = kw_looks_period_ns(facts, watch->hearing.from);
	if (!watch->bus && (!period_ns || period_ns > RECONNECT_NS))
		period_ns = RECONNECT_NS;
	kw_looks_idle(&watch->looks, period_ns, kw_clock_monotonic_ns());
}

/* What is not known now stays as last known, so that nothing seems to go and come back. */
static void look(struct watch *watch)
{
	struct kw_moment now = {};

	kw_snapshot_watch(&watch->netlink, &watch->last.facts.guests, &now.facts);
	if (!keep_source(watch, "module", is_known(watch, &now.facts), now.facts.reason,
			 &watch->module_lost)) {
		plan_idle_look(watch, &now.facts);
		kw_facts_done(&now.facts);
		return;
	}
	plan_idle_look(watch, &now.facts);
	read_daemon(watch, &now);
	kw_changes_tell(&watch->last, &now, tell_change, watch);
	keep(watch, &now);
}

static void take_hint(struct watch *watch, enum kw_hint hint)
{
	kw_looks_hint(&watch->looks, hint, watch->hearing.from, kw_clock_monotonic_ns());
}

static void tell_refusal(const struct kw_refusal *refusal, void *data)
{
	const struct watch *watch = data;

	kw_news_refusal(refusal, watch->json);
}

static void drop_bus(struct watch *watch)
{
	kw_bus_close(watch->bus);
	watch->bus = NULL;
	take_hint(watch, KW_HINT_OTHER);
}

static void connect_bus(struct watch *watch)
{
	if (watch->bus || kw_bus_open(0, &watch->bus))
		return;
	watch->daemon_news = true;
	if (!kw_bus_subscribe(watch->bus, tell_refusal, watch))
		return;
	kw_bus_close(watch->bus);
	watch->bus = NULL;
}

static void hear_slots(struct watch *watch)
{
	struct kw_slot_news news = {};

	if (watch->slot_events)
		news = kw_slot_events_drain(watch->slot_events, NULL, NULL);
	if (news.slots)
		take_hint(watch, KW_HINT_SLOT);
	if (news.module)
		take_hint(watch, KW_HINT_OTHER);
}

/* Answers that came while kvmwardd was asked have news waiting behind them, without a byte to poll. */
static void hear_daemon(struct watch *watch)
{
	if (!kw_bus_changed(watch->bus))
		return;
	watch->daemon_news = true;
	take_hint(watch, KW_HINT_OTHER);
}

static struct timespec time_left(const struct watch *watch)
{
	uint64_t due_ns = kw_looks_due_ns(&watch->looks), now_ns = kw_clock_monotonic_ns();
	uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;

	return (struct timespec){ .tv_sec = (time_t)(wait_ns / KW_NS_PER_S),
				  .tv_nsec = (long)(wait_ns % KW_NS_PER_S) };
}

static void wait_for_hint(struct watch *watch, const sigset_t *signals)
{
	struct timespec wait = time_left(watch);
	bool for_ever = kw_looks_due_ns(&watch->looks) == KW_LOOKS_NEVER;
	struct pollfd fds[] = {
		{ .fd = watch->uevents, .events = POLLIN },
		{ .fd = watch->slot_events ? kw_slot_events_fd(watch->slot_events) : -1,
		  .events = POLLIN },
		{ .fd = watch->bus ? kw_bus_fd(watch->bus) : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* POLLERR when the reader of a pipe has gone */
	};

	if (ppoll(fds, 4, for_ever ? NULL : &wait, signals) <= 0)
		return;
	if (fds[0].revents && kw_watch_drain(watch->uevents))
		take_hint(watch, KW_HINT_GUEST);
	if (fds[1].revents)
		hear_slots(watch);
	if (fds[2].revents & POLLIN)
		hear_daemon(watch);
	if (fds[2].revents & (POLLHUP | POLLERR | POLLNVAL))
		drop_bus(watch);
	if (fds[3].revents & (POLLERR | POLLNVAL))
		watch->reader_gone = true;
}

static void catch_signals(sigset_t *ret_before)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t caught;

	sigemptyset(&caught);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaddset(&caught, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &caught, ret_before);
}

/* The first look tells nothing: it is what changes are counted from. */
static enum kw_exit look_first(struct watch *watch)
{
	struct kw_moment *first = &watch->last;

	kw_snapshot_read(&watch->netlink, NULL, &first->facts);
	if (!first->facts.slots.known) {
		kw_message_facts(&first->facts);
		return KW_EXIT_FAILED;
	}
	watch->guests_told = first->facts.guests.known;
	if (!watch->guests_told)
		kw_message("watch: %s; lines are about the pools alone", first->facts.reason);
	kw_daemon_view_read(watch->bus, &first->daemon);
	watch->daemon_lost = !first->daemon.holds_known;
	watch->draining = first->daemon.draining;
	if (watch->daemon_lost)
		kw_message("watch: holds are not known: kvmwardd cannot be asked: %s",
			   first->daemon.reason);
	return KW_EXIT_DONE;
}

static void look_when_due(struct watch *watch)
{
	uint64_t began_ns = kw_clock_monotonic_ns();

	if (began_ns < kw_looks_due_ns(&watch->looks))
		return;
	connect_bus(watch);
	look(watch);
	kw_looks_looked(&watch->looks, began_ns, kw_clock_monotonic_ns());
	if (watch->bus)
		hear_daemon(watch);
}

static enum kw_exit follow(struct watch *watch)
{
	sigset_t signals;

	catch_signals(&signals);
	hear_slots(watch);	/* the first look may have loaded the module */
	plan_idle_look(watch, &watch->last.facts);
	if (watch->bus)
		hear_daemon(watch);
	while (!ended && !watch->reader_gone && !ferror(stdout)) {
		wait_for_hint(watch, &signals);
		look_when_due(watch);
	}
	return ended ? KW_EXIT_DONE : KW_EXIT_FAILED;
}

/* The listeners are there before the first look: nothing that happens after it is missed. */
static void listen_all(struct watch *watch)
{
	kw_looks_init(&watch->looks);
	watch->uevents = kw_watch_open();
	if (kw_slot_events_open(&watch->slot_events))
		watch->slot_events = NULL;
	connect_bus(watch);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(watch_done) struct watch watch = {
		.uevents = -1,
		.hearing.from = KW_HEARING_SLOTS,	/* anything else is worth a message */
	};
	const struct kw_option options[] = {
		{ .name = "json", .help = "print one JSON object per line", .flag = &watch.json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	setvbuf(stdout, NULL, _IOLBF, 0);
	listen_all(&watch);
	done = look_first(&watch);
	return done ? done : follow(&watch);
}

const struct kw_command kw_command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "Print a line for each guest, hold or refusal",
	.help = "It begins with the next change and goes on until it is interrupted. '+' "
		"came, '-' went, '~' changed, '!' a guest was refused, or something cannot "
		"be asked any more; a guest may be seen for a moment before it has its "
		"slot. It sleeps while nothing happens. Guests, holds and refusals are "
		"shown to root (CAP_NET_ADMIN), to others only what changes in the pools.",
	.examples = "  kvmward watch\n"
		    "  kvmward watch --json | jq -r 'select(.change == \"guest-came\") | .guest.name'\n",
	.run = run,
};
