/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/memory.h"
#include "cli/message.h"
#include "cli/paragraph.h"
#include "cli/request.h"
#include "cli/slots.h"
#include "cli/table.h"
#include "policy/claims.h"

#define LABEL_WIDTH 13

static void line(const char *label, const char *text)
{
	kw_paragraph_labelled(stdout, label, LABEL_WIDTH, kw_terminal_width(stdout), text);
}

static void bytes_line(const char *label, uint64_t bytes, bool exact)
{
	char text[32];

	if (exact)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	else
		kw_text_bytes(text, sizeof(text), bytes);
	line(label, text);
}

/* Where the parts of the sum go, and how their numbers are written. */
struct parts {
	struct kw_table *table;
	bool exact;
};

/* Whole KiB, so that the sum can be followed: each part is whole pages. */
static void add_size(const struct parts *parts, uint64_t bytes)
{
	if (parts->exact)
		kw_table_bytes(parts->table, KW_U64(bytes), true);
	else
		kw_table_format(parts->table, "%llu KiB", (unsigned long long)(bytes / KW_KIB));
}

static void add_part(const struct kw_claim_part *part, void *data)
{
	struct parts *parts = data;

	kw_table_format(parts->table, "%s%s%s", part->what, *part->model ? " " : "", part->model);
	add_size(parts, part->bytes);
}

static void print_parts(const struct kw_request *request, bool exact)
{
	static const struct kw_column columns[] = {
		{ .title = "PINNED FOR", .least = 20 },
		{ .title = "SIZE", .right = true },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 2);
	struct parts parts = { table, exact };

	if (!table || kw_claim_explain(&request->domain, add_part, &parts))
		return;
	kw_table_text(table, "together");
	add_size(&parts, request->claim.pinned_bytes);
	fputs("\n", stdout);
	kw_table_print(table, stdout, kw_terminal_width(stdout));
}

static void print_claim(const struct kw_claim *claim, bool snp_apart, bool exact)
{
	enum kw_pool pool;

	line("guest", claim->name);
	line("type", kw_guest_type_name(claim->type));
	bytes_line("memory", claim->memory_bytes, exact);
	if (!kw_guest_type_pool(claim->type, snp_apart, &pool))
		return;
	line("slot of pool", kw_pool_title(pool, snp_apart));
	bytes_line("pinned", claim->pinned_bytes, exact);
	bytes_line("memory lock", claim->memlock_bytes, exact);
	bytes_line("ceiling", claim->ceiling_bytes, exact);
}

static void add_word(char *to, size_t size, const char *word)
{
	size_t used = strlen(to);

	snprintf(to + used, size - used, "%s%s", used ? ", " : "", word);
}

static void print_additions(const struct kw_completion *additions)
{
	char words[160] = "", limit[64], bytes[32];

	if (additions->cbitpos.known)
		add_word(words, sizeof(words), "<cbitpos>");
	if (additions->reduced_phys_bits.known)
		add_word(words, sizeof(words), "<reducedPhysBits>");
	if (additions->hard_limit_bytes.known) {
		snprintf(limit, sizeof(limit), "<hard_limit> of %s",
			 kw_text_bytes(bytes, sizeof(bytes), additions->hard_limit_bytes.value));
		add_word(words, sizeof(words), limit);
	}
	if (*words)
		line("launch adds", words);
}

/* What the verdict was made on, as kvmwardd tells it. */
struct basis {
	struct kw_daemon_view daemon;
	struct kw_memory_status memory;
};

static void basis_done(struct basis *basis)
{
	kw_daemon_view_done(&basis->daemon);
}

static void look_at_basis(struct basis *basis)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;

	if (kw_daemon_connect(&bus))
		return;
	kw_daemon_view_read(bus, &basis->daemon);
	if (basis->daemon.reachable)
		kw_bus_memory(bus, &basis->memory);
}

static void print_basis(const struct basis *basis, bool snp_apart, bool exact)
{
	if (!basis->memory.known)
		return;
	fputs("\n", stdout);
	kw_memory_print(&basis->memory, &basis->daemon.config, exact, stdout,
			kw_terminal_width(stdout));
	kw_classes_print(&basis->daemon.classes, snp_apart);
}

static void print_plan(const struct kw_request *request, bool explain, bool exact)
{
	char verdict[sizeof(request->verdict.sentence) + 64];

	if (request->claimed)
		print_claim(&request->claim, request->snp_apart, exact);
	print_additions(&request->additions);
	snprintf(verdict, sizeof(verdict), "%s: %s", kw_code_name(request->verdict.code),
		 request->verdict.sentence);
	line("verdict", verdict);
	if (explain && request->claimed && request->claim.pinned_bytes)
		print_parts(request, exact);
}

