/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "bus/answers.h"
#include "bus/connection.h"
#include "bus/names.h"

int kw_bus_on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct kw_bus *bus = userdata;

	(void)message, (void)error;
	bus->changed = true;
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

int kw_bus_match(struct kw_bus *bus, sd_bus_slot **slot, const char *signal,
		 sd_bus_message_handler_t handler)
{
	int r;

	if (*slot)
		return 0;
	r = sd_bus_match_signal_async(bus->bus, slot, KW_BUS_NAME, KW_BUS_PATH, KW_BUS_INTERFACE,
				      signal, handler, NULL, bus);
	return r < 0 ? kw_bus_refused(bus, r) : 0;
}

int kw_bus_match_owner(struct kw_bus *bus)
{
	static const char rule[] = "type='signal',sender='org.freedesktop.DBus',"
				   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
				   "arg0='" KW_BUS_NAME "'";
	int r;

	if (bus->owner_match)
		return 0;
	r = sd_bus_add_match_async(bus->bus, &bus->owner_match, rule, kw_bus_on_changed, NULL, bus);
	return r < 0 ? kw_bus_refused(bus, r) : 0;
}

int kw_bus_subscribe(struct kw_bus *bus,
		     void (*refused)(const struct kw_refusal *refusal, void *data), void *data)
{
	int r = kw_bus_match_owner(bus);

	if (r >= 0)
		r = kw_bus_match(bus, &bus->changed_match, "Changed", kw_bus_on_changed);
	if (r < 0)
		return r;
	bus->refused = refused;
	bus->refused_data = data;
	return kw_bus_match(bus, &bus->refused_match, "Refused", on_refused);
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
