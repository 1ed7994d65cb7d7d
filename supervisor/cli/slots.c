/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/slots.h"
#include "cli/table.h"
#include "facts/snapshot.h"

struct json_object *kw_json_pool(enum kw_pool pool, const struct kw_pool_view *view)
{
	struct json_object *to = kw_json_slots(pool, view->slots);

	json_object_object_add(to, "taken", kw_json_u32(view->taken));
	json_object_object_add(to, "leaked", kw_json_u32(view->leaked));
	json_object_object_add(to, "held", kw_json_u32(view->held));
	json_object_object_add(to, "reserved", kw_json_u32(view->reserved));
	json_object_object_add(to, "free", kw_json_u32(view->free));
	json_object_object_add(to, "waiting", kw_json_u32(view->waiting));
	return to;
}

struct json_object *kw_json_pools(const struct kw_facts *facts,
				  const struct kw_daemon_view *daemon)
{
	struct json_object *list = json_object_new_array();
	struct kw_pool_view view;

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		if (!kw_pool_exists(pool, facts->slots.snp_apart))
			continue;
		kw_pool_view_make(facts, daemon, pool, &view);
		json_object_array_add(list, kw_json_pool(pool, &view));
	}
	return list;
}

struct json_object *kw_json_classes(const struct kw_class_table *classes)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < classes->count; i++) {
		const struct kw_class_use *use = &classes->uses[i];
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "class", kw_json_text(use->class_name));
		json_object_object_add(to, "of", kw_json_text(kw_class_thing_name(use)));
		json_object_object_add(to, "used", json_object_new_uint64(use->used));
		json_object_object_add(to, "reserve", json_object_new_uint64(use->reserve));
		json_object_object_add(to, "limit", kw_json_u64(use->limit));
		json_object_array_add(list, to);
	}
	return list;
}

static void print_json(const struct kw_facts *facts, const struct kw_daemon_view *daemon)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "pools", kw_json_pools(facts, daemon));
	json_object_object_add(to, "classes",
			       daemon->holds_known ? kw_json_classes(&daemon->classes) : NULL);
	json_object_object_add(to, "daemon_reachable", json_object_new_boolean(daemon->reachable));
	kw_json_print(to, false);
}

static void add_amount(struct kw_table *table, const struct kw_class_use *use, uint64_t amount)
{
	if (use->thing == KW_CLASS_MEMORY)
		kw_table_bytes(table, KW_U64(amount), false);
	else
		kw_table_format(table, "%" PRIu64, amount);
}

/* A class that neither has nor may keep anything of a pool is not shown for it. */
static void add_class(struct kw_table *table, const struct kw_class_use *use, bool snp_apart)
{
	if (!use->used && !use->reserve && !use->limit.known)
		return;
	kw_table_text(table, use->class_name[0] ? use->class_name : "(default)");
	kw_table_text(table, use->thing == KW_CLASS_MEMORY ? "memory"
							   : kw_pool_title(use->pool, snp_apart));
	add_amount(table, use, use->used);
	add_amount(table, use, use->reserve);
	if (use->limit.known)
		add_amount(table, use, use->limit.value);
	else
		kw_table_text(table, "none");
}