static void add_json_part(const struct kw_claim_part *part, void *data)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "what", kw_json_text(part->what));
	json_object_object_add(to, "model", *part->model ? kw_json_text(part->model) : NULL);
	json_object_object_add(to, "bytes", json_object_new_uint64(part->bytes));
	json_object_array_add(data, to);
}

static struct json_object *json_parts(const struct kw_domain *domain)
{
	struct json_object *parts = json_object_new_array();

	kw_claim_explain(domain, add_json_part, parts);
	return parts;
}

static void print_json(const struct kw_request *request, const struct basis *basis)
{
	const struct kw_completion *additions = &request->additions;
	struct json_object *to = json_object_new_object(), *added = json_object_new_object();

	json_object_object_add(added, "cbitpos", kw_json_u32(additions->cbitpos));
	json_object_object_add(added, "reduced_phys_bits",
			       kw_json_u32(additions->reduced_phys_bits));
	json_object_object_add(added, "hard_limit_bytes",
			       kw_json_u64(additions->hard_limit_bytes));
	json_object_object_add(to, "verdict", kw_json_verdict(&request->verdict));
	json_object_object_add(to, "claim",
			       request->claimed ? kw_json_claim(&request->claim, request->snp_apart)
						: NULL);
	json_object_object_add(to, "pinned_parts",
			       request->claimed ? json_parts(&request->domain) : NULL);
	json_object_object_add(to, "launch_adds", added);
	json_object_object_add(to, "host_memory",
			       kw_json_memory(&basis->memory, &basis->daemon.config));
	json_object_object_add(to, "classes",
			       basis->daemon.holds_known
				       ? kw_json_classes(&basis->daemon.classes) : NULL);
	kw_json_print(to, false);
}

/* The processor's own numbers; launch takes libvirt's, which are the same on real hosts. */
static void complete_by_host(struct kw_request *request)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct kw_host host = {};

	if (!kw_netlink_open(&netlink))
		kw_netlink_host(netlink, false, &host);
	kw_request_complete(request, host.c_bit_position, host.phys_addr_reduction);
}

static bool snp_is_apart(void)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct kw_slot_table slots = {};

	if (!kw_netlink_open(&netlink))
		kw_netlink_slots(netlink, &slots);
	return slots.snp_apart;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_request_done) struct kw_request request = {};
	_cleanup_(basis_done) struct basis basis = {};
	bool json = false, exact = false, as_is = false, explain = false;
	const struct kw_option options[] = {
		{ .name = "as-is", .help = "judge the file without what launch would add",
		  .flag = &as_is },
		{ .name = "bytes", .help = "show sizes in bytes", .flag = &exact },
		{ .name = "explain", .help = "show the sums: of what it pins, and of the host's memory",
		  .flag = &explain },
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first, error;

	if (!kw_options_read(self, options, 4, argc, argv, &first, &done))
		return done;
	error = kw_request_read(argv[first], &request);
	if (error) {
		kw_message("plan: %s: %s", argv[first], strerror(-error));
		return KW_EXIT_FAILED;
	}
	if (!as_is)
		complete_by_host(&request);
	kw_request_check(&request);
	kw_request_ask(&request);
	request.snp_apart = snp_is_apart();
	if (json || explain)
		look_at_basis(&basis);
	if (json)
		print_json(&request, &basis);
	else
		print_plan(&request, explain, exact);
	if (explain && !json)
		print_basis(&basis, request.snp_apart, exact);
	return kw_verdict_admits(&request.verdict) ? KW_EXIT_DONE : KW_EXIT_REFUSED;
}

const struct kw_command kw_command_plan = {
	.name = "plan",
	.arguments = "FILE",
	.summary = "Say whether a guest would start now, and if not, why",
	.help = "FILE is a libvirt domain XML, '-' standard input. Nothing is started and "
		"nothing is held. The file is judged with what 'kvmward launch' would add "
		"to it, or, with --as-is, as 'virsh create' would start it. Shown are the "
		"slot and the memory that the guest would claim: pinned while it runs, the "
		"memory lock that it needs at least, and the ceiling of host memory that "
		"it may come to use. --explain adds the parts of what it pins, and what guests "
		"leave of the host's memory, its hugepages and its classes. Exit status: 0 it would be admitted, 3 refused, 1 the "
		"file cannot be read.",
	.examples = "  kvmward plan guest.xml\n"
		    "  kvmward plan --explain --bytes guest.xml\n"
		    "  virsh dumpxml --inactive guest | kvmward plan --as-is -\n"
		    "  kvmward plan --json guest.xml | jq -r .verdict.code\n",
	.least = 1,
	.most = 1,
	.run = run,
};
