/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/picture.h"
#include "daemon/pinned.h"
#include "facts/config_file.h"
#include "facts/limits.h"
#include "facts/process.h"
#include "facts/snapshot.h"
#include "policy/admit.h"
#include "ledger/drain.h"

static int open_ledger(struct kw_supervisor *supervisor, const char *dir, char *error,
		       size_t error_size)
{
	bool damaged = false;
	int r = kw_ledger_open(dir, &supervisor->ledger, &damaged);

	if (r == -EBUSY)
		snprintf(error, error_size, "another kvmwardd works in %s", dir);
	else if (r < 0)
		snprintf(error, error_size, "cannot open the ledger in %s: %s", dir, strerror(-r));
	else if (damaged)
		kw_log(LOG_ERR,
		       "the ledger in %s could not be understood and was set aside as ledger.bad; "
		       "guests that are just starting may be counted late",
		       dir);
	return r;
}

int kw_supervisor_init(struct kw_supervisor *supervisor, const char *config_path, const char *dir,
		       const char *kept_dir, char *error, size_t error_size)
{
	int r;

	*supervisor = (struct kw_supervisor){ .config_path = config_path, .kept_dir = kept_dir,
					      .draining = kw_drain_is_on(kept_dir) };
	if (supervisor->draining)
		kw_log(LOG_NOTICE, "this host is being drained: no guest is admitted; 'kvmward "
				   "undrain' ends that");
	r = kw_config_file_read(config_path, &supervisor->config, error, error_size);
	if (r < 0)
		return r;
	return open_ledger(supervisor, dir, error, error_size);
}

void kw_supervisor_done(struct kw_supervisor *supervisor)
{
	if (supervisor->ledger)
		kw_ledger_close(supervisor->ledger);
	if (supervisor->netlink)
		kw_netlink_close(supervisor->netlink);
	kw_facts_done(&supervisor->facts);
	kw_waiting_done(&supervisor->waiting);
	free(supervisor->picture);
	*supervisor = (struct kw_supervisor){};
}

int kw_supervisor_reload(struct kw_supervisor *supervisor, char *error, size_t error_size)
{
	struct kw_config config;
	int r;

	r = kw_config_file_read(supervisor->config_path, &config, error, error_size);
	if (r < 0) {
		kw_log(LOG_ERR, "the old configuration stays in force: %s", error);
		return r;
	}
	supervisor->config = config;
	supervisor->changed = true;
	kw_log(LOG_INFO, "configuration read again from %s", supervisor->config_path);
	return 0;
}

int kw_supervisor_drain(struct kw_supervisor *supervisor, bool on)
{
	int r = kw_drain_set(supervisor->kept_dir, on);

	if (r < 0) {
		kw_log(LOG_ERR, "%s: it cannot be saved that this host is%s being drained: %s",
		       supervisor->kept_dir, on ? "" : " no longer", strerror(-r));
		return r;
	}
	if (supervisor->draining != on)
		kw_log(LOG_NOTICE, on ? "this host is being drained: no guest is admitted"
				      : "this host is no longer being drained");
	supervisor->changed |= supervisor->draining != on;
	supervisor->draining = on;
	return 0;
}

bool kw_supervisor_drains(const struct kw_supervisor *supervisor, const char *uuid)
{
	return supervisor->draining && !kw_drain_spares(supervisor->kept_dir, uuid);
}

const struct kw_hold *kw_supervisor_hold(const struct kw_supervisor *supervisor, const char *uuid)
{
	const struct kw_hold_list *list = kw_ledger_holds(supervisor->ledger);

	for (size_t i = 0; i < list->count; i++)
		if (!strcasecmp(list->holds[i].claim.uuid, uuid))
			return &list->holds[i];
	return NULL;
}

void kw_supervisor_memory(const struct kw_supervisor *supervisor,
			  struct kw_memory_status *ret_status)
{
	struct kw_memory_status status = {};
	_cleanup_free_ struct kw_hold *owned = NULL;
	struct kw_hold_list holds;

	if (!kw_waiting_promises(&supervisor->waiting, kw_ledger_holds(supervisor->ledger), "",
				 &holds)) {
		owned = holds.holds;
		status.known = true;
		kw_memory_room(&supervisor->facts, &holds, &supervisor->config, &status.room);
		status.pool_count = kw_huge_rooms(&supervisor->facts, &holds, &supervisor->config,
						  status.pools);
	}
	*ret_status = status;
}

size_t kw_supervisor_pending_count(const struct kw_supervisor *supervisor)
{
	const struct kw_hold_list *list = kw_ledger_holds(supervisor->ledger);
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->holds[i].pid == 0;
	return count;
}

bool kw_supervisor_take_changed(struct kw_supervisor *supervisor)
{
	bool changed = supervisor->changed;

	supervisor->changed = false;
	return changed;
}

void kw_supervisor_refuse(struct kw_supervisor *supervisor, const char *name, const char *uuid,
			  const struct kw_verdict *verdict)
{
	struct kw_refusal *refusal = &supervisor->refusal;

	kw_text_copy(refusal->name, sizeof(refusal->name), name);
	kw_text_copy(refusal->uuid, sizeof(refusal->uuid), uuid);
	refusal->verdict = *verdict;
	supervisor->refused = true;
}

bool kw_supervisor_take_refusal(struct kw_supervisor *supervisor, struct kw_refusal *ret_refusal)
{
	if (!supervisor->refused)
		return false;
	*ret_refusal = supervisor->refusal;
	supervisor->refused = false;
	return true;
}

/* Says once when facts were lost, and once when they are back. */
static void log_facts(const struct kw_facts *before, const struct kw_facts *now)
{
	if (!strcmp(before->reason, now->reason))
		return;
	if (now->reason[0])
		kw_log(LOG_WARNING, "not everything is known of this host: %s", now->reason);
	else
		kw_log(LOG_INFO, "the facts of this host are known again");
}