int kw_classes_print(const struct kw_class_table *classes, bool snp_apart)
{
	static const struct kw_column columns[] = {
		{ .title = "CLASS" },
		{ .title = "OF" },
		{ .title = "USED", .right = true },
		{ .title = "RESERVE", .right = true },
		{ .title = "LIMIT", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = NULL;

	if (!classes->count)
		return 0;
	table = kw_table_create(columns, 5);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < classes->count; i++)
		add_class(table, &classes->uses[i], snp_apart);
	putchar('\n');
	return kw_table_print(table, stdout, kw_terminal_width(stdout));
}

static void add_row(struct kw_table *table, const struct kw_pool_view *view)
{
	const struct kw_slots *slots = view->slots;

	kw_table_text(table, view->title);
	if (slots->first_asid.known && slots->last_asid.known)
		kw_table_format(table, "%" PRIu32 "-%" PRIu32, slots->first_asid.value,
				slots->last_asid.value);
	else
		kw_table_text(table, KW_UNKNOWN_CELL);
	kw_table_u32(table, slots->capacity);
	kw_table_u32(table, slots->charged);
	kw_table_u32(table, slots->in_use);
	kw_table_u32(table, view->held);
	kw_table_u32(table, view->reserved);
	kw_table_u32(table, view->free);
	kw_table_u32(table, slots->mirrors);
}

static void print_leaks(const struct kw_pool_view *view)
{
	if (!kw_u32_yes(view->leaked))
		return;
	printf("\n%s: the kernel counts %" PRIu32 " slot%s more than the guests seen hold: "
	       "just starting or\nending, held without an open file, or leaked. A leaked slot is free again after\na reboot.\n",
	       view->title, view->leaked.value, view->leaked.value == 1 ? "" : "s");
}

static void print_waiting(const struct kw_pool_view *view)
{
	if (!kw_u32_yes(view->waiting))
		return;
	printf("\n%s: %" PRIu32 " guest%s for a slot or memory, and will be served first.\n",
	       view->title, view->waiting.value, view->waiting.value == 1 ? " waits" : "s wait");
}

static int print_table(const struct kw_facts *facts, const struct kw_daemon_view *daemon)
{
	static const struct kw_column columns[] = {
		{ .title = "POOL" },
		{ .title = "ASIDS" },
		{ .title = "CAPACITY", .right = true },
		{ .title = "IN USE", .right = true },
		{ .title = "GUESTS", .right = true },
		{ .title = "HELD", .right = true },
		{ .title = "RESERVED", .right = true },
		{ .title = "FREE", .right = true },
		{ .title = "MIRRORS", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 9);
	struct kw_pool_view views[KW_POOL_COUNT];
	int error;

	if (!table)
		return -1;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		kw_pool_view_make(facts, daemon, pool, &views[pool]);
		if (kw_pool_exists(pool, facts->slots.snp_apart))
			add_row(table, &views[pool]);
	}
	error = kw_table_print(table, stdout, kw_terminal_width(stdout));
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT && !error; pool++) {
		print_leaks(&views[pool]);
		print_waiting(&views[pool]);
	}
	return error ? error : kw_classes_print(&daemon->classes, facts->slots.snp_apart);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	_cleanup_(kw_daemon_view_done) struct kw_daemon_view daemon = {};
	_cleanup_(kw_facts_done) struct kw_facts facts = {};
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	kw_snapshot_read(&netlink, NULL, &facts);
	if (!facts.slots.known) {
		kw_message_facts(&facts);
		return KW_EXIT_FAILED;
	}
	kw_daemon_view_read(NULL, &daemon);
	if (!daemon.holds_known)
		kw_message("held and free slots are not known: kvmwardd cannot be asked: %s",
			   daemon.reason);
	if (daemon.draining)
		kw_message("this host is being drained: none of its slots is given out; 'kvmward "
			   "undrain' ends that");
	if (json)
		print_json(&facts, &daemon);
	else if (print_table(&facts, &daemon)) {
		kw_message("out of memory");
		return KW_EXIT_FAILED;
	}
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_slots = {
	.name = "slots",
	.arguments = "",
	.summary = "Show how many encryption-key slots are taken and free",
	.help = "IN USE is the kernel's own count, GUESTS what the guests seen hold; when "
		"they differ for long, slots have leaked. HELD are admitted but not yet "
		"taken, RESERVED the operator keeps back, FREE is what can still be "
		"admitted. Lines below say how many guests wait, and what each class of "
		"kvmward.conf has, if there are any. Mirror guests share the slot of another guest. A '-' is not "
		"known.",
	.examples = "  kvmward slots\n"
		    "  kvmward slots --json | jq '.pools[] | select(.pool == \"sev\") | .free'\n",
	.run = run,
};
