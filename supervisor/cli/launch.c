/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/display.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "facts/snapshot.h"
#include "policy/software.h"

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);

#define LIBVIRT_TEXT_MAX 4096

struct launch {
	const char *uri;
	struct kw_start how;
	bool dry_run, verbose, json;
	struct kw_request request;
	struct kw_libvirt *libvirt;
	char *xml;			/* completed */
	char uuid[KW_UUID_LEN + 1];	/* of the guest that was started */
};

static void launch_done(struct launch *launch)
{
	kw_libvirt_close(launch->libvirt);
	kw_request_done(&launch->request);
	free(launch->xml);
}

static void print_json(const struct launch *launch, const struct kw_guest *guest)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "launched", json_object_new_boolean(*launch->uuid != 0));
	json_object_object_add(to, "name", kw_json_text(launch->request.domain.name));
	json_object_object_add(to, "uuid", kw_json_text(launch->uuid));
	json_object_object_add(to, "verdict", kw_json_verdict(&launch->request.verdict));
	json_object_object_add(to, "guest", guest ? kw_json_guest(guest) : NULL);
	json_object_object_add(to, "xml", launch->dry_run ? kw_json_text(launch->xml) : NULL);
	kw_json_print(to, false);
}

static enum kw_exit refuse(const struct launch *launch)
{
	if (launch->json)
		print_json(launch, NULL);
	kw_message_refused(&launch->request.verdict);
	return KW_EXIT_REFUSED;
}

/* What libvirt does not tell, the module may. */
static void complete_by_host(struct kw_u32 *cbitpos, struct kw_u32 *reduced_phys_bits)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct kw_host host;

	if ((cbitpos->known && reduced_phys_bits->known) || kw_netlink_open(&netlink) ||
	    kw_netlink_host(netlink, &host))
		return;
	if (!cbitpos->known)
		*cbitpos = host.c_bit_position;
	if (!reduced_phys_bits->known)
		*reduced_phys_bits = host.phys_addr_reduction;
}

static enum kw_exit connect(struct launch *launch)
{
	char error[LIBVIRT_TEXT_MAX] = "";

	if (!kw_libvirt_open(launch->uri, &launch->libvirt, error, sizeof(error)))
		return KW_EXIT_DONE;
	kw_message("launch: libvirt cannot be reached: %s", error);
	return KW_EXIT_FAILED;
}

static bool software_fits(struct launch *launch)
{
	struct kw_software software;

	if (!launch->request.takes_slot || !launch->request.claimed)
		return true;
	kw_libvirt_software(launch->libvirt, &software);
	return kw_software_fits(&software, launch->request.claim.type, &launch->request.verdict);
}

static void complete(struct launch *launch)
{
	struct kw_u32 cbitpos = {}, reduced_phys_bits = {};
	char error[LIBVIRT_TEXT_MAX] = "";

	if (!launch->request.takes_slot)
		return;
	if (kw_libvirt_sev_caps(launch->libvirt, &cbitpos, &reduced_phys_bits, error,
				sizeof(error)) &&
	    launch->verbose)
		kw_message("launch: libvirt does not tell its domain capabilities: %s", error);
	complete_by_host(&cbitpos, &reduced_phys_bits);
	kw_request_complete(&launch->request, cbitpos, reduced_phys_bits);
}

static void print_started(const struct launch *launch, const struct kw_guest *guest)
{
	_cleanup_free_ char *name = kw_display(launch->request.domain.name);
	char bytes[32];

	printf("launched %s (%s)", name ? name : "", launch->uuid);
	if (guest && guest->asid.known)
		printf(", ASID %" PRIu32, guest->asid.value);
	if (guest && guest->pinned_bytes.value && launch->request.takes_slot)
		printf(", pinned %s",
		       kw_text_bytes(bytes, sizeof(bytes), guest->pinned_bytes.value));
	else if (guest && guest->unmovable_bytes.known && launch->request.takes_slot)
		printf(", unmovable so far %s",
		       kw_text_bytes(bytes, sizeof(bytes), guest->unmovable_bytes.value));
	putchar('\n');
}

