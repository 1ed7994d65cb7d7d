/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_SERVER_H
#define KW_BUS_SERVER_H

#include <stddef.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "model/claim.h"
#include "model/class.h"
#include "model/config.h"
#include "model/hearing.h"
#include "model/hook.h"
#include "model/verdict.h"
#include "model/room.h"
#include "model/waiting.h"
#include "model/walls.h"

/* What the bus asks of kvmwardd; each but wait answers at once, userdata is the caller's own. */
struct kw_server_handlers {
	/* Around hook, plan, wait and reload: all that are called in between had arrived before. */
	void (*begin)(void *userdata);
	void (*end)(void *userdata);
	void (*hook)(void *userdata, const struct kw_hook_call *call,
		     struct kw_verdict *ret_verdict);
	void (*plan)(void *userdata, const char *xml, size_t length,
		     struct kw_verdict *ret_verdict);
	/* Each as if those before it that are admitted had started. */
	void (*plans)(void *userdata, const struct kw_plan_text *texts, size_t count,
		      struct kw_verdict *ret_verdicts);
	/*
	 * Answered by kw_server_answer(), sooner or later. left: the client of an unanswered or
	 * admitted ticket is gone.
	 */
	void (*wait)(void *userdata, uint64_t ticket, const char *xml, size_t length);
	void (*left)(void *userdata, uint64_t ticket);
	/* 0 or -ENOMEM; the server frees ret_list->waiters. */
	int (*waiters)(void *userdata, struct kw_waiter_list *ret_list);
	void (*classes)(void *userdata, struct kw_class_table *ret_table);
	const struct kw_hold_list *(*holds)(void *userdata);
	const struct kw_config *(*config)(void *userdata);
	const struct kw_hearing_state *(*hearing)(void *userdata);
	const struct kw_walls_status *(*walls)(void *userdata);
	void (*memory)(void *userdata, struct kw_memory_status *ret_status);
	bool (*draining)(void *userdata);
	/* 0 or negative errno, and nothing has changed. */
	int (*drain)(void *userdata, bool on);
	/* 0, or negative errno with "file:line: message" in error and nothing changed. */
	int (*reload)(void *userdata, char *error, size_t error_size);
};

struct kw_server;

/*
 * Connects to the system bus and puts the object there, without the name: no
 * call arrives yet. When the bus goes away later the event loop ends with
 * EXIT_FAILURE, and the service manager starts anew. handlers and userdata are
 * borrowed. 0 or negative errno.
 */
int kw_server_open(sd_event *event, const struct kw_server_handlers *handlers, void *userdata,
		   struct kw_server **ret_server);
void kw_server_close(struct kw_server *server);

/* For calls of our own to others. Borrowed. */
sd_bus *kw_server_bus(struct kw_server *server);

/* From now on libvirt's hooks are let in, by the door in this directory. 0 or negative errno. */
int kw_server_open_door(struct kw_server *server, const char *dir);

/* Takes the name; from now on calls arrive. -EEXIST when another process has it. */
int kw_server_own_name(struct kw_server *server);

/* Answers a ticket; tells its place by the signal Waiting. */
void kw_server_answer(struct kw_server *server, uint64_t ticket, const struct kw_verdict *verdict);
void kw_server_tell_place(struct kw_server *server, uint64_t ticket, const struct kw_place *place);

/*
 * Sends the signal Changed or Refused, or that the property Configuration,
 * ChangesFrom, Walls or Draining has changed.
 */
void kw_server_emit_changed(struct kw_server *server);
void kw_server_emit_refused(struct kw_server *server, const struct kw_refusal *refusal);
void kw_server_emit_configuration(struct kw_server *server);
void kw_server_emit_hearing(struct kw_server *server);
void kw_server_emit_walls(struct kw_server *server);
void kw_server_emit_draining(struct kw_server *server);

#endif
