/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_CONNECTION_H
#define KW_BUS_CONNECTION_H

#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "bus/bridge.h"
#include "bus/client.h"

KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);
KW_CLEANUP_OF(sd_bus_slot, sd_bus_slot_unref);
KW_CLEANUP_OF(struct kw_bus, kw_bus_close);

/* A client's connection; what is public of it is in client.h. */
struct kw_bus {
	sd_bus *bus;
	struct kw_bridge *bridge;	/* NULL on this host's own bus */
	sd_bus_slot *changed_match, *refused_match, *owner_match, *place_match;
	void (*told)(const struct kw_place *place, void *data);
	void *told_data;
	void (*refused)(const struct kw_refusal *refusal, void *data);
	void *refused_data;
	uint64_t deadline_ns;
	bool changed;
	char error[512];
};

/* Keeps the text for kw_bus_error(); returns error. */
int kw_bus_fail(struct kw_bus *bus, int error, const char *text);

/*
 * The connection has ended, or sd-bus would not do something, perhaps for that
 * reason, its error being this. Returns the error to give, with the text kept.
 */
int kw_bus_broken(struct kw_bus *bus, int error);
int kw_bus_refused(struct kw_bus *bus, int error);

/* An answer that could not be read, with the error that reading it gave. */
int kw_bus_malformed(struct kw_bus *bus, int error);

/* 0 or negative errno, with the text kept. The caller ends *ret_request. */
int kw_bus_new_request(struct kw_bus *bus, const char *interface, const char *method,
		       sd_bus_message **ret_request);

/*
 * Sends the request and waits for the answer, by the bus's deadline. The caller
 * ends *ret_reply. 0 or negative errno as in client.h, with the text kept.
 */
int kw_bus_call(struct kw_bus *bus, sd_bus_message *request, sd_bus_message **ret_reply);

/* What kw_bus_call() is made of: takes the reply (userdata: where to put it), and judges it. */
int kw_bus_on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error);
int kw_bus_check_reply(struct kw_bus *bus, sd_bus_message *reply);

/*
 * Listens for a signal of kvmwardd's, once, or for kvmwardd itself to come or
 * go, which sets bus->changed. Waits for nothing; the bus's refusal ends the
 * connection. 0 or negative errno, with the text kept.
 */
int kw_bus_match(struct kw_bus *bus, sd_bus_slot **slot, const char *signal,
		 sd_bus_message_handler_t handler);
int kw_bus_match_owner(struct kw_bus *bus);

/* A handler of signals that only sets bus->changed. */
int kw_bus_on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error);

#endif