static void tell_started(const struct launch *launch)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	_cleanup_(kw_facts_done) struct kw_facts facts = {};
	const struct kw_guest *guest;

	kw_snapshot_read(&netlink, &facts);
	guest = kw_guest_list_find(&facts.guests, launch->uuid);
	if (launch->json)
		print_json(launch, guest);
	else
		print_started(launch, guest);
	if (launch->request.takes_slot && (!guest || !guest->asid.known))
		kw_message("launch: it runs, but which slot it has is not known: %s",
			   *facts.reason ? facts.reason : "the kernel does not show the guest");
}

static enum kw_exit start(struct launch *launch)
{
	char error[LIBVIRT_TEXT_MAX] = "";

	if (!kw_libvirt_start(launch->libvirt, launch->xml, launch->how, launch->uuid, error,
			      sizeof(error))) {
		tell_started(launch);
		return KW_EXIT_DONE;
	}
	if (kw_refusal_find(error, &launch->request.verdict)) {
		if (launch->verbose)
			kw_message("launch: libvirt says: %s", error);
		return refuse(launch);
	}
	kw_message("launch: %s: libvirt cannot start it: %s", launch->request.domain.name, error);
	return KW_EXIT_FAILED;
}

static enum kw_exit show(const struct launch *launch)
{
	if (!kw_verdict_admits(&launch->request.verdict))
		return refuse(launch);
	if (launch->json)
		print_json(launch, NULL);
	return KW_EXIT_DONE;
}

static enum kw_exit go(struct launch *launch)
{
	struct kw_request *request = &launch->request;
	enum kw_exit done;

	kw_request_complete(request, (struct kw_u32){}, (struct kw_u32){});
	kw_request_check(request);
	if (!kw_verdict_admits(&request->verdict))
		return refuse(launch);
	done = connect(launch);
	if (done)
		return done;
	if (!software_fits(launch))
		return refuse(launch);
	complete(launch);
	if (kw_request_xml(request, &launch->xml)) {
		kw_message("launch: %s: the XML cannot be completed", request->path);
		return KW_EXIT_FAILED;
	}
	if (launch->dry_run && !launch->json)
		fputs(launch->xml, stdout);
	kw_request_ask(request);
	if (launch->dry_run || !kw_verdict_admits(&request->verdict))
		return show(launch);
	return start(launch);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(launch_done) struct launch launch = {};
	const struct kw_option options[] = {
		{ .name = "define", .help = "keep the guest defined in libvirt",
		  .flag = &launch.how.define },
		{ .name = "paused", .help = "leave the vCPUs stopped (virsh resume starts them)",
		  .flag = &launch.how.paused },
		{ .name = "uri", .argument = "URI", .help = "libvirt to use (qemu:///system)",
		  .value = &launch.uri },
		{ .name = "dry-run", .help = "print the completed XML and start nothing",
		  .flag = &launch.dry_run },
		{ .name = "verbose", .help = "show libvirt's own words as well",
		  .flag = &launch.verbose },
		{ .name = "json", .help = "print JSON", .flag = &launch.json },
	};
	enum kw_exit done;
	int first, error;

	if (!kw_options_read(self, options, 6, argc, argv, &first, &done))
		return done;
	error = kw_request_read(argv[first], &launch.request);
	if (error) {
		kw_message("launch: %s: %s", argv[first], strerror(-error));
		return KW_EXIT_FAILED;
	}
	return go(&launch);
}

const struct kw_command kw_command_launch = {
	.name = "launch",
	.arguments = "FILE",
	.summary = "Start a guest if the host can hold it",
	.help = "FILE is a libvirt domain XML, '-' standard input. For an encrypted guest, "
		"what the file leaves out is added: cbitpos, reducedPhysBits and a memory "
		"lock (hard_limit) that is finite and enough; what the file says is kept. "
		"What cannot work (no UEFI, not q35, a passed-through device, an IDE disk "
		"...) is refused with the line to change, and a guest without a free slot "
		"is refused before QEMU starts. Exit status: 0 started, 1 failed, 3 "
		"refused; 'kvmward verdicts' explains the codes.",
	.examples = "  kvmward launch guest.xml\n"
		    "  kvmward launch --define guest.xml\n"
		    "  kvmward launch --dry-run guest.xml | diff guest.xml -\n",
	.least = 1,
	.most = 1,
	.run = run,
};
