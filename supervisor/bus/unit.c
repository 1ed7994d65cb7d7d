/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.freedesktop.systemd1(5) */
#include "bus/unit.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define UNIT SYSTEMD ".Unit"

KW_CLEANUP_OF(sd_bus, sd_bus_flush_close_unref);
KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);

static int fail(int r, sd_bus_error *told, char *error, size_t error_size)
{
	if (r < 0)
		kw_text_copy(error, error_size, told->message ?: strerror(-r));
	sd_bus_error_free(told);
	return r < 0 ? r : 0;
}

int kw_unit_start(const char *unit, char *error, size_t error_size)
{
	_cleanup_(sd_bus_flush_close_unref_at) sd_bus *bus = NULL;
	sd_bus_error told = SD_BUS_ERROR_NULL;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = sd_bus_call_method(bus, SYSTEMD, PATH, MANAGER, "StartUnit", &told, NULL, "ss",
				       unit, "fail");
	return fail(r, &told, error, error_size);
}

int kw_unit_signal(const char *unit, int signal, char *error, size_t error_size)
{
	_cleanup_(sd_bus_flush_close_unref_at) sd_bus *bus = NULL;
	sd_bus_error told = SD_BUS_ERROR_NULL;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = sd_bus_call_method(bus, SYSTEMD, PATH, MANAGER, "KillUnit", &told, NULL, "ssi",
				       unit, "main", signal);
	return fail(r, &told, error, error_size);
}

/* "active", "activating", "reloading" or "deactivating", or not yet any of these. */
static int read_alive(sd_bus *bus, const char *path, bool *ret_alive, sd_bus_error *told)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *job = NULL;
	_cleanup_free_ char *state = NULL;
	uint32_t id = 0;
	int r;

	r = sd_bus_get_property(bus, SYSTEMD, path, UNIT, "Job", told, &job, "(uo)");
	if (r >= 0)
		r = sd_bus_message_read(job, "(uo)", &id, NULL);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, UNIT, "ActiveState", told,
					       &state);
	if (r >= 0)
		*ret_alive = id || (strcmp(state, "inactive") && strcmp(state, "failed"));
	return r;
}

int kw_unit_is_alive(const char *unit, bool *ret_alive, char *error, size_t error_size)
{
	_cleanup_(sd_bus_flush_close_unref_at) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	sd_bus_error told = SD_BUS_ERROR_NULL;
	const char *path;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = sd_bus_call_method(bus, SYSTEMD, PATH, MANAGER, "LoadUnit", &told, &reply, "s",
				       unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = read_alive(bus, path, ret_alive, &told);
	return fail(r, &told, error, error_size);
}
