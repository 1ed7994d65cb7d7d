/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/client.h"

#include <string.h>

#include "bus/answers.h"
#include "bus/connection.h"
#include "bus/memory.h"
#include "bus/names.h"
#include "bus/safe_text.h"

static int ask_verdict(struct kw_bus *bus, sd_bus_message *request, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r;

	r = kw_bus_call(bus, request, &reply);
	if (r < 0)
		return r;
	r = kw_bus_read_verdict(reply, ret_verdict);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	char texts[4][KW_NAME_MAX];
	int r;

	r = kw_bus_new_request(bus, KW_BUS_INTERFACE, "Hook", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append(request, "ssss",
				  kw_bus_safe_text(texts[0], sizeof(texts[0]), name),
				  kw_bus_safe_text(texts[1], sizeof(texts[1]), op),
				  kw_bus_safe_text(texts[2], sizeof(texts[2]), subop),
				  kw_bus_safe_text(texts[3], sizeof(texts[3]), extra));
	if (r >= 0)
		r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	return r < 0 ? kw_bus_fail(bus, r, strerror(-r)) : ask_verdict(bus, request, ret_verdict);
}

int kw_bus_plan(struct kw_bus *bus, const char *xml, struct kw_verdict *ret_verdict)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	r = kw_bus_new_request(bus, KW_BUS_INTERFACE, "Plan", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(request, 'y', xml, strlen(xml));
	return r < 0 ? kw_bus_fail(bus, r, strerror(-r)) : ask_verdict(bus, request, ret_verdict);
}

int kw_bus_plan_all(struct kw_bus *bus, const char *const *xmls, size_t count,
		    struct kw_verdict *ret_verdicts)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL, *reply = NULL;
	int r = kw_bus_new_request(bus, KW_BUS_INTERFACE, "PlanAll", &request);

	if (r < 0)
		return r;
	r = sd_bus_message_open_container(request, 'a', "ay");
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = sd_bus_message_append_array(request, 'y', xmls[i], strlen(xmls[i]));
	if (r >= 0)
		r = sd_bus_message_close_container(request);
	if (r < 0)
		return kw_bus_fail(bus, r, strerror(-r));
	r = kw_bus_call(bus, request, &reply);
	if (r < 0)
		return r;
	r = kw_bus_read_verdicts(reply, ret_verdicts, count);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

/* A method without arguments. */
static int call_plain(struct kw_bus *bus, const char *method, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r = kw_bus_new_request(bus, KW_BUS_INTERFACE, method, &request);

	return r < 0 ? r : kw_bus_call(bus, request, ret_reply);
}

static int list_holds(struct kw_bus *bus, const char *method, struct kw_hold_list *ret_holds)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, method, &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_holds(reply, ret_holds);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_holds(struct kw_bus *bus, struct kw_hold_list *ret_holds)
{
	return list_holds(bus, "ListHolds", ret_holds);
}

int kw_bus_differing(struct kw_bus *bus, struct kw_hold_list *ret_holds)
{
	return list_holds(bus, "ListDiffering", ret_holds);
}

int kw_bus_waiting(struct kw_bus *bus, struct kw_waiter_list *ret_waiting)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, "ListWaiting", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_waiting(reply, ret_waiting);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_classes(struct kw_bus *bus, struct kw_class_table *ret_table)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = call_plain(bus, "ListClasses", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_classes(reply, ret_table);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

static int get_property(struct kw_bus *bus, const char *property, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL;
	int r;

	r = kw_bus_new_request(bus, "org.freedesktop.DBus.Properties", "Get", &request);
	if (r < 0)
		return r;
	r = sd_bus_message_append(request, "ss", KW_BUS_INTERFACE, property);
	return r < 0 ? kw_bus_fail(bus, r, strerror(-r)) : kw_bus_call(bus, request, ret_reply);
}

int kw_bus_config(struct kw_bus *bus, struct kw_config *ret_config)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "Configuration", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_config(reply, ret_config);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_hearing(struct kw_bus *bus, struct kw_hearing_state *ret_hearing)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "ChangesFrom", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_hearing(reply, ret_hearing);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_walls(struct kw_bus *bus, struct kw_walls_status *ret_walls)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int r = get_property(bus, "Walls", &reply);

	if (r < 0)
		return r;
	r = kw_bus_read_walls(reply, ret_walls);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_memory(struct kw_bus *bus, struct kw_memory_status *ret_memory)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *memory = NULL, *hugepages = NULL;
	int r = get_property(bus, "Memory", &memory);

	if (r >= 0)
		r = get_property(bus, "Hugepages", &hugepages);
	if (r < 0)
		return r;
	r = kw_bus_read_memory(memory, hugepages, ret_memory);
	return r < 0 ? kw_bus_malformed(bus, r) : 0;
}

int kw_bus_draining(struct kw_bus *bus, bool *ret_draining)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;
	int on, r = get_property(bus, "Draining", &reply);

	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "v", "b", &on);
	if (r < 0)
		return kw_bus_malformed(bus, r);
	*ret_draining = on;
	return 0;
}

int kw_bus_drain(struct kw_bus *bus, bool on)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *request = NULL, *reply = NULL;
	int r = kw_bus_new_request(bus, KW_BUS_INTERFACE, "SetDraining", &request);

	if (r < 0)
		return r;
	r = sd_bus_message_append(request, "b", (int)on);
	return r < 0 ? kw_bus_fail(bus, r, strerror(-r)) : kw_bus_call(bus, request, &reply);
}

int kw_bus_reload(struct kw_bus *bus)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *reply = NULL;

	return call_plain(bus, "Reload", &reply);
}
