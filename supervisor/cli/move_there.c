/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/look.h"
#include "cli/move_look.h"
#include "cli/patience.h"
#include "facts/host_xml.h"
#include "model/move.h"

static const struct kw_patience patience = {
	.notice_ms = 5000,
	.limit_ms = 30000,
	.notice = "libvirt of the other host has not answered for 5 s; waiting 25 s more",
};

#define NO_ANSWER "it does not answer within 30 s"

/*
 * What a thread works on, apart from everything else: when it does not come
 * back, this is left to it.
 */
struct work {
	char *uri, *cpu;
	struct kw_libvirt *libvirt;
	struct kw_move_host host;
	char error[KW_WORDS_MAX];
	int result;
	struct kw_domain domain;	/* without its devices */
	struct kw_u32 defined_there, machine_fits, cpu_fits;
	char machine_words[KW_WORDS_MAX], cpu_words[KW_WORDS_MAX];
	struct kw_move_disk *disks;
	size_t disk_count;
	bool copies;
};

static void work_free(struct work *work)
{
	if (!work)
		return;
	free(work->uri);
	free(work->cpu);
	free(work->disks);
	free(work);
}

KW_CLEANUP_OF(struct work, work_free);

/* False when the thread goes on with it. */
static bool do_work(struct kw_move_there *there, void (*run)(void *data), struct work *work)
{
	int error = kw_patience_run(&patience, run, work);

	there->stuck = error == -EINTR || error == -ETIMEDOUT;
	if (!error)
		error = work->result;
	if (there->stuck) {
		there->libvirt = NULL;
		kw_text_copy(there->unreached, sizeof(there->unreached),
			     error == -EINTR ? "interrupted" : NO_ANSWER);
	} else if (error) {
		kw_text_copy(there->unreached, sizeof(there->unreached),
			     *work->error ? work->error : strerror(-error));
	}
	return !there->stuck;
}

static void call_open(void *data)
{
	struct work *work = data;
	_cleanup_free_ char *xml = NULL;

	work->result = kw_libvirt_open(work->uri, &work->libvirt, work->error, sizeof(work->error));
	if (work->result)
		return;
	kw_libvirt_host_name(work->libvirt, work->host.name, sizeof(work->host.name));
	kw_libvirt_software(work->libvirt, &work->host.software);
	xml = kw_libvirt_capabilities(work->libvirt);
	if (xml)
		kw_host_xml_read(xml, &work->host);
}

static void open_libvirt(struct kw_move_there *there)
{
	_cleanup_(work_free_at) struct work *work = calloc(1, sizeof(*work));

	if (work)
		work->uri = strdup(there->uri);
	if (!work || !work->uri) {
		kw_text_copy(there->unreached, sizeof(there->unreached), strerror(ENOMEM));
		return;
	}
	if (!do_work(there, call_open, work)) {
		(void)KW_STEAL(work);
		return;
	}
	there->libvirt = work->libvirt;
	there->host = work->host;
}

/* "h2" of "root@h2:22", as long as libvirt there has not told its own name. */
static void name_host(struct kw_move_there *there, const char *host)
{
	const char *at = strrchr(host, '@');

	kw_text_copy(there->name, sizeof(there->name), at ? at + 1 : host);
	if (*there->host.name)
		kw_text_copy(there->name, sizeof(there->name), there->host.name);
}

static void open_bus(struct kw_move_there *there, const char *host)
{
	int error = kw_bus_open_remote(host, 0, &there->bus);

	if (error)
		kw_text_copy(there->unguarded, sizeof(there->unguarded), strerror(-error));
	else
		kw_bus_kernel(there->bus, there->host.kernel, sizeof(there->host.kernel));
}

void kw_move_there_open(const char *uri, struct kw_move_there *ret_there)
{
	char host[KW_MARK_PEER_MAX];
	bool named = !kw_move_host(uri, host, sizeof(host));

	*ret_there = (struct kw_move_there){ .uri = uri };
	open_libvirt(ret_there);
	name_host(ret_there, named ? host : uri);
	if (!ret_there->libvirt)
		return;
	if (named)
		open_bus(ret_there, host);
	else
		kw_text_copy(ret_there->unguarded, sizeof(ret_there->unguarded),
			     "the URI names no host");
}

void kw_move_there_close(struct kw_move_there *there)
{
	if (there->bus)
		kw_bus_close(there->bus);
	kw_libvirt_close(there->libvirt);
	*there = (struct kw_move_there){};
}

/* A volume of the same length at the same path, where the file system is one of the network. */
static void see_disk(struct kw_libvirt *libvirt, struct kw_move_disk *disk)
{
	struct kw_u64 bytes = {};

	if (disk->reach == KW_DISK_SHARED && disk->length_bytes.known)
		bytes = kw_libvirt_volume_bytes(libvirt, disk->source);
	if (bytes.known && bytes.value == disk->length_bytes.value)
		disk->reach = KW_DISK_SEEN;
}

static void call_look(void *data)
{
	struct work *work = data;
	const struct kw_domain *domain = &work->domain;

	work->defined_there = kw_libvirt_has_guest(work->libvirt, domain->name, domain->uuid);
	work->machine_fits = kw_libvirt_machine_fits(work->libvirt, domain, work->machine_words,
						     sizeof(work->machine_words));
	if (work->cpu)
		work->cpu_fits = kw_libvirt_cpu_fits(work->libvirt, domain, work->cpu,
						     work->cpu_words, sizeof(work->cpu_words));
	for (size_t i = 0; i < work->disk_count; i++) {
		struct kw_move_disk *disk = &work->disks[i];

		see_disk(work->libvirt, disk);
		if (work->copies && disk->reach == KW_DISK_HERE && !disk->backing && !disk->later)
			disk->copy = kw_libvirt_copy_place(work->libvirt, disk->source);
	}
}

