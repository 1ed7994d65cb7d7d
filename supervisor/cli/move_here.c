/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/move_look.h"
#include "cli/patience.h"
#include "facts/domain_files.h"
#include "facts/domain_xml.h"
#include "facts/host_xml.h"
#include "facts/snapshot.h"
#include "ledger/moves.h"

static const struct kw_patience patience = {
	.notice_ms = 5000,
	.limit_ms = 30000,
	.notice = "libvirt of this host has not answered for 5 s; waiting 25 s more, Ctrl-C ends "
		  "it",
};

/* One call of libvirt, in a thread of its own. */
struct call {
	struct kw_move_here *here;
	struct kw_move_guest *guest;
	const char *name;
	int result;
	char error[KW_WORDS_MAX];
};

/* libvirt's thread may be in the middle of something: then nothing can be cleaned up. */
int kw_move_here_call(const char *command, void (*run)(void *data), void *data)
{
	int error = kw_patience_run(&patience, run, data);

	if (error == -EINTR || error == -ETIMEDOUT) {
		kw_message("%s: libvirt of this host does not answer, and nothing was touched; see "
			   "'systemctl status libvirtd' (or virtqemud)", command);
		fflush(NULL);
		_exit(KW_EXIT_FAILED);
	}
	return error;
}

static void ask(const char *command, void (*run)(void *data), struct call *call)
{
	int error = kw_move_here_call(command, run, call);

	if (error) {
		call->result = error;
		kw_text_copy(call->error, sizeof(call->error), strerror(-error));
	}
}

static void call_open(void *data)
{
	struct call *call = data;
	struct kw_move_here *here = call->here;
	_cleanup_free_ char *xml = NULL;

	call->result = kw_libvirt_open(NULL, &here->libvirt, call->error, sizeof(call->error));
	if (call->result)
		return;
	kw_libvirt_host_name(here->libvirt, here->host.name, sizeof(here->host.name));
	kw_libvirt_software(here->libvirt, &here->host.software);
	xml = kw_libvirt_capabilities(here->libvirt);
	if (xml)
		kw_host_xml_read(xml, &here->host);
}

/* Only who may see guests is told of their nested ones; else that stays unknown. */
static void read_kernel(struct kw_move_here *here)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct utsname name;

	if (!uname(&name))
		kw_text_copy(here->host.kernel, sizeof(here->host.kernel), name.release);
	kw_snapshot_read(&netlink, NULL, &here->facts);
}

enum kw_exit kw_move_here_open(const char *command, struct kw_move_here *ret_here)
{
	struct call call = { .here = ret_here };

	*ret_here = (struct kw_move_here){ .command = command };
	ask(command, call_open, &call);
	if (call.result) {
		kw_message("%s: libvirt of this host cannot be reached: %s", command, call.error);
		return KW_EXIT_FAILED;
	}
	read_kernel(ret_here);
	return KW_EXIT_DONE;
}

void kw_move_here_close(struct kw_move_here *here)
{
	kw_libvirt_close(here->libvirt);
	here->libvirt = NULL;
	kw_facts_done(&here->facts);
}

static int read_guest(struct kw_move_guest *guest, char *error, size_t error_size)
{
	_cleanup_(kw_domain_place_done) struct kw_domain_place defined = {};
	const char *xml = guest->look.xml, *kept = guest->look.definition;
	int failed = kw_domain_xml_parse(xml, strlen(xml), &guest->domain, error, error_size);

	if (!failed)
		kw_domain_files_look(&guest->domain);
	if (!failed)
		failed = kw_domain_place_read(xml, &guest->place, error, error_size);
	if (failed || !kept)
		return failed;
	failed = kw_domain_xml_parse(kept, strlen(kept), &guest->next, error, error_size);
	if (!failed)
		failed = kw_domain_place_read(kept, &defined, error, error_size);
	if (!failed)
		failed = kw_domain_place_add_later(&guest->place, &defined);
	/* Only the definition has a mark; what runs has a host-model's features. */
	guest->domain.mark = guest->next.mark;
	if (defined.cpu_mode == KW_CPU_HOST_MODEL && guest->place.cpu_mode == KW_CPU_CUSTOM)
		guest->place.cpu_mode = KW_CPU_HOST_MODEL;
	return failed;
}

bool kw_move_guest_names_cpu(const struct kw_move_guest *guest)
{
	return guest->place.cpu_mode == KW_CPU_CUSTOM ||
	       (guest->place.cpu_mode == KW_CPU_HOST_MODEL && guest->look.run != KW_RUN_OFF);
}

/* The disks are looked at here too: a file system of the network may not answer either. */
static void call_guest(void *data)
{
	struct call *call = data;

	call->result = kw_libvirt_look(call->here->libvirt, call->name, &call->guest->look,
				       call->error, sizeof(call->error));
	if (!call->result)
		call->result = read_guest(call->guest, call->error, sizeof(call->error));
	if (!call->result && kw_move_guest_names_cpu(call->guest))
		call->guest->cpu_fits = kw_libvirt_cpu_fits(
			call->here->libvirt, &call->guest->domain, call->guest->place.cpu,
			call->guest->cpu_words, sizeof(call->guest->cpu_words));
}

static struct kw_u32 nested_vcpus(const struct kw_facts *facts, const char *uuid)
{
	const struct kw_guest *guest = kw_guest_list_find(&facts->guests, uuid);

	return guest ? guest->nested_vcpus : (struct kw_u32){};
}

static struct kw_u32 unfinished(const char *uuid)
{
	int exists = kw_move_exists(KW_MOVES_DIR, uuid);

	return exists < 0 ? (struct kw_u32){} : KW_U32((uint32_t)exists);
}

enum kw_exit kw_move_here_guest(struct kw_move_here *here, const char *guest,
				struct kw_move_guest *ret_guest)
{
	struct call call = { .here = here, .guest = ret_guest, .name = guest };

	*ret_guest = (struct kw_move_guest){};
	ask(here->command, call_guest, &call);
	if (call.result) {
		kw_message("%s: %s: %s", here->command, guest, call.error);
		return KW_EXIT_FAILED;
	}
	ret_guest->unfinished = unfinished(ret_guest->look.uuid);
	ret_guest->nested_vcpus = nested_vcpus(&here->facts, ret_guest->look.uuid);
	return KW_EXIT_DONE;
}

void kw_move_guest_done(struct kw_move_guest *guest)
{
	kw_guest_look_done(&guest->look);
	kw_domain_done(&guest->domain);
	kw_domain_done(&guest->next);
	kw_domain_place_done(&guest->place);
}

const char *kw_move_guest_xml(const struct kw_move_guest *guest)
{
	return guest->look.definition ? guest->look.definition : guest->look.xml;
}
