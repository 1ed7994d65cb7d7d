/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_plan.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/paragraph.h"
#include "cli/table.h"

#define LABEL_WIDTH 13

struct page {
	FILE *to;
	size_t width;
};

__attribute__((format(printf, 3, 4)))
static void line(const struct page *page, const char *label, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	shown = text ? kw_display(text) : NULL;
	if (shown)
		kw_paragraph_labelled(page->to, label, LABEL_WIDTH, page->width, shown);
}

static void print_stop(const struct page *page, const struct kw_move_plan *plan,
		       uint32_t shutdown_s)
{
	if (plan->stops)
		line(page, "stops", "from its shutdown here, for which it has %" PRIu32 " s, until "
		     "it has started there", shutdown_s);
	else if (plan->kind == KW_MOVE_COLD)
		line(page, "stops", "not at all: it is off, and stays so");
	else if (plan->downtime_ms.known)
		line(page, "stops", "for %" PRIu64 " ms at the end, which QEMU aims at",
		     plan->downtime_ms.value);
	else
		line(page, "stops", "at the end, for how long is not known");
}

static void print_copy(const struct page *page, const struct kw_move_plan *plan)
{
	char bytes[32];

	if (!plan->copy_bytes.known)
		line(page, "copied", "disks, of how many bytes is not known");
	else if (plan->copy_bytes.value)
		line(page, "copied", "%s of disks",
		     kw_text_bytes(bytes, sizeof(bytes), plan->copy_bytes.value));
}

static const char *label_of(enum kw_obstacle_weight weight)
{
	switch (weight) {
	case KW_OBSTACLE_BARS:
		return "refused";
	case KW_OBSTACLE_NOT_LIVE:
		return "not live";
	case KW_OBSTACLE_WARNS:
		break;
	}
	return "warning";
}

static void print_obstacles(const struct page *page, const struct kw_move_plan *plan,
			    enum kw_obstacle_weight weight)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct kw_obstacle *obstacle = &plan->obstacles[i];

		if (obstacle->weight == weight)
			line(page, label_of(weight), "%s: %s",
			     kw_code_name(obstacle->verdict.code), obstacle->verdict.sentence);
	}
}

void kw_move_plan_print(const struct kw_move_facts *facts, const struct kw_move_plan *plan,
			uint32_t shutdown_s, FILE *to, size_t width)
{
	const struct page page = { to, width };

	line(&page, "guest", "%s (%s)", facts->domain.name, facts->domain.uuid);
	line(&page, "to", "%s", facts->destination);
	line(&page, "moves", "%s%s", kw_move_kind_name(plan->kind),
	     plan->possible ? "" : ", if nothing stood in the way");
	print_stop(&page, plan, shutdown_s);
	print_copy(&page, plan);
	print_obstacles(&page, plan, KW_OBSTACLE_NOT_LIVE);
	print_obstacles(&page, plan, KW_OBSTACLE_WARNS);
	print_obstacles(&page, plan, KW_OBSTACLE_BARS);
}

const char *kw_move_type(const struct kw_domain *domain)
{
	enum kw_guest_type type;

	return kw_domain_guest_type(domain, &type) ? kw_guest_type_name(type) : KW_UNKNOWN_CELL;
}

void kw_move_reason_print(const char *name, const char *what, const struct kw_verdict *verdict,
			  FILE *to, size_t width)
{
	char line[KW_NAME_MAX + sizeof(verdict->sentence) + 64];
	_cleanup_free_ char *shown = NULL;

	snprintf(line, sizeof(line), "%s %s: %s: %s", name, what, kw_code_name(verdict->code),
		 verdict->sentence);
	shown = kw_display(line);
	kw_paragraph_print(to, 0, width, shown ? shown : "");
}

static struct json_object *json_obstacle(const struct kw_obstacle *obstacle)
{
	struct json_object *to = kw_json_verdict(&obstacle->verdict);

	json_object_object_add(to, "weight",
			       kw_json_text(kw_obstacle_weight_name(obstacle->weight)));
	return to;
}

struct json_object *kw_json_obstacles(const struct kw_move_plan *plan)
{
	struct json_object *obstacles = json_object_new_array();

	for (size_t i = 0; i < plan->count; i++)
		json_object_array_add(obstacles, json_obstacle(&plan->obstacles[i]));
	return obstacles;
}

static struct json_object *json_copies(const struct kw_move_facts *facts,
				       const struct kw_move_plan *plan)
{
	struct json_object *copies = json_object_new_array();

	for (size_t i = 0; i < facts->disk_count; i++)
		if (kw_move_copies(plan, &facts->disks[i]))
			json_object_array_add(copies, kw_json_text(facts->disks[i].target));
	return copies;
}

struct json_object *kw_json_move_plan(const struct kw_move_facts *facts,
				      const struct kw_move_plan *plan)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "name", kw_json_text(facts->domain.name));
	json_object_object_add(to, "uuid", kw_json_text(facts->domain.uuid));
	json_object_object_add(to, "destination", kw_json_text(facts->destination));
	json_object_object_add(to, "kind", kw_json_text(kw_move_kind_name(plan->kind)));
	json_object_object_add(to, "possible", json_object_new_boolean(plan->possible));
	json_object_object_add(to, "stops", json_object_new_boolean(plan->stops));
	json_object_object_add(to, "downtime_ms", kw_json_u64(plan->downtime_ms));
	json_object_object_add(to, "copy_disks", json_copies(facts, plan));
	json_object_object_add(to, "copy_bytes", kw_json_u64(plan->copy_bytes));
	json_object_object_add(to, "obstacles", kw_json_obstacles(plan));
	return to;
}