static struct work *new_look(const struct kw_move_guest *guest, struct kw_move_there *there)
{
	_cleanup_(work_free_at) struct work *work = calloc(1, sizeof(*work));
	const struct kw_domain_place *place = &guest->place;
	bool names_cpu = kw_move_guest_names_cpu(guest);

	if (!work)
		return NULL;
	work->libvirt = there->libvirt;
	work->domain = guest->domain;
	work->domain.devices = NULL;
	work->domain.device_count = 0;
	work->domain.roms = NULL;
	work->domain.rom_count = 0;
	work->cpu = names_cpu ? strdup(place->cpu) : NULL;
	work->disks = calloc(place->disk_count + 1, sizeof(*work->disks));
	if (!work->disks || (names_cpu && !work->cpu))
		return NULL;
	if (place->disk_count)
		memcpy(work->disks, place->disks, place->disk_count * sizeof(*work->disks));
	work->disk_count = place->disk_count;
	return KW_STEAL(work);
}

static void take_look(struct work *work, struct kw_move_facts *facts)
{
	facts->defined_there = work->defined_there;
	facts->machine_fits = work->machine_fits;
	facts->cpu_fits = work->cpu_fits;
	memcpy(facts->machine_words, work->machine_words, sizeof(facts->machine_words));
	memcpy(facts->cpu_words, work->cpu_words, sizeof(facts->cpu_words));
	for (size_t i = 0; i < facts->disk_count; i++) {
		facts->disks[i].reach = work->disks[i].reach;
		facts->disks[i].copy = work->disks[i].copy;
	}
}

static void look_there(const struct kw_move_guest *guest, struct kw_move_there *there, bool copies,
		       struct kw_move_facts *facts)
{
	_cleanup_(work_free_at) struct work *work = new_look(guest, there);

	if (!work)
		return;
	work->copies = copies;
	if (do_work(there, call_look, work))
		take_look(work, facts);
	else
		(void)KW_STEAL(work);
}

static bool copy_domain(const struct kw_domain *domain, struct kw_domain *ret_copy)
{
	*ret_copy = *domain;
	ret_copy->roms = NULL;
	ret_copy->rom_count = 0;
	ret_copy->devices = calloc(domain->device_count + 1, sizeof(*domain->devices));
	if (ret_copy->devices && domain->device_count)
		memcpy(ret_copy->devices, domain->devices,
		       domain->device_count * sizeof(*domain->devices));
	return ret_copy->devices;
}

static int copy_parts(const struct kw_move_guest *guest, struct kw_move_facts *facts)
{
	const struct kw_domain_place *place = &guest->place;

	facts->disks = calloc(place->disk_count + 1, sizeof(*place->disks));
	if (!facts->disks || !copy_domain(&guest->domain, &facts->domain) ||
	    !copy_domain(&guest->next, &facts->next))
		return -ENOMEM;
	if (place->disk_count)
		memcpy(facts->disks, place->disks, place->disk_count * sizeof(*place->disks));
	facts->disk_count = place->disk_count;
	return 0;
}

static void copy_guest(const struct kw_move_guest *guest, struct kw_move_facts *facts)
{
	const struct kw_guest_look *look = &guest->look;

	facts->cpu_mode = guest->place.cpu_mode;
	facts->run = look->run;
	facts->persistent = look->persistent;
	facts->unfinished = guest->unfinished;
	facts->managed_save = look->managed_save;
	facts->snapshots = look->snapshots;
	facts->checkpoints = look->checkpoints;
	facts->nested_vcpus = guest->nested_vcpus;
	facts->downtime_ms = look->downtime_ms;
	facts->cpu_fits_here = guest->cpu_fits;
	memcpy(facts->cpu_words_here, guest->cpu_words, sizeof(facts->cpu_words_here));
}

int kw_move_facts_make(const struct kw_move_here *here, const struct kw_move_guest *guest,
		       struct kw_move_there *there, bool copies, struct kw_move_facts *ret_facts)
{
	_cleanup_(kw_move_facts_done) struct kw_move_facts facts = { .here = here->host };

	if (copy_parts(guest, &facts))
		return -ENOMEM;
	copy_guest(guest, &facts);
	if (there->libvirt)
		look_there(guest, there, copies, &facts);
	facts.there = there->host;
	kw_text_copy(facts.destination, sizeof(facts.destination), there->name);
	facts.reached = there->libvirt;
	memcpy(facts.unreached, there->unreached, sizeof(facts.unreached));
	memcpy(facts.unguarded, there->unguarded, sizeof(facts.unguarded));
	*ret_facts = facts;
	memset(&facts, 0, sizeof(facts));
	return 0;
}

void kw_move_facts_plan(struct kw_move_there *there, const char *xml, struct kw_move_facts *facts)
{
	int error;

	if (!there->bus || !facts->reached)
		return;
	error = kw_bus_plan(there->bus, xml, &facts->plan);
	if (!error || error == -ENXIO)
		facts->guarded = KW_U32(!error);
	if (error)
		kw_text_copy(facts->unguarded, sizeof(facts->unguarded),
			     kw_daemon_reason(there->bus, error));
}
