/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/calls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* However much else arrives, decisions are made. */
#define GATHER_US (20 * 1000)

struct call {
	struct call *next;
	struct kw_calls *calls;
	sd_bus_message *request;
	sd_bus_slot *question;		/* who calls? */
	bool ready;
	sd_bus_message_handler_t answer;
	void *userdata;
};

struct kw_calls {
	struct call *first;
	const struct kw_calls_rounds *rounds;
	sd_event_source *idle, *late;	/* a round begins: nothing more is there; it is time */
};

KW_CLEANUP_OF(struct kw_calls, kw_calls_close);

static void call_free(struct call *call)
{
	sd_bus_slot_unref(call->question);
	sd_bus_message_unref(call->request);
	free(call);
}

KW_CLEANUP_OF(struct call, call_free);

static void drop(struct call *call)
{
	struct call **at = &call->calls->first;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call_free(call);
}

static void answer(struct call *call)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = call->answer(call->request, call->userdata, &error);

	if (r < 0 || sd_bus_error_is_set(&error))
		sd_bus_reply_method_errno(call->request, r, &error);
	sd_bus_error_free(&error);
}

/* At the door; of the callers on a bus this cannot be told. */
static bool has_hung_up(const struct call *call)
{
	sd_bus *bus = sd_bus_message_get_bus(call->request);
	struct pollfd line = { .fd = sd_bus_get_fd(bus) };

	return line.fd < 0 || (poll(&line, 1, 0) > 0 && line.revents & POLLHUP);
}

static void answer_all(struct kw_calls *calls)
{
	struct call *next;

	sd_event_source_set_enabled(calls->idle, SD_EVENT_OFF);
	sd_event_source_set_enabled(calls->late, SD_EVENT_OFF);
	calls->rounds->begin(calls->rounds->userdata);
	for (struct call *call = calls->first; call; call = next) {
		next = call->next;
		if (!call->ready)
			continue;
		if (!has_hung_up(call))
			answer(call);
		drop(call);
	}
	calls->rounds->end(calls->rounds->userdata);
}

static int on_idle(sd_event_source *source, void *userdata)
{
	(void)source;
	answer_all(userdata);
	return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source, (void)usec;
	answer_all(userdata);
	return 0;
}

static int add_sources(struct kw_calls *calls, sd_event *event)
{
	int r = sd_event_add_defer(event, &calls->idle, on_idle, calls);

	if (r >= 0)
		r = sd_event_source_set_priority(calls->idle, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(calls->idle, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(event, &calls->late, CLOCK_BOOTTIME, 0, 1, on_late, calls);
	if (r >= 0)
		r = sd_event_source_set_enabled(calls->late, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int kw_calls_open(sd_event *event, const struct kw_calls_rounds *rounds,
		  struct kw_calls **ret_calls)
{
	_cleanup_(kw_calls_close_at) struct kw_calls *calls = calloc(1, sizeof(*calls));
	int r;

	if (!calls)
		return -ENOMEM;
	calls->rounds = rounds;
	r = add_sources(calls, event);
	if (r < 0)
		return r;
	*ret_calls = KW_STEAL(calls);
	return 0;
}

void kw_calls_close(struct kw_calls *calls)
{
	if (!calls)
		return;
	while (calls->first)
		drop(calls->first);
	sd_event_source_disable_unref(calls->idle);
	sd_event_source_disable_unref(calls->late);
	free(calls);
}

/* The first one that is ready decides when its round begins at the latest. */
static void set_ready(struct call *call)
{
	struct kw_calls *calls = call->calls;
	int enabled = SD_EVENT_OFF;

	call->ready = true;
	sd_event_source_get_enabled(calls->idle, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_enabled(calls->idle, SD_EVENT_ONESHOT);
	sd_event_source_set_time_relative(calls->late, GATHER_US);
	sd_event_source_set_enabled(calls->late, SD_EVENT_ONESHOT);
}

/* The bus policy says the same; this holds where the policy file is missing. */
static int check_root(sd_bus_message *reply, const sd_bus_message *request, sd_bus_error *error)
{
	const sd_bus_error *failed = sd_bus_message_get_error(reply);
	uint32_t uid;
	int r;

	if (failed)
		return sd_bus_error_setf(error, failed->name, "Who asks cannot be told: %s",
					 failed->message);
	r = sd_bus_message_read(reply, "u", &uid);
	if (r < 0)
		return r;
	if (uid == 0 || uid == geteuid())
		return 0;
	return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED, "Only root may call %s.",
				 sd_bus_message_get_member((sd_bus_message *)request));
}

static int on_caller(sd_bus_message *reply, void *userdata, sd_bus_error *ignored)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct call *call = userdata;
	int r = check_root(reply, call->request, &error);

	(void)ignored;
	if (r < 0) {
		sd_bus_reply_method_errno(call->request, r, &error);
		drop(call);
	} else {
		set_ready(call);
	}
	sd_bus_error_free(&error);
	return 0;
}

static int ask_for_caller(struct call *call)
{
	return sd_bus_call_method_async(
		sd_bus_message_get_bus(call->request), &call->question, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser", on_caller,
		call, "s", sd_bus_message_get_sender(call->request));
}

int kw_calls_add(struct kw_calls *calls, sd_bus_message *request, bool root_only,
		 sd_bus_message_handler_t how, void *userdata)
{
	_cleanup_(call_free_at) struct call *call = calloc(1, sizeof(*call));
	struct call **end = &calls->first;
	int r;

	if (!call)
		return -ENOMEM;
	call->calls = calls;
	call->request = sd_bus_message_ref(request);
	call->answer = how;
	call->userdata = userdata;
	r = root_only ? ask_for_caller(call) : 0;
	if (r < 0)
		return r;
	while (*end)
		end = &(*end)->next;
	*end = call;
	if (!root_only)
		set_ready(call);
	(void)KW_STEAL(call);
	return 1;
}