static void read_facts(struct kw_supervisor *supervisor, bool asked)
{
	struct kw_facts facts = {};

	(asked ? kw_snapshot_read : kw_snapshot_watch)(&supervisor->netlink,
						       &supervisor->facts.guests, &facts);
	log_facts(&supervisor->facts, &facts);
	kw_facts_done(&supervisor->facts);
	supervisor->facts = facts;
}

static void log_ended_holds(const struct kw_supervisor *supervisor, const struct kw_hold *before,
			    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct kw_claim *claim = &before[i].claim;

		if (!kw_supervisor_hold(supervisor, claim->uuid))
			kw_log(before[i].pid ? LOG_INFO : LOG_NOTICE, "the hold of %s (%s) ended: %s",
			       claim->name, claim->uuid,
			       before[i].pid ? "the guest is gone" : "no such guest came up");
	}
}

static struct kw_hold *copy_holds(const struct kw_hold_list *list)
{
	struct kw_hold *copy = calloc(list->count, sizeof(*copy));

	if (copy)
		memcpy(copy, list->holds, list->count * sizeof(*copy));
	return copy;
}

/* One that has its hold after it had waited may take its time: its client is there. */
static int add_admitted(const struct kw_waiting *waiting, struct kw_uuid_list *running)
{
	int r = 0;

	for (size_t i = 0; !r && i < waiting->count; i++)
		if (waiting->tickets[i].admitted)
			r = kw_uuid_list_add(running, waiting->tickets[i].waiter.claim.uuid);
	return r;
}

/* A walk over all processes, which takes longer than all the rest of a look. */
static bool list_processes(const struct kw_supervisor *supervisor,
			   struct kw_uuid_list *ret_running)
{
	int r = kw_process_uuids("/proc", ret_running);

	if (r >= 0)
		r = add_admitted(&supervisor->waiting, ret_running);
	if (r < 0)
		kw_log(LOG_ERR, "cannot list the processes in /proc: %s; no hold ends on that",
		       strerror(-r));
	return r >= 0;
}

/* Processes are listed after the guests: one that started in between is seen as running. */
static void reconcile(struct kw_supervisor *supervisor)
{
	size_t count = kw_ledger_holds(supervisor->ledger)->count;
	uint64_t now_ns = kw_clock_boottime_ns();
	uint64_t timeout_ns = supervisor->config.hold_timeout_s * KW_NS_PER_S;
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list running = {};
	_cleanup_free_ struct kw_hold *before = NULL;
	bool changed = false, listed;
	int r;

	if (!count)
		return;
	listed = kw_ledger_overdue(supervisor->ledger, now_ns, timeout_ns) &&
		 list_processes(supervisor, &running);
	before = copy_holds(kw_ledger_holds(supervisor->ledger));
	r = kw_ledger_reconcile(supervisor->ledger, &supervisor->facts.guests,
				listed ? &running : NULL, now_ns, timeout_ns, &changed);
	if (r < 0)
		kw_log(LOG_ERR, "cannot save the ledger: %s; it will be tried again", strerror(-r));
	if (changed && before)
		log_ended_holds(supervisor, before, count);
}

static void take_notes(struct kw_supervisor *supervisor)
{
	int r = kw_ledger_take_release_notes(supervisor->ledger);

	if (r < 0)
		kw_log(LOG_ERR, "cannot take the release notes: %s; it will be tried again",
		       strerror(-r));
}

static void update_slots_line(struct kw_supervisor *supervisor)
{
	char line[sizeof(supervisor->slots_line)];

	kw_picture_slots(&supervisor->facts.slots, line, sizeof(line));
	if (!strcmp(line, supervisor->slots_line))
		return;
	kw_text_copy(supervisor->slots_line, sizeof(supervisor->slots_line), line);
	kw_log(LOG_INFO, "%s", line);
}

static void note_change(struct kw_supervisor *supervisor)
{
	char *picture;

	update_slots_line(supervisor);
	picture = kw_picture_draw(&supervisor->facts, kw_ledger_holds(supervisor->ledger));
	if (kw_text_equal(picture, supervisor->picture)) {
		free(picture);
		return;
	}
	free(supervisor->picture);
	supervisor->picture = picture;
	supervisor->changed = true;
}

static void look(struct kw_supervisor *supervisor, bool asked)
{
	take_notes(supervisor);
	read_facts(supervisor, asked);
	reconcile(supervisor);
	kw_pinned_check(supervisor);
	note_change(supervisor);
	supervisor->fresh = true;
}

void kw_supervisor_look(struct kw_supervisor *supervisor)
{
	if (supervisor->in_round && supervisor->looked)
		return;
	look(supervisor, true);
	supervisor->looked = true;
}

void kw_supervisor_begin_round(struct kw_supervisor *supervisor)
{
	supervisor->in_round = true;
	supervisor->looked = false;
	supervisor->memlock_read = false;
}

void kw_supervisor_end_round(struct kw_supervisor *supervisor)
{
	supervisor->in_round = false;
}

struct kw_u64 kw_supervisor_memlock_bytes(struct kw_supervisor *supervisor)
{
	if (!supervisor->in_round || !supervisor->memlock_read) {
		supervisor->memlock_bytes = kw_limits_libvirt_memlock_bytes("/proc");
		supervisor->memlock_read = true;
	}
	return supervisor->memlock_bytes;
}

int kw_supervisor_release(struct kw_supervisor *supervisor, const char *uuid)
{
	supervisor->looked = false;
	return kw_ledger_release(supervisor->ledger, uuid);
}

void kw_supervisor_watch(struct kw_supervisor *supervisor)
{
	look(supervisor, false);
}
