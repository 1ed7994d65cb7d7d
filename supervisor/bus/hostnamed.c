/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.freedesktop.hostname1(5), which the bus starts when it is asked. */
#include "base/text.h"
#include "bus/connection.h"

#define NAME "org.freedesktop.hostname1"

int kw_bus_kernel(struct kw_bus *bus, char *ret_release, size_t size)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL, *reply = NULL;
	const char *release;
	int r = sd_bus_message_new_method_call(bus->bus, &request, NAME,
					       "/org/freedesktop/hostname1",
					       "org.freedesktop.DBus.Properties", "Get");

	if (r >= 0)
		r = sd_bus_message_append(request, "ss", NAME, "KernelRelease");
	if (r < 0)
		return kw_bus_refused(bus, r);
	r = kw_bus_call(bus, request, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "v", "s", &release);
	if (r < 0)
		return kw_bus_malformed(bus, r);
	kw_text_copy(ret_release, size, release);
	return 0;
}
