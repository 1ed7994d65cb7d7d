/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/evacuate_look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/move_mark.h"
#include "base/text.h"
#include "bus/names.h"
#include "cli/look.h"
#include "cli/message.h"
#include "facts/config_file.h"
#include "facts/domain_files.h"
#include "facts/domain_xml.h"
#include "facts/file_lock.h"
#include "facts/host_answers.h"
#include "ledger/kept.h"
#include "ledger/uuid_files.h"

#define ANSWER_MS 5000

/* Of ssh, and of libvirt over TCP and TLS. */
static const unsigned short ports[] = { 22, 16509, 16514, 0 };

static enum kw_exit fail(const char *what, const char *why)
{
	kw_message("evacuate: %s: %s", what, why);
	return KW_EXIT_FAILED;
}

static enum kw_exit find_dir(const char *host, struct kw_evacuation *evacuation)
{
	struct kw_config config;
	char error[512];

	if (kw_config_file_read(KW_CONFIG_FILE, &config, error, sizeof(error)))
		return fail("configuration", error);
	if (!*config.definitions)
		return fail(KW_CONFIG_FILE, "'definitions' of [evacuation] is not set, so nothing "
			    "is kept of any host");
	if (kw_kept_dir(config.definitions, host, evacuation->dir, sizeof(evacuation->dir)))
		return fail(host, "that is no name of a host");
	return KW_EXIT_DONE;
}

static bool is_same(const char *a, const char *b)
{
	return *a && !strcmp(a, b);
}

/* It is by that UUID that hosts know each other's marks. */
static enum kw_exit check_here(const struct kw_evacuation *evacuation)
{
	return *evacuation->here.host.uuid ? KW_EXIT_DONE
					   : fail("this host", "libvirt does not tell its UUID");
}

static enum kw_exit look_at_host(const char *name, struct kw_evacuation *evacuation)
{
	struct kw_gone_host *host = &evacuation->host;
	struct kw_host_name kept;
	char lock[PATH_MAX + 8];
	int error = kw_kept_host(evacuation->dir, &kept);

	if (error == -ENOENT)
		return fail(evacuation->dir, "nothing is kept of this host; that is what 'kvmward "
			    "keep' does on a host, as long as it lives");
	if (error)
		return fail(evacuation->dir, strerror(-error));
	kw_text_copy(host->name, sizeof(host->name), name);
	kw_text_copy(host->own_name, sizeof(host->own_name), kept.name);
	host->is_this = is_same(kept.uuid, evacuation->here.host.uuid) ||
			is_same(kept.name, evacuation->here.host.name);
	snprintf(lock, sizeof(lock), "%s/" KW_KEPT_LOCK, evacuation->dir);
	kw_file_lock(lock, &host->keeps);
	if (!host->is_this)
		host->answers = kw_host_answers(name, ports, ANSWER_MS, host->words,
						sizeof(host->words));
	kw_evacuation_judge_host(host, evacuation->force, &evacuation->verdict);
	return KW_EXIT_DONE;
}

/* For the thread that looks at a guest. */
struct look {
	struct kw_evacuation *evacuation;
	struct kw_evacuation_guest *guest;
	int result;
	char error[KW_WORDS_MAX];
};

static void look_at_disks(struct kw_evacuee *evacuee)
{
	for (size_t i = 0; i < evacuee->move.disk_count; i++) {
		const struct kw_move_disk *disk = &evacuee->move.disks[i];
		struct kw_evacuee_disk *seen = &evacuee->disks[i];
		enum kw_lock lock = KW_LOCK_UNKNOWN;
		int error;

		if (*disk->source != '/' || disk->reach == KW_DISK_NETWORK)
			continue;
		error = kw_disk_lock(disk->source, &lock);
		if (error)
			kw_text_copy(seen->missing, sizeof(seen->missing), strerror(-error));
		else if (!disk->read_only && !disk->backing)
			seen->lock = lock;
	}
}

/* Of one that is ours, or comes with a move of the other host's, something is to be here. */
static void look_here(const struct kw_evacuation *evacuation, const struct kw_kept *kept,
		      struct kw_evacuee *evacuee)
{
	_cleanup_(kw_guest_look_done) struct kw_guest_look look = {};
	struct kw_libvirt *libvirt = evacuation->here.libvirt;
	char ignored[KW_WORDS_MAX];
	int error = kw_libvirt_look(libvirt, kept->uuid, &look, ignored, sizeof(ignored));

