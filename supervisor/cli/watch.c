/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A notification is a hint to look again, never the news itself: KVM's uevents
 * come before a slot changes hands, so each hint leads to several looks.
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
#include "facts/snapshot.h"
#include "facts/watch.h"

/* Looks after a hint, counted from the look before. */
static const uint64_t looks_ns[] = { 20 * KW_NS_PER_MS, 200 * KW_NS_PER_MS, 1 * KW_NS_PER_S,
				     3 * KW_NS_PER_S };
#define LOOK_COUNT (sizeof(looks_ns) / sizeof(*looks_ns))

#define IDLE_LOOK_NS (30 * KW_NS_PER_S)		/* in case a hint was lost */
#define BLIND_LOOK_NS (2 * KW_NS_PER_S)		/* when there are no hints */

struct watch {
	bool json;
	int uevents;			/* fd, or -1 */
	struct kw_bus *bus;		/* NULL while there is none */
	struct kw_netlink *netlink;
	struct kw_moment last;		/* guests and holds as last known */
	bool module_lost, daemon_lost;
	size_t look;			/* which of looks_ns comes next */
	uint64_t due_ns;
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

/* What is not known now stays as last known, so that nothing seems to go and come back. */
static void look(struct watch *watch)
{
	struct kw_moment now = {};

	kw_snapshot_read(&watch->netlink, &now.facts);
	if (!keep_source(watch, "module", now.facts.guests.known && now.facts.slots.known,
			 now.facts.reason, &watch->module_lost)) {
		kw_facts_done(&now.facts);
		return;
	}
	kw_daemon_view_read(watch->bus, &now.daemon);
	keep_source(watch, "kvmwardd", now.daemon.holds_known, now.daemon.reason,
		    &watch->daemon_lost);
	kw_changes_tell(&watch->last, &now, tell_change, watch);
	if (!now.daemon.holds_known) {
		struct kw_daemon_view unknown = now.daemon;

		now.daemon = watch->last.daemon;
		watch->last.daemon = unknown;
	}
	kw_moment_done(&watch->last);
	watch->last = now;
}

static bool hints_come(const struct watch *watch)
{
	return watch->uevents >= 0;
}

static void plan_idle_look(struct watch *watch)
{
	watch->look = LOOK_COUNT;
	watch->due_ns = kw_clock_monotonic_ns() +
			(hints_come(watch) ? IDLE_LOOK_NS : BLIND_LOOK_NS);
}

/* A hint begins the looks anew, but never puts off one that is due. */
static void take_hint(struct watch *watch)
{
	uint64_t due_ns = kw_clock_monotonic_ns() + looks_ns[0];

	watch->look = 0;
	if (due_ns < watch->due_ns)
		watch->due_ns = due_ns;
}

static void plan_next_look(struct watch *watch)
{
	if (watch->look + 1 < LOOK_COUNT) {
		watch->look++;
		watch->due_ns = kw_clock_monotonic_ns() + looks_ns[watch->look];
	} else {
		plan_idle_look(watch);
	}
}

static void drop_bus(struct watch *watch)
{
	kw_bus_close(watch->bus);
	watch->bus = NULL;
}

static void connect_bus(struct watch *watch)
{
	if (watch->bus || kw_bus_open(0, &watch->bus))
		return;
	if (kw_bus_subscribe(watch->bus))
		drop_bus(watch);
}

static void wait_for_hint(struct watch *watch, const sigset_t *signals)
{
	uint64_t now_ns = kw_clock_monotonic_ns();
	uint64_t wait_ns = watch->due_ns > now_ns ? watch->due_ns - now_ns : 0;
	struct timespec wait = { .tv_sec = (time_t)(wait_ns / KW_NS_PER_S),
				 .tv_nsec = (long)(wait_ns % KW_NS_PER_S) };
	struct pollfd fds[] = {
		{ .fd = watch->uevents, .events = POLLIN },
		{ .fd = watch->bus ? kw_bus_fd(watch->bus) : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* POLLERR when the reader of a pipe has gone */
	};

	if (ppoll(fds, 3, &wait, signals) <= 0)
		return;
	if (fds[0].revents && kw_watch_drain(watch->uevents))
		take_hint(watch);
	if (fds[1].revents & POLLIN && kw_bus_changed(watch->bus))
		take_hint(watch);
	if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		drop_bus(watch);
	if (fds[2].revents & (POLLERR | POLLNVAL))
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
	kw_snapshot_read(&watch->netlink, &watch->last.facts);
	if (!watch->last.facts.slots.known) {
		kw_message_facts(&watch->last.facts);
		return KW_EXIT_FAILED;
	}
	if (!watch->last.facts.guests.known) {
		kw_message("watch: %s", watch->last.facts.reason);
		return KW_EXIT_FAILED;
	}
	kw_daemon_view_read(watch->bus, &watch->last.daemon);
	watch->daemon_lost = !watch->last.daemon.holds_known;
	if (watch->daemon_lost)
		kw_message("watch: holds are not known: kvmwardd cannot be asked: %s",
			   watch->last.daemon.reason);
	return KW_EXIT_DONE;
}

static enum kw_exit follow(struct watch *watch)
{
	sigset_t signals;

	catch_signals(&signals);
	plan_idle_look(watch);
	while (!ended && !watch->reader_gone && !ferror(stdout)) {
		wait_for_hint(watch, &signals);
		if (kw_clock_monotonic_ns() < watch->due_ns)
			continue;
		connect_bus(watch);
		look(watch);
		plan_next_look(watch);
	}
	return ended ? KW_EXIT_DONE : KW_EXIT_FAILED;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(watch_done) struct watch watch = { .uevents = -1 };
	const struct kw_option options[] = {
		{ .name = "json", .help = "print one JSON object per line", .flag = &watch.json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	setvbuf(stdout, NULL, _IOLBF, 0);
	watch.uevents = kw_watch_open();
	if (watch.uevents < 0)
		kw_message("watch: KVM's uevents cannot be heard (%s); looking every 2 s instead",
			   strerror(-watch.uevents));
	connect_bus(&watch);
	done = look_first(&watch);
	return done ? done : follow(&watch);
}

const struct kw_command kw_command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "Print a line for each guest or hold that comes or goes",
	.help = "It begins with the next change and goes on until it is interrupted. '+' "
		"came, '-' went, '~' changed; a guest may be seen for a moment before it "
		"has its slot. It sleeps while nothing happens. It needs root or "
		"CAP_NET_ADMIN.",
	.examples = "  kvmward watch\n"
		    "  kvmward watch --json | jq -r 'select(.change == \"guest-came\") | .guest.name'\n",
	.run = run,
};
