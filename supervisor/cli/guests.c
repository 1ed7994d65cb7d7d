/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/table.h"
#include "facts/process.h"

struct json_object *kw_json_guests(const struct kw_guest_list *list)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(to, kw_json_guest(&list->guests[i]));
	return to;
}

static void add_note(char *to, size_t size, bool is, const char *note)
{
	size_t used = strlen(to);

	if (is)
		snprintf(to + used, size - used, "%s%s", used ? "," : "", note);
}

static void add_notes(struct kw_table *table, const struct kw_guest *guest)
{
	char notes[64] = "";

	add_note(notes, sizeof(notes), !guest->libvirt, "outside");
	add_note(notes, sizeof(notes), guest->mirror, "mirror");
	add_note(notes, sizeof(notes), guest->orphan, "orphan");
	add_note(notes, sizeof(notes), guest->claimed_pinned_bytes.known, "differs");
	kw_table_text(table, notes);
}

static void add_type(struct kw_table *table, struct kw_u32 type)
{
	kw_table_text(table, type.known ? kw_guest_type_name(type.value) : KW_UNKNOWN_CELL);
}

static const struct kw_column columns[] = {
	{ .title = "NAME", .least = 8 },
	{ .title = "PID", .right = true },
	{ .title = "TYPE" },
	{ .title = "ASID", .right = true },
	{ .title = "PINNED", .right = true },
	{ .title = "UNMOVABLE", .right = true },
	{ .title = "MEMORY", .right = true },
	{ .title = "VCPUS", .right = true },
	{ .title = "NOTE", .least = 4 },
};

static void add_row(struct kw_table *table, const struct kw_guest *guest, bool exact)
{
	kw_table_text(table, kw_guest_title(guest));
	kw_table_format(table, "%d", (int)guest->pid);
	add_type(table, guest->type);
	kw_table_u32(table, guest->asid);
	kw_table_bytes(table, guest->pinned_bytes, exact);
	kw_table_bytes(table, guest->unmovable_bytes, exact);
	kw_table_bytes(table, guest->memory_bytes, exact);
	kw_table_u32(table, guest->vcpus);
	add_notes(table, guest);
}

static const struct kw_column long_columns[] = {
	{ .title = "NAME" },
	{ .title = "UUID" },
	{ .title = "PID", .right = true },
	{ .title = "FD", .right = true },
	{ .title = "COMM" },
	{ .title = "UID", .right = true },
	{ .title = "STARTED", .right = true },
	{ .title = "TYPE" },
	{ .title = "ASID", .right = true },
	{ .title = "PINNED", .right = true },
	{ .title = "UNMOVABLE", .right = true },
	{ .title = "VmPin", .right = true },
	{ .title = "VmLck", .right = true },
	{ .title = "MEMORY", .right = true },
	{ .title = "VCPUS", .right = true },
	{ .title = "NESTED", .right = true },
	{ .title = "VHOST", .right = true },
	{ .title = "TAP", .right = true },
	{ .title = "NOTE" },
	{ .title = "CGROUP" },
};

static void add_text(struct kw_table *table, const char *text)
{
	kw_table_text(table, *text ? text : KW_UNKNOWN_CELL);
}

static void add_long_row(struct kw_table *table, const struct kw_guest *guest, bool exact)
{
	kw_table_text(table, kw_guest_title(guest));
	add_text(table, guest->uuid);
	kw_table_format(table, "%d", (int)guest->pid);
	kw_table_u32(table, guest->vm_fd);
	add_text(table, guest->comm);
	kw_table_u32(table, guest->uid);
	if (guest->start_time_ns.known)
		kw_table_format(table, "%.2f s",
				(double)guest->start_time_ns.value / (double)KW_NS_PER_S);
	else
		kw_table_text(table, KW_UNKNOWN_CELL);
	add_type(table, guest->type);
	kw_table_u32(table, guest->asid);
	kw_table_bytes(table, guest->pinned_bytes, exact);
	kw_table_bytes(table, guest->unmovable_bytes, exact);
	kw_table_bytes(table, guest->mm_pinned_bytes, exact);
	kw_table_bytes(table, guest->mm_locked_bytes, exact);
	kw_table_bytes(table, guest->memory_bytes, exact);
	kw_table_u32(table, guest->vcpus);
	kw_table_u32(table, guest->nested_vcpus);
	kw_table_u32(table, guest->vhost_net_queues);
	kw_table_u32(table, guest->tap_queues);
	add_notes(table, guest);
	add_text(table, guest->cgroup);
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

int kw_guests_print(const struct kw_guest_list *list, bool wide, bool exact, FILE *to,
		    size_t width)
{
	_cleanup_(kw_table_destroy_at) struct kw_table *table =
		wide ? kw_table_create(long_columns, COUNT(long_columns))
		     : kw_table_create(columns, COUNT(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		(wide ? add_long_row : add_row)(table, &list->guests[i], exact);
	return kw_table_print(table, to, wide ? 0 : width);
}

static int read_guests(struct kw_guest_list *ret_list)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	int error = kw_netlink_open(&netlink);

	if (!error)
		error = kw_netlink_guests(netlink, ret_list);
	if (error) {
		kw_message_module(error, netlink);
		return error;
	}
	kw_process_name_guests("/proc", ret_list);
	kw_daemon_tell_differing(ret_list); /* without it they are told as before */
	return 0;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = {};
	bool json = false, wide = false, exact = false;
	const struct kw_option options[] = {
		{ .name = "long", .help = "show everything that is known of each guest",
		  .flag = &wide },
		{ .name = "bytes", .help = "show sizes in bytes", .flag = &exact },
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, COUNT(options), argc, argv, &first, &done))
		return done;
	if (read_guests(&list))
		return KW_EXIT_FAILED;
	if (json) {
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "guests", kw_json_guests(&list));
		kw_json_print(to, false);
	} else if (kw_guests_print(&list, wide, exact, stdout, kw_terminal_width(stdout))) {
		kw_message("out of memory");
		return KW_EXIT_FAILED;
	}
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_guests = {
	.name = "guests",
	.arguments = "",
	.summary = "Show every KVM guest of this host, whoever started it",
	.help = "PINNED is what SEV has pinned for the guest; nothing in /proc shows it. "
		"UNMOVABLE is that and the private memory of a SEV-SNP guest, which is not "
		"pinned and yet can neither be moved nor swapped out. NOTE: outside (not started by libvirt), mirror (shares the slot "
		"of another guest), orphan (its process is gone, PID names the one that "
		"still holds it), differs (it has pinned other than kvmwardd had expected: --json "
		"and the journal have both figures). A '-' is not known. It needs root or "
		"CAP_NET_ADMIN.",
	.examples = "  kvmward guests\n"
		    "  kvmward guests --long --bytes | less -S\n"
		    "  kvmward guests --json | jq -r '.guests[] | select(.type != \"plain\") | .name'\n",
	.run = run,
};
