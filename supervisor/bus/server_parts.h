/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_SERVER_PARTS_H
#define KW_BUS_SERVER_PARTS_H

#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "bus/calls.h"
#include "bus/door.h"
#include "bus/server.h"
#include "bus/waiters.h"

KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);

struct kw_server {
	sd_bus *bus;
	sd_bus_slot *object;
	struct kw_calls *calls;
	struct kw_calls_rounds rounds;
	struct kw_door *door;
	struct kw_waiters waiters;
	const struct kw_server_handlers *handlers;
	void *userdata;
};

/* Methods, as sd-bus calls them; the hook's is called in a round. userdata is the server. */
int kw_server_on_plan(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_plan_all(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_wait(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_list_waiting(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_list_classes(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_list_holds(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_list_differing(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_reload(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_on_set_draining(sd_bus_message *request, void *userdata, sd_bus_error *error);
int kw_server_answer_hook(sd_bus_message *request, void *userdata, sd_bus_error *error);

/* Properties, likewise. */
#define KW_PROPERTY(name)                                                                          \
	int kw_server_on_##name(sd_bus *bus, const char *path, const char *interface,              \
				const char *property, sd_bus_message *reply, void *userdata,       \
				sd_bus_error *error)
KW_PROPERTY(version);
KW_PROPERTY(configuration);
KW_PROPERTY(changes_from);
KW_PROPERTY(memory);
KW_PROPERTY(hugepages);
KW_PROPERTY(walls);
KW_PROPERTY(draining);
#undef KW_PROPERTY

#endif