	evacuee->here = KW_SIDE_UNKNOWN;
	if (error == -ENOENT)
		evacuee->here = KW_SIDE_ABSENT;
	else if (!error)
		evacuee->here = look.run == KW_RUN_OFF ? KW_SIDE_OFF : KW_SIDE_RUNS;
	if (look.definition)
		kw_domain_xml_mark(look.definition, &evacuee->mark_here);
	evacuee->arrives = evacuee->here == KW_SIDE_OFF &&
			   kw_evacuation_arrives(&evacuation->host, &evacuee->move.domain.mark,
						 &evacuee->mark_here);
	if (evacuee->arrives || (evacuee->ours && evacuee->here > KW_SIDE_ABSENT))
		evacuee->move.defined_there = KW_U32(0);
	else
		evacuee->move.defined_there = kw_libvirt_has_guest(libvirt, kept->name, kept->uuid);
}

static void look_at_host_needs(struct kw_libvirt *libvirt, const char *cpu,
			       struct kw_move_facts *facts)
{
	facts->machine_fits = kw_libvirt_machine_fits(libvirt, &facts->domain,
						      facts->machine_words,
						      sizeof(facts->machine_words));
	if (facts->cpu_mode == KW_CPU_CUSTOM)
		facts->cpu_fits = kw_libvirt_cpu_fits(libvirt, &facts->domain, cpu,
						      facts->cpu_words, sizeof(facts->cpu_words));
}

/* Once it may start here nothing of the move is left that took it away from where it was kept. */
static int drop_mark(struct kw_kept *kept)
{
	_cleanup_free_ char *xml = NULL;
	int error = kw_move_mark_definition(kept->xml, NULL, &xml);

	if (error)
		return error;
	free(kept->xml);
	kept->xml = KW_STEAL(xml);
	return 0;
}

static int read_kept(struct look *look)
{
	_cleanup_(kw_domain_place_done) struct kw_domain_place place = {};
	struct kw_kept *kept = &look->guest->kept;
	struct kw_evacuee *evacuee = &look->guest->evacuee;
	int error = kw_domain_xml_parse(kept->xml, strlen(kept->xml), &evacuee->move.domain,
					look->error, sizeof(look->error));

	if (!error)
		kw_domain_files_look(&evacuee->move.domain);
	if (!error)
		error = kw_domain_place_read(kept->xml, &place, look->error, sizeof(look->error));
	if (!error)
		error = drop_mark(kept);
	if (error)
		return error;
	evacuee->move.cpu_mode = place.cpu_mode;
	evacuee->move.disk_count = place.disk_count;
	evacuee->move.disks = KW_STEAL(place.disks);
	evacuee->disks = calloc(place.disk_count + 1, sizeof(*evacuee->disks));
	if (!evacuee->disks)
		return -ENOMEM;
	look_at_disks(evacuee);
	look_here(look->evacuation, kept, evacuee);
	look_at_host_needs(look->evacuation->here.libvirt, place.cpu, &evacuee->move);
	return 0;
}

static void read_taker(struct look *look)
{
	struct kw_evacuee *evacuee = &look->guest->evacuee;
	int error = kw_kept_taker(look->evacuation->dir, look->guest->kept.uuid, &evacuee->taker);

	if (!error || error == -ENOENT)
		evacuee->taken = KW_U32(!error);
	evacuee->ours = !error && is_same(evacuee->taker.host.uuid,
					  look->evacuation->here.host.uuid);
}

static void call_look(void *data)
{
	struct look *look = data;
	struct kw_move_facts *facts = &look->guest->evacuee.move;

	facts->run = KW_RUN_OFF;
	facts->persistent = KW_U32(1);
	facts->there = look->evacuation->here.host;
	kw_text_copy(facts->destination, sizeof(facts->destination), "this host");
	facts->reached = true;
	read_taker(look);
	look->result = read_kept(look);
}

static bool is_named(const struct kw_kept *kept, const char *name)
{
	return !strcmp(kept->name, name) || !strcasecmp(kept->uuid, name);
}

/* Whether it is to be looked at; starts: whether it is to run here. */
static bool is_wanted(const struct kw_kept *kept, const char *const *names, size_t count,
		      bool *starts)
{
	*starts = kept->runs;
	for (size_t i = 0; i < count; i++)
		if (is_named(kept, names[i]))
			return *starts = true;
	return !count;
}

/* One of which nothing can be told bars no other. */
static void look_at_guest(struct kw_evacuation *evacuation, const char *uuid,
			  const char *const *names, size_t count)
{
	struct kw_evacuation_guest *guest = &evacuation->guests[evacuation->count];
	struct look look = { .evacuation = evacuation, .guest = guest };
	int error = kw_kept_load(evacuation->dir, uuid, &guest->kept);

	if (!error && !is_wanted(&guest->kept, names, count, &guest->evacuee.starts)) {
		kw_kept_done(&guest->kept);
		return;
	}
	if (!error)
		error = kw_move_here_call("evacuate", call_look, &look);
	if (!error)
		error = look.result;
	if (!error) {
		evacuation->count++;
		return;
	}
	fail(*guest->kept.name ? guest->kept.name : uuid, *look.error ? look.error
								      : strerror(-error));
	evacuation->failed = true;
	kw_evacuee_done(&guest->evacuee);
	kw_kept_done(&guest->kept);
}

