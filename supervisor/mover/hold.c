/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/text.h"
#include "mover/mover.h"

/* ssh gives up after 10 s. */
#define REACH_LIMIT_NS (15 * KW_NS_PER_S)

/* Longer than ssh takes to find out that nobody is there. */
#define HOLD_LIMIT_NS (60 * KW_NS_PER_S)

KW_CLEANUP_OF(struct kw_bus, kw_bus_close);

/* There is no room now, and nobody waits in line with a guest that runs meanwhile. */
struct line {
	struct kw_place place;
	int full_fd;
};

static void on_place(const struct kw_place *place, void *data)
{
	struct line *line = data;

	line->place = *place;
	eventfd_write(line->full_fd, 1);
}

static int refuse(struct kw_mover *mover, const struct kw_verdict *verdict, char *error,
		  size_t error_size)
{
	mover->move.verdict = *verdict;
	snprintf(error, error_size, "%s does not take it: %s: %s", mover->move.host,
		 kw_code_name(verdict->code), verdict->sentence);
	return -EPERM;
}

static int fail(struct kw_mover *mover, int result, const char *text, char *error,
		size_t error_size)
{
	if (result == -ENXIO)
		text = "it is not running there";
	else if (!*text)
		text = strerror(-result);
	snprintf(error, error_size, "kvmwardd of %s cannot be asked: %s", mover->move.host, text);
	return result == -EHOSTUNREACH || result == -ETIMEDOUT ? -EAGAIN : -EIO;
}

static int ask(struct kw_bus *bus, const char *xml, struct line *line,
	       struct kw_verdict *ret_verdict)
{
	int result;

	line->full_fd = eventfd(0, EFD_CLOEXEC);
	if (line->full_fd < 0)
		return -errno;
	result = kw_bus_wait(bus, xml, line->full_fd, on_place, line, ret_verdict);
	close(line->full_fd);
	if (result != -ECANCELED)
		return result;
	*ret_verdict = line->place.verdict;
	return 0;
}

/*
 * Where no kvmwardd is needed libvirt may get through where our ssh does not: its URI names
 * keys and the like. What the network itself has refused begins with the program's name.
 */
static bool is_out_of_reach(const struct kw_mover *mover, int result, const char *words)
{
	if (result == -EHOSTUNREACH && mover->move.options.unguarded)
		return !strncmp(words, "ssh: ", 5);
	return result == -EHOSTUNREACH || result == -ETIMEDOUT;
}

bool kw_mover_reaches(const struct kw_mover *mover, char *error, size_t error_size)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	struct kw_config config;
	int result;

	if (!strstr(mover->move.uri, "ssh://"))
		return true;
	result = kw_bus_open_remote(mover->move.host, kw_clock_monotonic_ns() + REACH_LIMIT_NS,
				    &bus);
	if (!result)
		result = kw_bus_config(bus, &config);
	if (!is_out_of_reach(mover, result, bus ? kw_bus_error(bus) : ""))
		return true;
	snprintf(error, error_size, "%s cannot be reached: %s", mover->move.host,
		 kw_bus_error(bus));
	return false;
}

int kw_mover_hold(struct kw_mover *mover, char *error, size_t error_size)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	struct line line = {};
	struct kw_verdict verdict;
	int result;

	kw_bus_close(KW_STEAL(mover->hold));
	result = kw_bus_open_remote(mover->move.host, kw_clock_monotonic_ns() + HOLD_LIMIT_NS,
				    &bus);
	if (!result)
		result = ask(bus, mover->move.xml, &line, &verdict);
	if (result)
		result = fail(mover, result, bus ? kw_bus_error(bus) : "", error, error_size);
	mover->unheld = result && mover->move.options.unguarded;
	if (result)
		return mover->unheld ? 0 : result;
	if (!kw_verdict_admits(&verdict))
		return refuse(mover, &verdict, error, error_size);
	mover->hold = KW_STEAL(bus);
	return 0;
}

bool kw_mover_held(struct kw_mover *mover)
{
	return mover->unheld || (mover->hold && kw_bus_keeps(mover->hold));
}
