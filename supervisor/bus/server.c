/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/server.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "bus/calls.h"
#include "bus/door.h"
#include "bus/memory.h"
#include "bus/names.h"
#include "bus/safe_text.h"
#include "bus/waiters.h"

/* The bus itself answers in microseconds; a bus that does not must not hold up decisions. */
#define BUS_TIMEOUT_US (1000 * 1000ull)

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

KW_CLEANUP_OF(struct kw_server, kw_server_close);
KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);

static int reply_verdict(sd_bus_message *request, const struct kw_verdict *verdict)
{
	char sentence[sizeof(verdict->sentence)];

	return sd_bus_reply_method_return(
		request, KW_BUS_VERDICT, kw_code_name(verdict->code),
		kw_bus_safe_text(sentence, sizeof(sentence), verdict->sentence));
}

static int answer_hook(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_hook_call call = {};
	struct kw_verdict verdict = {};
	const void *xml;
	int r;

	(void)error;
	r = sd_bus_message_read(request, "ssss", &call.name, &call.op, &call.subop, &call.extra);
	if (r >= 0)
		r = sd_bus_message_read_array(request, 'y', &xml, &call.xml_length);
	if (r < 0)
		return r;
	call.xml = xml;
	server->handlers->hook(server->userdata, &call, &verdict);
	return reply_verdict(request, &verdict);
}

static int answer_plan(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_verdict verdict = {};
	const void *xml;
	size_t length;
	int r;

	(void)error;
	r = sd_bus_message_read_array(request, 'y', &xml, &length);
	if (r < 0)
		return r;
	server->handlers->plan(server->userdata, xml, length, &verdict);
	return reply_verdict(request, &verdict);
}

/* The texts are the request's. As sd_bus_message_read(): negative errno. */
static int read_texts(sd_bus_message *request, struct kw_plan_text texts[KW_BUS_PLANS_MAX],
		      size_t *ret_count)
{
	size_t count = 0;
	int r = sd_bus_message_enter_container(request, 'a', "ay");

	while (r >= 0 && !sd_bus_message_at_end(request, false)) {
		const void *xml;

		if (count == KW_BUS_PLANS_MAX)
			return -E2BIG;
		r = sd_bus_message_read_array(request, 'y', &xml, &texts[count].length);
		texts[count++].xml = xml;
	}
	*ret_count = count;
	return r;
}