static enum kw_exit look_at_guests(struct kw_evacuation *evacuation, const char *const *names,
				   size_t count)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list uuids = {};
	int error = kw_uuid_files_list(evacuation->dir, "json", &uuids);

	evacuation->guests = calloc(uuids.count + 1, sizeof(*evacuation->guests));
	if (error || !evacuation->guests)
		return fail(evacuation->dir, strerror(error ? -error : ENOMEM));
	for (size_t i = 0; i < uuids.count; i++)
		look_at_guest(evacuation, uuids.uuids[i], names, count);
	for (size_t i = 0; i < count; i++) {
		bool found = evacuation->failed;

		for (size_t j = 0; j < evacuation->count && !found; j++)
			found = is_named(&evacuation->guests[j].kept, names[i]);
		if (!found)
			return fail(names[i], "nothing is kept of a guest of this name or UUID");
	}
	return KW_EXIT_DONE;
}

/* Those that would start, by their index, and their XML. */
static size_t list_starting(const struct kw_evacuation *evacuation, size_t *indices,
			    const char **xmls)
{
	size_t count = 0;

	for (size_t i = 0; i < evacuation->count && count < KW_BUS_PLANS_MAX; i++) {
		const struct kw_evacuation_guest *guest = &evacuation->guests[i];

		if (guest->act != KW_EVACUEE_STARTS || guest->evacuee.here == KW_SIDE_RUNS)
			continue;
		indices[count] = i;
		xmls[count++] = guest->kept.xml;
	}
	return count;
}

static void judge_all(struct kw_evacuation *evacuation)
{
	for (size_t i = 0; i < evacuation->count; i++) {
		struct kw_evacuation_guest *guest = &evacuation->guests[i];

		guest->act = kw_evacuation_judge(&guest->evacuee, evacuation->force, &guest->plan);
	}
}

/* Room is asked for by those that nothing else bars, each as if those before it had come. */
static enum kw_exit judge(struct kw_evacuation *evacuation)
{
	_cleanup_free_ struct kw_verdict *verdicts = calloc(KW_BUS_PLANS_MAX, sizeof(*verdicts));
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	const char *xmls[KW_BUS_PLANS_MAX];
	size_t indices[KW_BUS_PLANS_MAX], count;
	int error;

	if (!verdicts)
		return fail("kvmwardd", strerror(ENOMEM));
	for (size_t i = 0; i < evacuation->count; i++)
		evacuation->guests[i].evacuee.move.guarded = KW_U32(1);
	judge_all(evacuation);
	count = list_starting(evacuation, indices, xmls);
	if (!count)
		return KW_EXIT_DONE;
	error = kw_bus_open(0, &bus);
	if (!error)
		error = kw_bus_plan_all(bus, xmls, count, verdicts);
	for (size_t i = 0; i < count; i++) {
		struct kw_move_facts *facts = &evacuation->guests[indices[i]].evacuee.move;

		facts->guarded = KW_U32(!error);
		if (error)
			kw_text_copy(facts->unguarded, sizeof(facts->unguarded),
				     kw_daemon_reason(bus, error));
		else
			facts->plan = verdicts[i];
	}
	judge_all(evacuation);
	return KW_EXIT_DONE;
}

enum kw_exit kw_evacuation_look(const char *host, const char *const *names, size_t count,
				bool force, struct kw_evacuation *ret_evacuation)
{
	enum kw_exit done;

	*ret_evacuation = (struct kw_evacuation){ .force = force };
	done = find_dir(host, ret_evacuation);
	if (!done)
		done = kw_move_here_open("evacuate", &ret_evacuation->here);
	if (!done)
		done = check_here(ret_evacuation);
	if (!done)
		done = look_at_host(host, ret_evacuation);
	if (done || !kw_verdict_admits(&ret_evacuation->verdict))
		return done;
	done = look_at_guests(ret_evacuation, names, count);
	return done ? done : judge(ret_evacuation);
}

void kw_evacuation_done(struct kw_evacuation *evacuation)
{
	for (size_t i = 0; i < evacuation->count; i++) {
		kw_kept_done(&evacuation->guests[i].kept);
		kw_evacuee_done(&evacuation->guests[i].evacuee);
	}
	free(evacuation->guests);
	kw_move_here_close(&evacuation->here);
}
