/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/server.h"

#include <errno.h>
#include <stdlib.h>

#include "bus/names.h"
#include "bus/safe_text.h"
#include "bus/server_parts.h"

/* The bus itself answers in microseconds; a bus that does not must not hold up decisions. */
#define BUS_TIMEOUT_US (1000 * 1000ull)

KW_CLEANUP_OF(struct kw_server, kw_server_close);

static void on_left(void *data, uint64_t ticket)
{
	struct kw_server *server = data;

	server->handlers->left(server->userdata, ticket);
}

/* UNPRIVILEGED: who may call is decided by the bus policy and by kw_calls_add(), not by sd-bus. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("ay", xml),
				SD_BUS_RESULT("s", code, "s", sentence), kw_server_on_plan,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("PlanAll", SD_BUS_ARGS("aay", xmls),
				SD_BUS_RESULT(KW_BUS_PLANS, verdicts), kw_server_on_plan_all,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("ay", xml),
				SD_BUS_RESULT("s", code, "s", sentence), kw_server_on_wait,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListWaiting", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_WAITERS, waiting), kw_server_on_list_waiting,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListClasses", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_CLASSES, classes), kw_server_on_list_classes,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListHolds", SD_BUS_NO_ARGS, SD_BUS_RESULT(KW_BUS_HOLDS, holds),
				kw_server_on_list_holds, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListDiffering", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_HOLDS, holds), kw_server_on_list_differing,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, kw_server_on_reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetDraining", SD_BUS_ARGS("b", draining), SD_BUS_NO_RESULT,
				kw_server_on_set_draining, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("Changed", "", 0),
	SD_BUS_SIGNAL_WITH_ARGS("Waiting",
				SD_BUS_ARGS("u", place, "u", count, "s", code, "s", sentence), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Refused",
				SD_BUS_ARGS("s", name, "s", uuid, "s", code, "s", sentence), 0),
	SD_BUS_PROPERTY("Version", "s", kw_server_on_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Configuration", "a{sv}", kw_server_on_configuration, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ChangesFrom", KW_BUS_HEARING, kw_server_on_changes_from, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Memory", KW_BUS_MEMORY, kw_server_on_memory, 0, 0),
	SD_BUS_PROPERTY("Hugepages", KW_BUS_HUGES, kw_server_on_hugepages, 0, 0),
	SD_BUS_PROPERTY("Walls", KW_BUS_WALLS, kw_server_on_walls, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Draining", "b", kw_server_on_draining, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

int kw_server_open(sd_event *event, const struct kw_server_handlers *handlers, void *userdata,
		   struct kw_server **ret_server)
{
	_cleanup_(kw_server_close_at) struct kw_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->handlers = handlers;
	server->userdata = userdata;
	server->waiters.left = on_left;
	server->waiters.data = server;
	server->rounds = (struct kw_calls_rounds){ handlers->begin, handlers->end, userdata };
	r = kw_calls_open(event, &server->rounds, &server->calls);
	if (r >= 0)
		r = sd_bus_open_system(&server->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(server->bus, BUS_TIMEOUT_US);
	if (r >= 0)
		r = sd_bus_add_object_vtable(server->bus, &server->object, KW_BUS_PATH,
					     KW_BUS_INTERFACE, vtable, server);
	if (r >= 0)
		r = sd_bus_attach_event(server->bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(server->bus, true);
	if (r < 0)
		return r;
	*ret_server = KW_STEAL(server);
	return 0;
}

int kw_server_open_door(struct kw_server *server, const char *dir)
{
	const struct kw_door_place place = {
		sd_bus_get_event(server->bus), server->calls, kw_server_answer_hook, server };

	return kw_door_open(dir, &place, &server->door);
}

int kw_server_own_name(struct kw_server *server)
{
	int r = sd_bus_request_name(server->bus, KW_BUS_NAME, 0);

	return r < 0 ? r : 0;
}

void kw_server_close(struct kw_server *server)
{
	if (!server)
		return;
	kw_calls_close(server->calls);
	kw_door_close(server->door);
	kw_waiters_done(&server->waiters);
	sd_bus_slot_unref(server->object);
	sd_bus_flush_close_unref(server->bus);
	free(server);
}

void kw_server_answer(struct kw_server *server, uint64_t ticket, const struct kw_verdict *verdict)
{
	kw_waiters_answer(&server->waiters, ticket, verdict);
}

void kw_server_tell_place(struct kw_server *server, uint64_t ticket, const struct kw_place *place)
{
	kw_waiters_tell(&server->waiters, ticket, place);
}

sd_bus *kw_server_bus(struct kw_server *server)
{
	return server->bus;
}

void kw_server_emit_changed(struct kw_server *server)
{
	sd_bus_emit_signal(server->bus, KW_BUS_PATH, KW_BUS_INTERFACE, "Changed", NULL);
}

void kw_server_emit_refused(struct kw_server *server, const struct kw_refusal *refusal)
{
	char name[sizeof(refusal->name)], uuid[sizeof(refusal->uuid)];
	char sentence[sizeof(refusal->verdict.sentence)];

	sd_bus_emit_signal(server->bus, KW_BUS_PATH, KW_BUS_INTERFACE, "Refused", KW_BUS_REFUSED,
			   kw_bus_safe_text(name, sizeof(name), refusal->name),
			   kw_bus_safe_text(uuid, sizeof(uuid), refusal->uuid),
			   kw_code_name(refusal->verdict.code),
			   kw_bus_safe_text(sentence, sizeof(sentence), refusal->verdict.sentence));
}

static void emit_property(struct kw_server *server, const char *property)
{
	sd_bus_emit_properties_changed(server->bus, KW_BUS_PATH, KW_BUS_INTERFACE, property, NULL);
}

void kw_server_emit_configuration(struct kw_server *server)
{
	emit_property(server, "Configuration");
}

void kw_server_emit_hearing(struct kw_server *server)
{
	emit_property(server, "ChangesFrom");
}

void kw_server_emit_walls(struct kw_server *server)
{
	emit_property(server, "Walls");
}

void kw_server_emit_draining(struct kw_server *server)
{
	emit_property(server, "Draining");
}