static int reply_verdicts(sd_bus_message *request, const struct kw_verdict *verdicts, size_t count)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(request, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(" KW_BUS_VERDICT ")");
	for (size_t i = 0; r >= 0 && i < count; i++) {
		char sentence[sizeof(verdicts->sentence)];

		r = sd_bus_message_append(reply, "(" KW_BUS_VERDICT ")",
					  kw_code_name(verdicts[i].code),
					  kw_bus_safe_text(sentence, sizeof(sentence),
							   verdicts[i].sentence));
	}
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int answer_plan_all(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	_cleanup_free_ struct kw_plan_text *texts = calloc(KW_BUS_PLANS_MAX, sizeof(*texts));
	_cleanup_free_ struct kw_verdict *verdicts = calloc(KW_BUS_PLANS_MAX, sizeof(*verdicts));
	struct kw_server *server = userdata;
	size_t count;
	int r;

	(void)error;
	if (!texts || !verdicts)
		return -ENOMEM;
	r = read_texts(request, texts, &count);
	if (r < 0)
		return r;
	server->handlers->plans(server->userdata, texts, count, verdicts);
	return reply_verdicts(request, verdicts, count);
}

static int answer_wait(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const void *xml;
	uint64_t ticket;
	size_t length;
	int r;

	(void)error;
	r = sd_bus_message_read_array(request, 'y', &xml, &length);
	if (r >= 0)
		r = kw_waiters_add(&server->waiters, request, &ticket);
	if (r < 0)
		return r;
	server->handlers->wait(server->userdata, ticket, xml, length);
	return 1;
}

static void on_left(void *data, uint64_t ticket)
{
	struct kw_server *server = data;

	server->handlers->left(server->userdata, ticket);
}

static int append_waiters(sd_bus_message *reply, const struct kw_waiter_list *list)
{
	int r = sd_bus_message_open_container(reply, 'a', KW_BUS_WAITER);

	for (size_t i = 0; r >= 0 && i < list->count; i++) {
		const struct kw_waiter *waiter = &list->waiters[i];
		char name[sizeof(waiter->claim.name)], sentence[sizeof(waiter->verdict.sentence)];

		r = sd_bus_message_append(
			reply, KW_BUS_WAITER, waiter->claim.uuid,
			kw_bus_safe_text(name, sizeof(name), waiter->claim.name),
			kw_guest_type_name(waiter->claim.type), waiter->since_ns,
			kw_code_name(waiter->verdict.code),
			kw_bus_safe_text(sentence, sizeof(sentence), waiter->verdict.sentence));
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_list_waiting(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	_cleanup_free_ struct kw_waiter *owned = NULL;
	struct kw_server *server = userdata;
	struct kw_waiter_list list = {};
	int r;

	(void)error;
	r = server->handlers->waiters(server->userdata, &list);
	owned = list.waiters;
	if (r >= 0)
		r = sd_bus_message_new_method_return(request, &reply);
	if (r >= 0)
		r = append_waiters(reply, &list);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_list_classes(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	struct kw_server *server = userdata;
	struct kw_class_table table;
	int r;

	(void)error;
	server->handlers->classes(server->userdata, &table);
	r = sd_bus_message_new_method_return(request, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', KW_BUS_CLASS);
	for (size_t i = 0; r >= 0 && i < table.count; i++)
		r = sd_bus_message_append(
			reply, KW_BUS_CLASS, table.uses[i].class_name,
			kw_class_thing_name(&table.uses[i]), table.uses[i].used,
			table.uses[i].reserve,
			table.uses[i].limit.known ? table.uses[i].limit.value : UINT64_MAX);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_hold(sd_bus_message *reply, const struct kw_hold *hold)
{
	const struct kw_claim *claim = &hold->claim;
	char uuid[sizeof(claim->uuid)], name[sizeof(claim->name)];

	return sd_bus_message_append(reply, KW_BUS_HOLD,
				     kw_bus_safe_text(uuid, sizeof(uuid), claim->uuid),
				     kw_bus_safe_text(name, sizeof(name), claim->name),
				     kw_guest_type_name(claim->type), claim->memory_bytes,
				     claim->pinned_bytes, claim->memlock_bytes,
				     claim->ceiling_bytes, hold->taken_ns, (uint32_t)hold->pid,
				     hold->start_time_ns);
}

static int append_holds(sd_bus_message *reply, const struct kw_hold_list *list, bool differing)
{
	int r = sd_bus_message_open_container(reply, 'a', KW_BUS_HOLD);

	for (size_t i = 0; r >= 0 && i < list->count; i++)
		if (!differing || list->holds[i].differs)
			r = append_hold(reply, &list->holds[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int list_holds(sd_bus_message *request, struct kw_server *server, bool differing)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(request, &reply);

	if (r >= 0)
		r = append_holds(reply, server->handlers->holds(server->userdata), differing);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_list_holds(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	(void)error;
	return list_holds(request, userdata, false);
}

static int on_list_differing(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	(void)error;
	return list_holds(request, userdata, true);
}

static int answer_reload(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	char message[512] = "", text[sizeof(message)];
	int r;

	r = server->handlers->reload(server->userdata, message, sizeof(message));
	if (r < 0)
		return sd_bus_error_set(error, KW_BUS_ERROR_CONFIG,
					kw_bus_safe_text(text, sizeof(text), message));
	return sd_bus_reply_method_return(request, NULL);
}

static int answer_set_draining(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	int on, r = sd_bus_message_read(request, "b", &on);

	if (r < 0)
		return r;
	r = server->handlers->drain(server->userdata, on);
	if (r < 0)
		return sd_bus_error_set_errnof(error, r, "It cannot be saved: %m");
	return sd_bus_reply_method_return(request, NULL);
}

static int on_plan(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, false, answer_plan, server);
}

static int on_plan_all(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, false, answer_plan_all, server);
}

static int on_wait(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_wait, server);
}

static int on_reload(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_reload, server);
}

static int on_set_draining(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_set_draining, server);
}

static const char *admit_word(bool admit)
{
	return admit ? "admit" : "refuse";
}

static int on_configuration(sd_bus *bus, const char *path, const char *interface,
			    const char *property, sd_bus_message *reply, void *userdata,
			    sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_config *config = server->handlers->config(server->userdata);
	struct kw_u32 guests = config->num_memory_encrypted_guests;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0)
		r = sd_bus_message_append(
			reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",
			KW_BUS_KEY_SEV_RESERVE, "u", config->reserve[KW_POOL_SEV],
			KW_BUS_KEY_SEV_ES_RESERVE, "u", config->reserve[KW_POOL_SEV_ES],
			KW_BUS_KEY_SNP_RESERVE, "u", config->reserve[KW_POOL_SNP],
			KW_BUS_KEY_MEMORY, "t", config->reserved_host_memory_bytes,
			KW_BUS_KEY_ENCRYPTED, "s", admit_word(config->admit_encrypted_unasked),
			KW_BUS_KEY_PLAIN, "s", admit_word(config->admit_plain_unasked),
			KW_BUS_KEY_MEMORY_MAX, "b", (int)config->memory_max_wall,
			KW_BUS_KEY_MISC_MAX, "b", (int)config->misc_max_wall,
			KW_BUS_KEY_TIMEOUT, "u", config->hold_timeout_s);
	if (r >= 0)
		r = sd_bus_message_append(reply, "{sv}{sv}", KW_BUS_KEY_MEMLOCK, "s",
					  admit_word(config->admit_small_memlock), KW_BUS_KEY_RATIO,
					  "d", config->ram_allocation_thousandths / 1000.0);
	if (r >= 0 && guests.known)
		r = sd_bus_message_append(reply, "{sv}", KW_BUS_KEY_GUESTS, "u", guests.value);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_changes_from(sd_bus *bus, const char *path, const char *interface,
			   const char *property, sd_bus_message *reply, void *userdata,
			   sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_hearing_state *hearing = server->handlers->hearing(server->userdata);
	char reason[sizeof(hearing->reason)];

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, KW_BUS_HEARING, kw_hearing_name(hearing->from),
				     kw_bus_safe_text(reason, sizeof(reason), hearing->reason));
}

static int append_wall(sd_bus_message *reply, enum kw_wall wall,
		       const struct kw_wall_status *status)
{
	char reason[sizeof(status->reason)];

	return sd_bus_message_append(reply, KW_BUS_WALL, kw_wall_name(wall),
				     kw_wall_state_name(status->state),
				     kw_bus_safe_text(reason, sizeof(reason), status->reason),
				     status->limit.known ? status->limit.value : KW_NO_LIMIT);
}

static int on_walls(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_walls_status *walls = server->handlers->walls(server->userdata);
	int r = sd_bus_message_open_container(reply, 'a', KW_BUS_WALL);

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (enum kw_wall wall = 0; r >= 0 && walls->known && wall < KW_WALL_COUNT; wall++)
		r = append_wall(reply, wall, &walls->wall[wall]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_draining(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b",
				     (int)server->handlers->draining(server->userdata));
}

static int on_memory(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_memory_status status;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	server->handlers->memory(server->userdata, &status);
	return kw_bus_append_room(reply, &status.room);
}

static int on_hugepages(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_memory_status status;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	server->handlers->memory(server->userdata, &status);
	return kw_bus_append_pools(reply, status.pools, status.pool_count);
}

static int on_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", KW_VERSION);
}

/* UNPRIVILEGED: who may call is decided by the bus policy and by kw_calls_add(), not by sd-bus. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("ay", xml),
				SD_BUS_RESULT("s", code, "s", sentence), on_plan,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("PlanAll", SD_BUS_ARGS("aay", xmls),
				SD_BUS_RESULT(KW_BUS_PLANS, verdicts), on_plan_all,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("ay", xml),
				SD_BUS_RESULT("s", code, "s", sentence), on_wait,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListWaiting", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_WAITERS, waiting), on_list_waiting,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListClasses", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_CLASSES, classes), on_list_classes,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListHolds", SD_BUS_NO_ARGS, SD_BUS_RESULT(KW_BUS_HOLDS, holds),
				on_list_holds, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListDiffering", SD_BUS_NO_ARGS,
				SD_BUS_RESULT(KW_BUS_HOLDS, holds), on_list_differing,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetDraining", SD_BUS_ARGS("b", draining), SD_BUS_NO_RESULT,
				on_set_draining, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("Changed", "", 0),
	SD_BUS_SIGNAL_WITH_ARGS("Waiting",
				SD_BUS_ARGS("u", place, "u", count, "s", code, "s", sentence), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Refused",
				SD_BUS_ARGS("s", name, "s", uuid, "s", code, "s", sentence), 0),
	SD_BUS_PROPERTY("Version", "s", on_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Configuration", "a{sv}", on_configuration, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ChangesFrom", KW_BUS_HEARING, on_changes_from, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Memory", KW_BUS_MEMORY, on_memory, 0, 0),
	SD_BUS_PROPERTY("Hugepages", KW_BUS_HUGES, on_hugepages, 0, 0),
	SD_BUS_PROPERTY("Walls", KW_BUS_WALLS, on_walls, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Draining", "b", on_draining, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
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
		sd_bus_get_event(server->bus), server->calls, answer_hook, server };

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
