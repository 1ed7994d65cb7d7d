/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/json.h"
#include "cli/message.h"

void kw_wait_done(struct kw_wait *wait)
{
	if (wait->bus)
		kw_bus_close(wait->bus);
	wait->bus = NULL;
}

char *kw_wait_ordinal(char *to, size_t to_size, uint32_t number)
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };
	uint32_t last = number % 10, teen = number / 10 % 10 == 1;

	snprintf(to, to_size, "%" PRIu32 "%s", number, ends[last <= 3 && !teen ? last : 0]);
	return to;
}

static void print_json(const struct kw_place *place)
{
	struct json_object *to = json_object_new_object(), *waiting = json_object_new_object();

	json_object_object_add(waiting, "place", json_object_new_uint64(place->place));
	json_object_object_add(waiting, "count", json_object_new_uint64(place->count));
	json_object_object_add(waiting, "verdict", kw_json_verdict(&place->verdict));
	json_object_object_add(to, "waiting", waiting);
	kw_json_print(to, true);
	fflush(stdout);
}

static void on_place(const struct kw_place *place, void *data)
{
	struct kw_wait *wait = data;
	char ordinal[24];

	wait->place = *place;
	if (wait->json)
		print_json(place);
	else
		kw_message("waiting, %s of %" PRIu32 ": %s: %s",
			   kw_wait_ordinal(ordinal, sizeof(ordinal), place->place), place->count,
			   kw_code_name(place->verdict.code), place->verdict.sentence);
}

/* One that was in line stands in it again; one that never was is told that nobody is there. */
static int wait_in_line(struct kw_wait *wait, const char *xml, int cancel_fd,
			struct kw_verdict *ret_verdict)
{
	bool away = false;
	int r;

	for (;;) {
		r = kw_bus_wait(wait->bus, xml, cancel_fd, on_place, wait, ret_verdict);
		if (r != -ENXIO || !wait->place.place)
			return r;
		if (!away)
			kw_message("kvmwardd has ended; when it is back, this guest waits again, "
				   "at the end of the line");
		away = true;
		r = kw_bus_await(wait->bus, cancel_fd);
		if (r)
			return r;
	}
}

static int open_signals(sigset_t *ret_before)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, ret_before);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

int kw_wait_turn(struct kw_wait *wait, const char *xml, struct kw_verdict *ret_verdict)
{
	uint64_t deadline_ns = 0;
	_cleanup_close_ int cancel_fd = -1;
	sigset_t before;
	int r;

	if (wait->limit_s.known)
		deadline_ns = kw_clock_monotonic_ns() + wait->limit_s.value * KW_NS_PER_S;
	r = kw_bus_open(deadline_ns, &wait->bus);
	if (r)
		return r;
	cancel_fd = open_signals(&before);
	r = cancel_fd < 0 ? -errno : wait_in_line(wait, xml, cancel_fd, ret_verdict);
	/* A signal that came is taken: the caller ends anyway. */
	if (r != -ECANCELED)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
