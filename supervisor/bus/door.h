/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_DOOR_H
#define KW_BUS_DOOR_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "bus/calls.h"

/*
 * Where libvirt's hooks come in: a socket "door" in the state directory, on
 * which root speaks D-Bus with kvmwardd and nobody is in between. A host on
 * which many guests start at once has little time left for its bus, and hooks
 * have two seconds.
 */
struct kw_door;

/* What is behind it, all borrowed: the method Hook is answered by how() in a round. */
struct kw_door_place {
	sd_event *event;
	struct kw_calls *calls;
	sd_bus_message_handler_t how;
	void *userdata;
};

/* Lets callers in from now on. 0 or negative errno. */
int kw_door_open(const char *dir, const struct kw_door_place *place, struct kw_door **ret_door);
void kw_door_close(struct kw_door *door);

#endif
