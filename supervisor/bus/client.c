/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/answers.h"
#include "bus/names.h"
#include "bus/safe_text.h"

/* sd-bus's own limit for one call. */
#define CALL_LIMIT_NS (25 * KW_NS_PER_S)

struct kw_bus {
	sd_bus *bus;
	sd_bus_slot *changed_match, *refused_match, *owner_match, *place_match;
	void (*told)(const struct kw_place *place, void *data);
	void *told_data;
	void (*refused)(const struct kw_refusal *refusal, void *data);
	void *refused_data;
	uint64_t deadline_ns;
	bool changed;
	char error[512];
};

KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);
KW_CLEANUP_OF(sd_bus_slot, sd_bus_slot_unref);
KW_CLEANUP_OF(struct kw_bus, kw_bus_close);

int kw_bus_open(uint64_t deadline_ns, struct kw_bus **ret_bus)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	bus->deadline_ns = deadline_ns;
	r = sd_bus_open_system(&bus->bus);
	if (r < 0)
		return r;
	*ret_bus = KW_STEAL(bus);
	return 0;
}

void kw_bus_close(struct kw_bus *bus)
{
	if (!bus)
		return;
	sd_bus_slot_unref(bus->changed_match);
	sd_bus_slot_unref(bus->refused_match);
	sd_bus_slot_unref(bus->owner_match);
	sd_bus_slot_unref(bus->place_match);
	sd_bus_close_unref(bus->bus); /* no flush: it could wait for ever */
	free(bus);
}

const char *kw_bus_error(const struct kw_bus *bus)
{
	return bus->error;
}

static int fail(struct kw_bus *bus, int error, const char *text)
{
	kw_text_copy(bus->error, sizeof(bus->error), text);
	return error;
}

/* NoReply comes from the bus itself when the callee has gone: our own deadline never makes one. */
static int error_number(const sd_bus_error *error)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ SD_BUS_ERROR_SERVICE_UNKNOWN, -ENXIO },
		{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, -ENXIO },
		{ SD_BUS_ERROR_NO_REPLY, -ENXIO },
		{ SD_BUS_ERROR_DISCONNECTED, -ENXIO },
		{ SD_BUS_ERROR_ACCESS_DENIED, -EACCES },
		{ KW_BUS_ERROR_CONFIG, -EINVAL },
	};
	int number;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (sd_bus_error_has_name(error, known[i].name))
			return known[i].number;
	number = sd_bus_error_get_errno(error);
	return number > 0 ? -number : -EIO;
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	sd_bus_message **reply = userdata;

	(void)error;
	*reply = sd_bus_message_ref(message);
	return 1;
}

/* Runs the connection until *reply is there. */
static int wait_for_reply(struct kw_bus *bus, uint64_t deadline_ns, sd_bus_message **reply)
{
	while (!*reply) {
		uint64_t now_ns = kw_clock_monotonic_ns();
		int r;

		if (now_ns >= deadline_ns)
			return fail(bus, -ETIMEDOUT, "no answer in time");
		r = sd_bus_process(bus->bus, NULL);
		if (r == 0 && !*reply)
			r = sd_bus_wait(bus->bus, (deadline_ns - now_ns) / 1000 + 1);
		if (r < 0 && r != -EINTR)
			return fail(bus, r, "the connection to the system bus broke");
	}
	return 0;
}

static int check_reply(struct kw_bus *bus, sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	return error ? fail(bus, error_number(error), error->message ?: error->name) : 0;
}

/*
 * Not sd_bus_call(): that first waits for the bus to let us in, with a limit
 * of its own that is far beyond a hook's.
 */
