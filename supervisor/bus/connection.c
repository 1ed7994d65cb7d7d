/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "bus/door_address.h"
#include "bus/names.h"

/* sd-bus's own limit for one call. */
#define CALL_LIMIT_NS (25 * KW_NS_PER_S)

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

/* ssh may have ended by the time that sd-bus first writes to it. */
static bool is_over(int error)
{
	return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN;
}

static int start_on(struct kw_bus *bus, int fd, bool is_bus)
{
	_cleanup_close_ int owned = fd;
	int r = sd_bus_new(&bus->bus);

	if (r >= 0)
		r = sd_bus_set_bus_client(bus->bus, is_bus);
	if (r >= 0)
		r = sd_bus_set_fd(bus->bus, fd, fd);
	if (r < 0)
		return r;
	kw_steal_fd(&owned);
	return sd_bus_start(bus->bus);
}

static int knock(const char *dir, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int r = kw_door_address(dir, &address);

	if (r < 0)
		return r;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = kw_steal_fd(&fd);
	return 0;
}

int kw_bus_open_door(const char *dir, uint64_t deadline_ns, struct kw_bus **ret_bus)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = calloc(1, sizeof(*bus));
	int fd = -1, r;

	if (!bus)
		return -ENOMEM;
	bus->deadline_ns = deadline_ns;
	r = knock(dir, &fd);
	if (r >= 0)
		r = start_on(bus, fd, false);
	if (r < 0)
		return r;
	*ret_bus = KW_STEAL(bus);
	return 0;
}

int kw_bus_open_remote(const char *host, uint64_t deadline_ns, struct kw_bus **ret_bus)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = calloc(1, sizeof(*bus));
	int fd, r;

	if (!bus)
		return -ENOMEM;
	bus->deadline_ns = deadline_ns;
	r = kw_bridge_start(host, &bus->bridge, &fd);
	if (r >= 0)
		r = start_on(bus, fd, true);
	if (r < 0 && !is_over(r))
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
	kw_bridge_stop(bus->bridge);
	free(bus);
}

const char *kw_bus_error(const struct kw_bus *bus)
{
	return bus->error;
}

int kw_bus_fail(struct kw_bus *bus, int error, const char *text)
{
	kw_text_copy(bus->error, sizeof(bus->error), text);
	return error;
}

int kw_bus_broken(struct kw_bus *bus, int error)
{
	if (!bus->bridge)
		return kw_bus_fail(bus, error, "the connection broke");
	kw_bridge_words(bus->bridge, bus->error, sizeof(bus->error));
	if (!bus->error[0])
		kw_bus_fail(bus, error, "ssh, or the bridge there, ended without a word");
	return -EHOSTUNREACH;
}

int kw_bus_refused(struct kw_bus *bus, int error)
{
	return is_over(error) ? kw_bus_broken(bus, error)
			      : kw_bus_fail(bus, error, strerror(-error));
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

int kw_bus_on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error)
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
			return kw_bus_fail(bus, -ETIMEDOUT, "no answer in time");
		r = sd_bus_process(bus->bus, NULL);
		if (r == 0 && !*reply)
			r = sd_bus_wait(bus->bus, (deadline_ns - now_ns) / 1000 + 1);
		if (r < 0 && r != -EINTR)
			return kw_bus_broken(bus, r);
	}
	return 0;
}

int kw_bus_check_reply(struct kw_bus *bus, sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error && bus->bridge && sd_bus_is_open(bus->bus) <= 0)
		return kw_bus_broken(bus, -ENOTCONN);
	return error ? kw_bus_fail(bus, error_number(error), error->message ?: error->name) : 0;
}

/*
 * Not sd_bus_call(): that first waits for the bus to let us in, with a limit
 * of its own that is far beyond a hook's.
 */
int kw_bus_call(struct kw_bus *bus, sd_bus_message *request, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_slot_unref_at) sd_bus_slot *slot = NULL;
	uint64_t deadline_ns = bus->deadline_ns;
	int r;

	bus->error[0] = '\0';
	if (!deadline_ns)
		deadline_ns = kw_clock_monotonic_ns() + CALL_LIMIT_NS;
	r = sd_bus_call_async(bus->bus, &slot, request, kw_bus_on_reply, &reply, UINT64_MAX);
	if (r < 0)
		return kw_bus_refused(bus, r);
	r = wait_for_reply(bus, deadline_ns, &reply);
	if (r < 0)
		return r;
	r = kw_bus_check_reply(bus, reply);
	if (r >= 0)
		*ret_reply = KW_STEAL(reply);
	return r;
}

int kw_bus_new_request(struct kw_bus *bus, const char *interface, const char *method,
		       sd_bus_message **ret_request)
{
	int r = sd_bus_message_new_method_call(bus->bus, ret_request, KW_BUS_NAME, KW_BUS_PATH,
					       interface, method);

	return r < 0 ? kw_bus_refused(bus, r) : 0;
}

int kw_bus_malformed(struct kw_bus *bus, int error)
{
	if (error == -ENOMEM)
		return kw_bus_fail(bus, error, strerror(ENOMEM));
	return kw_bus_fail(bus, -EBADMSG,
			   "kvmwardd gave an answer that this program does not understand");
}
