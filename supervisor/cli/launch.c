/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/qemu_log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/display.h"
#include "cli/patience.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/wait.h"
#include "facts/snapshot.h"
#include "policy/causes.h"
#include "policy/software.h"

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);

#define LIBVIRT_TEXT_MAX 4096

struct launch {
	const char *uri;
	struct kw_start how;
	bool dry_run, verbose, json;
	bool waits;
	struct kw_wait wait;
	struct kw_request request;
	struct kw_libvirt *libvirt;
	char *xml;			/* completed */
	char uuid[KW_UUID_LEN + 1];	/* of the guest that was started */
	struct kw_u32 cbitpos, reduced_phys_bits;
	struct kw_software software;
	int result;			/* of the last call of libvirt, */
	char error[LIBVIRT_TEXT_MAX];	/* and its words */
	struct kw_qemu_log log;		/* of QEMU, before that call */
	bool failed;			/* to start, by those words */
	struct kw_cause cause;		/* of that; "" when not known */
};

/* A frozen libvirtd takes the connection and never answers. */
static const struct kw_patience answer_patience = {
	.notice_ms = 5000,
	.limit_ms = 30000,
	.notice = "launch: libvirt has not answered for 5 s; waiting 25 s more, Ctrl-C ends it",
};

/* To start a guest may take long: much memory has to be pinned. */
static const struct kw_patience start_patience = {
	.notice_ms = 30000,
	.notice = "launch: libvirt has not started the guest within 30 s; still waiting, Ctrl-C "
		  "gives up; 'systemctl status libvirtd' may say more",
};

static void launch_done(struct launch *launch)
{
	kw_libvirt_close(launch->libvirt);
	kw_wait_done(&launch->wait);
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
	json_object_object_add(to, "error", launch->failed ? kw_json_text(launch->error) : NULL);
	json_object_object_add(to, "cause", kw_json_text(launch->cause.cause));
	json_object_object_add(to, "remedy", kw_json_text(launch->cause.remedy));
	json_object_object_add(to, "xml", launch->dry_run ? kw_json_text(launch->xml) : NULL);
	kw_json_print(to, launch->waits);
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
	    kw_netlink_host(netlink, false, &host))
		return;
	if (!cbitpos->known)
		*cbitpos = host.c_bit_position;
	if (!reduced_phys_bits->known)
		*reduced_phys_bits = host.phys_addr_reduction;
}

/* libvirt's thread is in the middle of something: nothing of it can be cleaned up. */
static void __attribute__((noreturn)) leave(void)
{
	fflush(NULL);
	_exit(KW_EXIT_FAILED);
}

static void ask_libvirt(struct launch *launch, void (*call)(void *data))
{
	int error = kw_patience_run(&answer_patience, call, launch);

	if (error == -EINTR || error == -ETIMEDOUT) {
		kw_message("launch: libvirt does not answer, and nothing was started; see "
			   "'systemctl status libvirtd' (or virtqemud)");
		leave();
	}
	if (error) {
		launch->result = error;
		kw_text_copy(launch->error, sizeof(launch->error), strerror(-error));
	}
}

static void call_open(void *data)
{
	struct launch *launch = data;

	launch->result = kw_libvirt_open(launch->uri, &launch->libvirt, launch->error,
					 sizeof(launch->error));
}

static enum kw_exit connect(struct launch *launch)
{
	ask_libvirt(launch, call_open);
	if (!launch->result)
		return KW_EXIT_DONE;
	kw_message("launch: libvirt cannot be reached: %s", launch->error);
	return KW_EXIT_FAILED;
}

static void call_software(void *data)
{
	struct launch *launch = data;

	launch->result = 0;
	kw_libvirt_software(launch->libvirt, &launch->software);
}

static bool software_fits(struct launch *launch)
{
	if (!launch->request.takes_slot || !launch->request.claimed)
		return true;
	ask_libvirt(launch, call_software);
	return kw_software_fits(&launch->software, launch->request.claim.type,
				&launch->request.verdict);
}

static void call_caps(void *data)
{
	struct launch *launch = data;

	launch->result = kw_libvirt_sev_caps(launch->libvirt, &launch->cbitpos,
					     &launch->reduced_phys_bits, launch->error,
					     sizeof(launch->error));
}

static void complete(struct launch *launch)
{
	if (!launch->request.takes_slot)
		return;
	ask_libvirt(launch, call_caps);
	if (launch->result && launch->verbose)
		kw_message("launch: libvirt does not tell its domain capabilities: %s",
			   launch->error);
	complete_by_host(&launch->cbitpos, &launch->reduced_phys_bits);
	kw_request_complete(&launch->request, launch->cbitpos, launch->reduced_phys_bits);
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

	kw_snapshot_read(&netlink, NULL, &facts);
	guest = kw_guest_list_find(&facts.guests, launch->uuid);
	if (launch->json)
		print_json(launch, guest);
	else
		print_started(launch, guest);
	if (launch->request.takes_slot && (!guest || !guest->asid.known))
		kw_message("launch: it runs, but which slot it has is not known: %s",
			   *facts.reason ? facts.reason : "the kernel does not show the guest");
}

static void call_start(void *data)
{
	struct launch *launch = data;

	launch->result = kw_libvirt_start(launch->libvirt, launch->xml, launch->how, launch->uuid,
					  launch->error, sizeof(launch->error));
}

