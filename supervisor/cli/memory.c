/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/paragraph.h"
#include "cli/table.h"

struct line {
	const char *key, *title;
	struct kw_u64 bytes;
};

#define LINES 8

/* What is taken off, in the order of the rule; the first and the last are what is there. */
static void make_lines(const struct kw_memory_room *room, struct line lines[LINES])
{
	const struct line made[LINES] = {
		{ "total_bytes", "in the host", room->total_bytes },
		{ "reserved_bytes", "reserved for it", KW_U64(room->reserve_bytes) },
		{ "hugepages_bytes", "hugepage pools", room->pools_bytes },
		{ "encrypted_bytes", "encrypted guests",
		  { room->guests_known, room->encrypted_bytes } },
		{ "plain_bytes", "plain guests", { room->guests_known, room->plain_bytes } },
		{ "held_bytes", "held for guests that start",
		  KW_U64(kw_less(room->pending_bytes, room->waiting_bytes)) },
		{ "waiting_bytes", "waited for", KW_U64(room->waiting_bytes) },
		{ "free_bytes", "free", room->free_bytes },
	};

	memcpy(lines, made, sizeof(made));
}

static struct json_object *pool_json(const struct kw_huge_room *pool)
{
	struct json_object *to = json_object_new_object();

#define PUT(field) json_object_object_add(to, #field, json_object_new_uint64(pool->field))
	PUT(page_bytes);
	PUT(total_pages);
	PUT(unused_pages);
	PUT(promised_pages);
	PUT(free_pages);
#undef PUT
	return to;
}

struct json_object *kw_json_memory(const struct kw_memory_status *memory,
				   const struct kw_config *config)
{
	struct json_object *to, *pools;
	struct line lines[LINES];

	if (!memory->known)
		return NULL;
	to = json_object_new_object();
	pools = json_object_new_array();
	make_lines(&memory->room, lines);
	for (size_t i = 0; i < LINES; i++)
		json_object_object_add(to, lines[i].key, kw_json_u64(lines[i].bytes));
	json_object_object_add(to, "ram_allocation_ratio",
			       json_object_new_double(config->ram_allocation_thousandths / 1000.0));
	for (size_t i = 0; i < memory->pool_count; i++)
		json_object_array_add(pools, pool_json(&memory->pools[i]));
	json_object_object_add(to, "pools", pools);
	return to;
}

/* " / 1.5", which the figure of plain guests has been divided by. */
static char *ratio_note(char *to, size_t to_size, const struct kw_config *config)
{
	snprintf(to, to_size, " / %g", config->ram_allocation_thousandths / 1000.0);
	return to;
}

static void add_line(struct kw_table *table, const struct line *line,
		     const struct kw_config *config, bool exact)
{
	char ratio[32] = "";

	if (!strcmp(line->key, "plain_bytes") && config->ram_allocation_thousandths != 1000)
		ratio_note(ratio, sizeof(ratio), config);
	kw_table_format(table, "%s%s", line->title, ratio);
	kw_table_bytes(table, line->bytes, exact);
}

static int print_pools(const struct kw_memory_status *memory, FILE *to, size_t width)
{
	static const struct kw_column columns[] = {
		{ .title = "HUGEPAGES OF", .right = true },
		{ .title = "TOTAL", .right = true },
		{ .title = "UNUSED", .right = true },
		{ .title = "PROMISED", .right = true },
		{ .title = "FREE", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 5);

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < memory->pool_count; i++) {
		const struct kw_huge_room *pool = &memory->pools[i];

		kw_table_format(table, "%" PRIu64 " KiB", pool->page_bytes / (uint64_t)KW_KIB);
		kw_table_format(table, "%" PRIu64, pool->total_pages);
		kw_table_format(table, "%" PRIu64, pool->unused_pages);
		kw_table_format(table, "%" PRIu64, pool->promised_pages);
		kw_table_format(table, "%" PRIu64, pool->free_pages);
	}
	fputc('\n', to);
	return kw_table_print(table, to, width);
}

static bool has_pages(const struct kw_memory_status *memory)
{
	for (size_t i = 0; i < memory->pool_count; i++)
		if (memory->pools[i].total_pages || memory->pools[i].unused_pages)
			return true;
	return false;
}

int kw_memory_print(const struct kw_memory_status *memory, const struct kw_config *config,
		    bool exact, FILE *to, size_t width)
{
	static const struct kw_column columns[] = {
		{ .title = "MEMORY", .least = 20 },
		{ .title = "SIZE", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 2);
	struct line lines[LINES];
	int error;

	if (!table)
		return -ENOMEM;
	make_lines(&memory->room, lines);
	for (size_t i = 0; i < LINES; i++)
		add_line(table, &lines[i], config, exact);
	error = kw_table_print(table, to, width);
	return error || !has_pages(memory) ? error : print_pools(memory, to, width);
}

static const char *amount(char *to, size_t to_size, struct kw_u64 bytes)
{
	return bytes.known ? kw_text_bytes(to, to_size, bytes.value) : "not known";
}

void kw_memory_print_brief(const struct kw_memory_status *memory, const struct kw_config *config,
			   FILE *to, size_t width)
{
	char text[512], ratio[32], amounts[LINES][32];
	const char *words[LINES];
	struct line lines[LINES];

	make_lines(&memory->room, lines);
	for (size_t i = 0; i < LINES; i++)
		words[i] = amount(amounts[i], sizeof(amounts[i]), lines[i].bytes);
	snprintf(text, sizeof(text),
		 "free %s = %s in the host - %s reserved - %s of hugepages - %s of encrypted guests "
		 "- %s of plain guests (memory%s) - %s held - %s waited for",
		 words[7], words[0], words[1], words[2], words[3], words[4],
		 ratio_note(ratio, sizeof(ratio), config), words[5], words[6]);
	kw_paragraph_labelled(to, "memory", 10, width, text);
}