static int call(struct kw_bus *bus, sd_bus_message *request, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_slot_unref_at) sd_bus_slot *slot = NULL;
	uint64_t deadline_ns = bus->deadline_ns;
	int r;

	bus->error[0] = '\0';
	if (!deadline_ns)
		deadline_ns = kw_clock_monotonic_ns() + CALL_LIMIT_NS;
	r = sd_bus_call_async(bus->bus, &slot, request, on_reply, &reply, UINT64_MAX);
	if (r < 0)
		return fail(bus, r, strerror(-r));
	r = wait_for_reply(bus, deadline_ns, &reply);
	if (r < 0)
		return r;
	r = check_reply(bus, reply);
	if (r >= 0)
		*ret_reply = KW_STEAL(reply);
	return r;
}

static int new_request(struct kw_bus *bus, const char *interface, const char *method,
		       sd_bus_message **ret_request)
{
	int r = sd_bus_message_new_method_call(bus->bus, ret_request, KW_BUS_NAME, KW_BUS_PATH,
					       interface, method);

	return r < 0 ? fail(bus, r, strerror(-r)) : 0;
}

/* An answer that could not be read, with the error that reading it gave. */
static int malformed(struct kw_bus *bus, int error)
{
	if (error == -ENOMEM)
		return fail(bus, error, strerror(ENOMEM));
	return fail(bus, -EBADMSG, "kvmwardd gave an answer that this program does not understand");
}

static int ask_verdict(struct kw_bus *bus, sd_bus_message *request, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r;

	r = call(bus, request, &reply);
	if (r < 0)
		return r;
	r = kw_bus_read_verdict(reply, ret_verdict);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	char texts[4][KW_NAME_MAX];
	int r;

	r = new_request(bus, KW_BUS_INTERFACE, "Hook", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append(request, "ssss",
				  kw_bus_safe_text(texts[0], sizeof(texts[0]), name),
				  kw_bus_safe_text(texts[1], sizeof(texts[1]), op),
				  kw_bus_safe_text(texts[2], sizeof(texts[2]), subop),
				  kw_bus_safe_text(texts[3], sizeof(texts[3]), extra));
	if (r >= 0)
		r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	return r < 0 ? fail(bus, r, strerror(-r)) : ask_verdict(bus, request, ret_verdict);
}

int kw_bus_plan(struct kw_bus *bus, const char *xml, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	r = new_request(bus, KW_BUS_INTERFACE, "Plan", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	return r < 0 ? fail(bus, r, strerror(-r)) : ask_verdict(bus, request, ret_verdict);
}

/* A method without arguments. */
static int call_plain(struct kw_bus *bus, const char *method, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r = new_request(bus, KW_BUS_INTERFACE, method, &request);

	return r < 0 ? r : call(bus, request, ret_reply);
}

int kw_bus_holds(struct kw_bus *bus, struct kw_hold_list *ret_holds)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, "ListHolds", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_holds(reply, ret_holds);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_waiting(struct kw_bus *bus, struct kw_waiter_list *ret_waiting)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, "ListWaiting", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_waiting(reply, ret_waiting);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_classes(struct kw_bus *bus, struct kw_class_table *ret_table)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, "ListClasses", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_classes(reply, ret_table);
	return r < 0 ? malformed(bus, r) : 0;
}

static int get_property(struct kw_bus *bus, const char *property, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	r = new_request(bus, "org.freedesktop.DBus.Properties", "Get", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append(request, "ss", KW_BUS_INTERFACE, property);
	return r < 0 ? fail(bus, r, strerror(-r)) : call(bus, request, ret_reply);
}

int kw_bus_config(struct kw_bus *bus, struct kw_config *ret_config)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "Configuration", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_config(reply, ret_config);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_hearing(struct kw_bus *bus, struct kw_hearing_state *ret_hearing)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "ChangesFrom", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_hearing(reply, ret_hearing);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_walls(struct kw_bus *bus, struct kw_walls_status *ret_walls)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "Walls", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_walls(reply, ret_walls);
	return r < 0 ? malformed(bus, r) : 0;
}

int kw_bus_reload(struct kw_bus *bus)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;

	return call_plain(bus, "Reload", &reply);
}