/* What QEMU said last may be late for libvirt, and be in its log up to some seconds later. */
static bool find_cause(struct launch *launch, bool *ret_ran)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	char said[LIBVIRT_TEXT_MAX];

	*ret_ran = false;
	if (kw_cause_find(launch->error, &launch->cause))
		return true;
	for (int tries = 0;
	     tries < 60 && kw_qemu_log_since(&launch->log, said, sizeof(said)); tries++) {
		*ret_ran = true;
		if (kw_cause_find(said, &launch->cause))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* libvirt and QEMU say what failed, but not why in words that lead anywhere. */
static enum kw_exit fail(struct launch *launch)
{
	bool ran, known = find_cause(launch, &ran);

	launch->failed = true;
	kw_message("launch: %s: libvirt cannot start it: %s", launch->request.domain.name,
		   launch->error);
	if (known)
		kw_message("launch: %s: the cause: %s; %s", launch->request.domain.name,
			   launch->cause.cause, launch->cause.remedy);
	else if (ran)
		kw_message("launch: %s: QEMU's own words are in %s", launch->request.domain.name,
			   launch->log.path);
	if (launch->json)
		print_json(launch, NULL);
	return KW_EXIT_FAILED;
}

static enum kw_exit start(struct launch *launch)
{
	const char *name = launch->request.domain.name;
	int error;

	if (!launch->uri || !strcmp(launch->uri, "qemu:///system"))
		kw_qemu_log_mark(KW_QEMU_LOG_DIR, name, &launch->log);
	error = kw_patience_run(&start_patience, call_start, launch);
	if (error == -EINTR) {
		kw_message("launch: %s: given up, but libvirt may start it yet; see 'virsh list'",
			   name);
		leave();
	}
	if (!error && !launch->result) {
		tell_started(launch);
		return KW_EXIT_DONE;
	}
	if (!error && kw_refusal_find(launch->error, &launch->request.verdict)) {
		if (launch->verbose)
			kw_message("launch: libvirt says: %s", launch->error);
		return refuse(launch);
	}
	if (error)
		kw_text_copy(launch->error, sizeof(launch->error), strerror(-error));
	return fail(launch);
}

static enum kw_exit show(const struct launch *launch)
{
	if (!kw_verdict_admits(&launch->request.verdict))
		return refuse(launch);
	if (launch->json)
		print_json(launch, NULL);
	return KW_EXIT_DONE;
}

static enum kw_exit give_up(struct launch *launch, int error)
{
	const char *name = launch->request.domain.name;

	if (error == -ECANCELED) {
		kw_message("launch: %s: waits no more; nothing was started", name);
		return KW_EXIT_FAILED;
	}
	if (launch->wait.place.place) {
		kw_message("launch: %s: waited %" PRIu32 " s, and nothing was started", name,
			   launch->wait.limit_s.value);
		launch->request.verdict = launch->wait.place.verdict;
	} else {
		kw_request_unasked(&launch->request, "no answer in time");
	}
	return refuse(launch);
}

/*
 * libvirt is let go of meanwhile, since it may be restarted. The line's own
 * connection stays: the hold goes with it.
 */
static enum kw_exit wait_and_start(struct launch *launch)
{
	struct kw_request *request = &launch->request;
	enum kw_exit done;
	int error;

	kw_libvirt_close(KW_STEAL(launch->libvirt));
	error = kw_wait_turn(&launch->wait, launch->xml, &request->verdict);
	if (error == -ECANCELED || error == -ETIMEDOUT)
		return give_up(launch, error);
	if (error)
		kw_request_unasked(request, error == -EACCES ? "it lets root wait only"
							     : kw_daemon_reason(launch->wait.bus,
										error));
	if (!kw_verdict_admits(&request->verdict))
		return refuse(launch);
	done = connect(launch);
	return done ? done : start(launch);
}

static bool read_limit(struct launch *launch, const char *text)
{
	if (launch->waits && launch->dry_run)
		kw_message("launch: --wait and --dry-run do not go together");
	else if (text && (kw_text_u32(text, UINT32_MAX, &launch->wait.limit_s.value) ||
			  !launch->wait.limit_s.value))
		kw_message("launch: --wait=%s: seconds are a whole number from 1 on", text);
	else
		return true;
	return false;
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
	if ((launch->waits && kw_request_name(request)) || kw_request_xml(request, &launch->xml)) {
		kw_message("launch: %s: the XML cannot be completed", request->path);
		return KW_EXIT_FAILED;
	}
	if (launch->dry_run && !launch->json)
		fputs(launch->xml, stdout);
	if (launch->waits)
		return wait_and_start(launch);
	kw_request_ask(request);
	if (launch->dry_run || !kw_verdict_admits(&request->verdict))
		return show(launch);
	return start(launch);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(launch_done) struct launch launch = {};
	const char *limit = NULL;
	const struct kw_option options[] = {
		{ .name = "define", .help = "keep the guest defined in libvirt",
		  .flag = &launch.how.define },
		{ .name = "paused", .help = "leave the vCPUs stopped (virsh resume starts them)",
		  .flag = &launch.how.paused },
		{ .name = "wait", .argument = "SECONDS", .help = "wait for a slot and memory, if "
		  "need be", .flag = &launch.waits, .value = &limit },
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

	if (!kw_options_read(self, options, 7, argc, argv, &first, &done))
		return done;
	if (!read_limit(&launch, limit))
		return KW_EXIT_USAGE;
	launch.wait.limit_s.known = limit != NULL;
	launch.wait.json = launch.json;
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
		"is refused before QEMU starts. With --wait it waits in line instead until "
		"a slot and the memory are free, first come, first served, and says its "
		"place; Ctrl-C leaves the line. Exit status: 0 started, 1 failed, 3 "
		"refused, or waited in vain; 'kvmward verdicts' explains the codes.",
	.examples = "  kvmward launch guest.xml\n"
		    "  kvmward launch --wait=600 guest.xml\n"
		    "  kvmward launch --define guest.xml\n"
		    "  kvmward launch --dry-run guest.xml | diff guest.xml -\n",
	.least = 1,
	.most = 1,
	.run = run,
};
