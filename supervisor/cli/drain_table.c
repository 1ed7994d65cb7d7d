/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drain_table.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/move_plan.h"
#include "cli/paragraph.h"
#include "cli/table.h"

#define OUTSIDE "libvirt does not know it, so nothing here can move it; 'kvmward guests' shows it"

const char *kw_drain_end_name(enum kw_drain_end end)
{
	static const char *const names[] = {
		[KW_DRAIN_WAITS] = "waits",
		[KW_DRAIN_RUNS] = "runs",
		[KW_DRAIN_MOVED] = "moved",
		[KW_DRAIN_STAYED] = "stayed",
		[KW_DRAIN_FAILED] = "failed",
	};

	return names[end];
}

static bool goes(const struct kw_drain_row *row)
{
	return row->guest && row->guest->goes;
}

static const struct kw_move_plan *plan_of(const struct kw_drain_row *row)
{
	return &row->guest->plans[row->guest->destination];
}

static const char *host_of(const struct kw_drain_rows *rows, size_t destination, char *to,
			   size_t size)
{
	return kw_move_host(rows->uris[destination], to, size) ? rows->uris[destination] : to;
}

/* How long the guest stands still, as far as it can be told. */
static void stop_text(const struct kw_drain_rows *rows, const struct kw_move_plan *plan, char *to,
		      size_t size)
{
	char bytes[32];
	int used;

	if (!plan->stops) {
		if (plan->kind == KW_MOVE_COLD)
			kw_text_copy(to, size, "(it is off)");
		else if (plan->downtime_ms.known)
			snprintf(to, size, "about %" PRIu64 " ms", plan->downtime_ms.value);
		else
			kw_text_copy(to, size, KW_UNKNOWN_CELL);
		return;
	}
	used = snprintf(to, size, "shutdown (at most %" PRIu32 " s)", rows->shutdown_s);
	if (!plan->copy_bytes.known)
		used += snprintf(to + used, size - (size_t)used, ", copying its disks");
	else if (plan->copy_bytes.value)
		used += snprintf(to + used, size - (size_t)used, ", copying %s",
				 kw_text_bytes(bytes, sizeof(bytes), plan->copy_bytes.value));
	snprintf(to + used, size - (size_t)used, ", start");
}

static void add_plan_row(struct kw_table *table, const struct kw_drain_rows *rows,
			 const struct kw_drain_row *row)
{
	char host[KW_MARK_PEER_MAX], stop[128];

	kw_table_text(table, row->name);
	kw_table_text(table, row->guest ? kw_move_type(&row->guest->facts[0].domain)
				       : KW_UNKNOWN_CELL);
	kw_table_bytes(table, row->guest ? KW_U64(row->guest->facts[0].domain.memory_bytes)
					 : (struct kw_u64){}, false);
	if (!goes(row)) {
		kw_table_text(table, KW_UNKNOWN_CELL);
		kw_table_text(table, "stays");
		kw_table_text(table, "");
		return;
	}
	kw_table_text(table, host_of(rows, row->guest->destination, host, sizeof(host)));
	kw_table_text(table, kw_move_kind_name(plan_of(row)->kind));
	stop_text(rows, plan_of(row), stop, sizeof(stop));
	kw_table_text(table, stop);
}

static const struct kw_verdict *why_cold(const struct kw_move_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->obstacles[i].weight == KW_OBSTACLE_NOT_LIVE)
			return &plan->obstacles[i].verdict;
	return NULL;
}

static void print_reasons(const struct kw_drain_rows *rows, const struct kw_drain_row *row,
			  FILE *to, size_t width)
{
	_cleanup_free_ char *name = kw_display(row->name);

	if (!row->guest) {
		fprintf(to, "%s stays: " OUTSIDE "\n", name ? name : "");
	} else if (!row->guest->goes) {
		for (size_t i = 0; i < rows->destination_count; i++)
			if (kw_move_bar(&row->guest->plans[i]))
				kw_move_reason_print(row->name, "stays",
						     &kw_move_bar(&row->guest->plans[i])->verdict, to,
						     width);
	} else if (why_cold(plan_of(row))) {
		kw_move_reason_print(row->name, "moves cold", why_cold(plan_of(row)), to, width);
	}
}

int kw_drain_print_plan(const struct kw_drain_rows *rows, FILE *to, size_t width)
{
	static const struct kw_column columns[] = {
		{ .title = "NAME", .least = 12 },
		{ .title = "TYPE" },
		{ .title = "MEMORY", .right = true },
		{ .title = "TO", .least = 12 },
		{ .title = "MOVES" },
		{ .title = "STOPS FOR" },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 6);
	int error;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		add_plan_row(table, rows, &rows->rows[i]);
	error = kw_table_print(table, to, width);
	for (size_t i = 0; i < rows->count && !error; i++)
		print_reasons(rows, &rows->rows[i], to, width);
	return error;
}

