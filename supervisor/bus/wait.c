/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "bus/answers.h"
#include "bus/connection.h"
#include "bus/names.h"

static int on_place(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct kw_bus *bus = userdata;
	struct kw_place place;

	(void)error;
	if (bus->told && !kw_bus_read_place(message, &place))
		bus->told(&place, bus->told_data);
	return 0;
}

/* Sleeps until the bus has news. */
static int sleep_on(struct kw_bus *bus, int cancel_fd)
{
	struct pollfd fds[] = {
		{ .fd = sd_bus_get_fd(bus->bus), .events = (short)sd_bus_get_events(bus->bus) },
		{ .fd = cancel_fd, .events = POLLIN },
	};
	uint64_t now_ns = kw_clock_monotonic_ns();
	struct timespec left = {};

	if (bus->deadline_ns && now_ns >= bus->deadline_ns)
		return kw_bus_fail(bus, -ETIMEDOUT, "no answer in time");
	left.tv_sec = (time_t)((bus->deadline_ns - now_ns) / KW_NS_PER_S);
	left.tv_nsec = (long)((bus->deadline_ns - now_ns) % KW_NS_PER_S);
	if (ppoll(fds, 2, bus->deadline_ns ? &left : NULL, NULL) < 0 && errno != EINTR)
		return kw_bus_fail(bus, -errno, "waiting for the system bus failed");
	return fds[1].revents ? kw_bus_fail(bus, -ECANCELED, "cancelled") : 0;
}

/* 1 when something was done, 0 when there was nothing to do. */
static int step(struct kw_bus *bus)
{
	int r = sd_bus_process(bus->bus, NULL);

	return r < 0 ? kw_bus_broken(bus, r) : r;
}

int kw_bus_await(struct kw_bus *bus, int cancel_fd)
{
	int r = kw_bus_match_owner(bus);

	while (r >= 0 && !bus->changed) {
		r = step(bus);
		if (!r)
			r = sleep_on(bus, cancel_fd);
	}
	bus->changed = false;
	return r < 0 ? r : 0;
}

static int begin_wait(struct kw_bus *bus, const char *xml, sd_bus_slot **ret_slot,
		      sd_bus_message **reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r = kw_bus_match_owner(bus);

	if (r >= 0)
		r = kw_bus_match(bus, &bus->place_match, "Waiting", on_place);
	if (r >= 0)
		r = kw_bus_new_request(bus, KW_BUS_INTERFACE, "Wait", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	if (r >= 0)
		r = sd_bus_call_async(bus->bus, ret_slot, request, kw_bus_on_reply, reply,
				      UINT64_MAX);
	return r < 0 ? kw_bus_refused(bus, r) : 0;
}

int kw_bus_wait(struct kw_bus *bus, const char *xml, int cancel_fd,
		void (*told)(const struct kw_place *place, void *data), void *data,
		struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_slot_unref_at) sd_bus_slot *slot = NULL;
	int r;

	bus->told = told;
	bus->told_data = data;
	bus->changed = false;
	r = begin_wait(bus, xml, &slot, &reply);
	while (r >= 0 && !reply) {
		r = step(bus);
		if (!r && !reply)
			r = sleep_on(bus, cancel_fd);
	}
	if (r >= 0)
		r = kw_bus_check_reply(bus, reply);
	if (r < 0)
		return r;
	r = kw_bus_read_verdict(reply, ret_verdict);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

bool kw_bus_keeps(struct kw_bus *bus)
{
	int r;

	do
		r = sd_bus_process(bus->bus, NULL);
	while (r > 0);
	return r == 0 && sd_bus_is_open(bus->bus) > 0 && !bus->changed;
}
