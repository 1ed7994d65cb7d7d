/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/evacuate_table.h"

#include <errno.h>

#include "cli/json.h"
#include "cli/move_plan.h"
#include "cli/table.h"

static void add_row(struct kw_table *table, const struct kw_evacuation_guest *guest)
{
	const struct kw_domain *domain = &guest->evacuee.move.domain;

	kw_table_text(table, guest->kept.name);
	kw_table_text(table, kw_move_type(domain));
	kw_table_bytes(table, KW_U64(domain->memory_bytes), false);
	kw_table_text(table, guest->kept.runs ? "yes" : "no");
	kw_table_text(table, kw_evacuee_act_name(guest->act));
}

static void print_reasons(const struct kw_evacuation_guest *guest, FILE *to, size_t width)
{
	for (size_t i = 0; i < guest->plan.count; i++) {
		const struct kw_obstacle *obstacle = &guest->plan.obstacles[i];

		kw_move_reason_print(guest->kept.name,
				     obstacle->weight == KW_OBSTACLE_BARS ? "stays" : "warning",
				     &obstacle->verdict, to, width);
	}
}

int kw_evacuation_print(const struct kw_evacuation *evacuation, FILE *to, size_t width)
{
	static const struct kw_column columns[] = {
		{ .title = "NAME", .least = 12 },
		{ .title = "TYPE" },
		{ .title = "MEMORY", .right = true },
		{ .title = "RAN" },
		{ .title = "HERE IT" },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 5);
	int error;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < evacuation->count; i++)
		add_row(table, &evacuation->guests[i]);
	error = kw_table_print(table, to, width);
	for (size_t i = 0; i < evacuation->count && !error; i++)
		print_reasons(&evacuation->guests[i], to, width);
	return error;
}

static struct json_object *guest_json(const struct kw_evacuation_guest *guest)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "name", kw_json_text(guest->kept.name));
	json_object_object_add(to, "uuid", kw_json_text(guest->kept.uuid));
	json_object_object_add(to, "ran", json_object_new_boolean(guest->kept.runs));
	json_object_object_add(to, "act", kw_json_text(kw_evacuee_act_name(guest->act)));
	json_object_object_add(to, "obstacles", kw_json_obstacles(&guest->plan));
	json_object_object_add(to, "done", guest->done ? json_object_new_boolean(!*guest->error)
						       : NULL);
	json_object_object_add(to, "error", kw_json_text(guest->error));
	return to;
}

struct json_object *kw_json_evacuation(const struct kw_evacuation *evacuation)
{
	struct json_object *to = json_object_new_object(), *guests = json_object_new_array();

	for (size_t i = 0; i < evacuation->count; i++)
		json_object_array_add(guests, guest_json(&evacuation->guests[i]));
	json_object_object_add(to, "host", kw_json_text(evacuation->host.name));
	json_object_object_add(to, "verdict", kw_json_verdict(&evacuation->verdict));
	json_object_object_add(to, "guests", guests);
	return to;
}