static void add_ms(struct kw_table *table, struct kw_u64 ms)
{
	if (!ms.known)
		kw_table_text(table, KW_UNKNOWN_CELL);
	else if (ms.value < 10000)
		kw_table_format(table, "%" PRIu64 " ms", ms.value);
	else
		kw_table_format(table, "%" PRIu64 " s", ms.value / 1000);
}

static void add_end_row(struct kw_table *table, const struct kw_drain_rows *rows,
			const struct kw_drain_row *row)
{
	char host[KW_MARK_PEER_MAX];

	kw_table_text(table, row->name);
	if (!row->move) {
		kw_table_text(table, KW_UNKNOWN_CELL);
		kw_table_text(table, "stays");
		kw_table_text(table, KW_UNKNOWN_CELL);
		kw_table_text(table, KW_UNKNOWN_CELL);
		return;
	}
	kw_table_text(table, host_of(rows, row->guest->destination, host, sizeof(host)));
	kw_table_text(table, kw_drain_end_name(row->move->end));
	add_ms(table, row->move->total_ms);
	add_ms(table, row->move->downtime_ms);
}

static void print_words(const struct kw_drain_row *row, FILE *to, size_t width)
{
	char line[KW_NAME_MAX + sizeof(row->move->words) + 16];
	_cleanup_free_ char *shown = NULL;

	snprintf(line, sizeof(line), "%s: %s", row->name, row->move->words);
	shown = kw_display(line);
	kw_paragraph_print(to, 0, width, shown ? shown : "");
}

int kw_drain_print_end(const struct kw_drain_rows *rows, FILE *to, size_t width)
{
	static const struct kw_column columns[] = {
		{ .title = "NAME", .least = 12 },
		{ .title = "TO", .least = 12 },
		{ .title = "END" },
		{ .title = "TOOK", .right = true },
		{ .title = "STOPPED FOR", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 5);
	int error;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		add_end_row(table, rows, &rows->rows[i]);
	error = kw_table_print(table, to, width);
	for (size_t i = 0; i < rows->count && !error; i++)
		if (rows->rows[i].move && rows->rows[i].move->end != KW_DRAIN_MOVED &&
		    rows->rows[i].move->words[0])
			print_words(&rows->rows[i], to, width);
	return error;
}

static struct json_object *bars_json(const struct kw_drain_rows *rows,
				     const struct kw_drain_guest *guest)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < rows->destination_count && !guest->goes; i++)
		if (kw_move_bar(&guest->plans[i]))
			json_object_array_add(list, kw_json_verdict(
				&kw_move_bar(&guest->plans[i])->verdict));
	return list;
}

static struct json_object *end_json(const struct kw_drain_move *move)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "end", kw_json_text(kw_drain_end_name(move->end)));
	json_object_object_add(to, "error",
			       move->end == KW_DRAIN_MOVED ? NULL : kw_json_text(move->words));
	json_object_object_add(to, "total_ms", kw_json_u64(move->total_ms));
	json_object_object_add(to, "downtime_ms", kw_json_u64(move->downtime_ms));
	return to;
}

static struct json_object *row_json(const struct kw_drain_rows *rows,
				    const struct kw_drain_row *row)
{
	struct json_object *to = json_object_new_object();
	const struct kw_drain_guest *guest = row->guest;
	const struct kw_move_plan *plan = goes(row) ? plan_of(row) : NULL;

	json_object_object_add(to, "name", kw_json_text(row->name));
	json_object_object_add(to, "uuid", kw_json_text(row->uuid));
	json_object_object_add(to, "moves", json_object_new_boolean(goes(row)));
	json_object_object_add(to, "uri",
			       plan ? kw_json_text(rows->uris[guest->destination]) : NULL);
	json_object_object_add(to, "kind",
			       plan ? kw_json_text(kw_move_kind_name(plan->kind)) : NULL);
	json_object_object_add(to, "stops", plan ? json_object_new_boolean(plan->stops) : NULL);
	json_object_object_add(to, "downtime_ms", plan ? kw_json_u64(plan->downtime_ms) : NULL);
	json_object_object_add(to, "copy_bytes", plan ? kw_json_u64(plan->copy_bytes) : NULL);
	json_object_object_add(to, "bars", guest ? bars_json(rows, guest) : NULL);
	json_object_object_add(to, "result", row->move ? end_json(row->move) : NULL);
	return to;
}

struct json_object *kw_json_drain(const struct kw_drain_rows *rows)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < rows->count; i++)
		json_object_array_add(list, row_json(rows, &rows->rows[i]));
	return list;
}
