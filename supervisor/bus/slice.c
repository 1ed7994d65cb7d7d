/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.freedesktop.systemd1(5): what 'systemctl set-property --runtime machine.slice' calls. */
#include "bus/slice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/cgroups.h"

/* systemd may be busy starting a host; nobody waits for this. */
#define SYSTEMD_TIMEOUT_US (30 * 1000 * 1000ull)

struct kw_slice_call {
	sd_bus_slot *slot;
	void (*done)(void *userdata, int error, const char *text);
	void *userdata;
};

KW_CLEANUP_OF(sd_bus, sd_bus_flush_close_unref);
KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);
KW_CLEANUP_OF(struct kw_slice_call, kw_slice_call_end);

/* runtime: kept in /run, so that a restart without kvmwardd is one without its limits. */
static int new_request(sd_bus *bus, uint64_t bytes, sd_bus_message **ret_request)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &request, "org.freedesktop.systemd1",
					   "/org/freedesktop/systemd1",
					   "org.freedesktop.systemd1.Manager",
					   "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(request, "sba(sv)", KW_GUEST_SLICE, 1, 1,
					  "MemoryMax", "t", bytes);
	if (r < 0)
		return r;
	*ret_request = KW_STEAL(request);
	return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct kw_slice_call *call = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	(void)ret_error;
	call->done(call->userdata, error ? -sd_bus_message_get_errno(reply) : 0,
		   error && error->message ? error->message : "");
	return 0;
}

int kw_slice_limit_memory(sd_bus *bus, uint64_t bytes,
			  void (*done)(void *userdata, int error, const char *text),
			  void *userdata, struct kw_slice_call **ret_call)
{
	_cleanup_(kw_slice_call_end_at) struct kw_slice_call *call = calloc(1, sizeof(*call));
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	if (!call)
		return -ENOMEM;
	call->done = done;
	call->userdata = userdata;
	r = new_request(bus, bytes, &request);
	if (r >= 0)
		r = sd_bus_call_async(bus, &call->slot, request, on_reply, call,
				      SYSTEMD_TIMEOUT_US);
	if (r < 0)
		return r;
	*ret_call = KW_STEAL(call);
	return 0;
}

void kw_slice_call_end(struct kw_slice_call *call)
{
	if (!call)
		return;
	sd_bus_slot_unref(call->slot);
	free(call);
}

int kw_slice_limit_memory_now(uint64_t bytes, char *error, size_t error_size)
{
	_cleanup_(sd_bus_flush_close_unref_at) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	sd_bus_error told = SD_BUS_ERROR_NULL;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = new_request(bus, bytes, &request);
	if (r >= 0)
		r = sd_bus_call(bus, request, SYSTEMD_TIMEOUT_US, &told, NULL);
	if (r < 0)
		kw_text_copy(error, error_size, told.message ? told.message : strerror(-r));
	sd_bus_error_free(&told);
	return r < 0 ? r : 0;
}