static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct kw_bus *bus = userdata;

	(void)message, (void)error;
	bus->changed = true;
	return 0;
}

static int on_place(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct kw_bus *bus = userdata;
	struct kw_place place;

	(void)error;
	if (bus->told && !kw_bus_read_place(message, &place))
		bus->told(&place, bus->told_data);
	return 0;
}

/* One that cannot be read is as good as none: the journal has it. */
static int on_refused(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct kw_bus *bus = userdata;
	struct kw_refusal refusal;

	(void)error;
	if (bus->refused && !kw_bus_read_refusal(message, &refusal))
		bus->refused(&refusal, bus->refused_data);
	return 0;
}

static int match(struct kw_bus *bus, sd_bus_slot **slot, const char *signal,
		 sd_bus_message_handler_t handler)
{
	int r;

	if (*slot)
		return 0;
	r = sd_bus_match_signal(bus->bus, slot, KW_BUS_NAME, KW_BUS_PATH, KW_BUS_INTERFACE, signal,
				handler, bus);
	return r < 0 ? fail(bus, r, strerror(-r)) : 0;
}

static int match_owner(struct kw_bus *bus)
{
	static const char rule[] = "type='signal',sender='org.freedesktop.DBus',"
				   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
				   "arg0='" KW_BUS_NAME "'";
	int r;

	if (bus->owner_match)
		return 0;
	r = sd_bus_add_match(bus->bus, &bus->owner_match, rule, on_changed, bus);
	return r < 0 ? fail(bus, r, strerror(-r)) : 0;
}

int kw_bus_subscribe(struct kw_bus *bus,
		     void (*refused)(const struct kw_refusal *refusal, void *data), void *data)
{
	int r = match_owner(bus);

	if (r >= 0)
		r = match(bus, &bus->changed_match, "Changed", on_changed);
	if (r < 0)
		return r;
	bus->refused = refused;
	bus->refused_data = data;
	return match(bus, &bus->refused_match, "Refused", on_refused);
}

int kw_bus_fd(const struct kw_bus *bus)
{
	return sd_bus_get_fd(bus->bus);
}

bool kw_bus_changed(struct kw_bus *bus)
{
	bool changed;

	while (sd_bus_process(bus->bus, NULL) > 0)
		;
	changed = bus->changed;
	bus->changed = false;
	return changed;
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
		return fail(bus, -ETIMEDOUT, "no answer in time");
	left.tv_sec = (time_t)((bus->deadline_ns - now_ns) / KW_NS_PER_S);
	left.tv_nsec = (long)((bus->deadline_ns - now_ns) % KW_NS_PER_S);
	if (ppoll(fds, 2, bus->deadline_ns ? &left : NULL, NULL) < 0 && errno != EINTR)
		return fail(bus, -errno, "waiting for the system bus failed");
	return fds[1].revents ? fail(bus, -ECANCELED, "cancelled") : 0;
}

/* 1 when something was done, 0 when there was nothing to do. */
static int step(struct kw_bus *bus)
{
	int r = sd_bus_process(bus->bus, NULL);

	return r < 0 ? fail(bus, r, "the connection to the system bus broke") : r;
}

int kw_bus_await(struct kw_bus *bus, int cancel_fd)
{
	int r = match_owner(bus);

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
	int r = match_owner(bus);

	if (r >= 0)
		r = match(bus, &bus->place_match, "Waiting", on_place);
	if (r >= 0)
		r = new_request(bus, KW_BUS_INTERFACE, "Wait", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	if (r >= 0)
		r = sd_bus_call_async(bus->bus, ret_slot, request, on_reply, reply, UINT64_MAX);
	return r < 0 ? fail(bus, r, strerror(-r)) : 0;
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
		r = check_reply(bus, reply);
	if (r < 0)
		return r;
	r = kw_bus_read_verdict(reply, ret_verdict);
	return r < 0 ? malformed(bus, r) : 0;
}
