/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/server_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "bus/names.h"
#include "bus/safe_text.h"

static int reply_verdict(sd_bus_message *request, const struct kw_verdict *verdict)
{
	char sentence[sizeof(verdict->sentence)];

	return sd_bus_reply_method_return(
		request, KW_BUS_VERDICT, kw_code_name(verdict->code),
		kw_bus_safe_text(sentence, sizeof(sentence), verdict->sentence));
}

int kw_server_answer_hook(sd_bus_message *request, void *userdata, sd_bus_error *error)
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

int kw_server_on_list_waiting(sd_bus_message *request, void *userdata, sd_bus_error *error)
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

int kw_server_on_list_classes(sd_bus_message *request, void *userdata, sd_bus_error *error)
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

int kw_server_on_list_holds(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	(void)error;
	return list_holds(request, userdata, false);
}

int kw_server_on_list_differing(sd_bus_message *request, void *userdata, sd_bus_error *error)
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

int kw_server_on_plan(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, false, answer_plan, server);
}

int kw_server_on_plan_all(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, false, answer_plan_all, server);
}

int kw_server_on_wait(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_wait, server);
}

int kw_server_on_reload(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_reload, server);
}

int kw_server_on_set_draining(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)error;
	return kw_calls_add(server->calls, request, true, answer_set_draining, server);
}
