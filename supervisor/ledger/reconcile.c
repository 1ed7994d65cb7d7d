/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/reconcile.h"

#include <string.h>
#include <strings.h>

static bool has_uuid_of(const struct kw_guest *guest, const struct kw_hold *hold)
{
	return !guest->mirror && !guest->orphan && !strcasecmp(hold->claim.uuid, guest->uuid);
}

/*
 * The hold comes before QEMU's process: one that is older is a last run that has
 * not ended, or one that runs while the same guest was to arrive once more.
 */
static bool is_older(const struct kw_guest *guest, const struct kw_hold *hold)
{
	return guest->start_time_ns.known && guest->start_time_ns.value < hold->taken_ns;
}

/* Is this the guest that the hold was taken for? */
static bool shows(const struct kw_hold *hold, const struct kw_guest *guest)
{
	enum kw_pool pool;

	if (!has_uuid_of(guest, hold) || is_older(guest, hold))
		return false;
	if (hold->claim.type == KW_GUEST_PLAIN)
		return true;
	return guest->type.known && kw_guest_type_pool(guest->type.value, false, &pool);
}

static const struct kw_guest *guest_of(const struct kw_hold *hold,
				       const struct kw_guest_list *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		if (shows(hold, &guests->guests[i]))
			return &guests->guests[i];
	return NULL;
}

static bool process_gone(const struct kw_hold *hold, const struct kw_guest_list *guests)
{
	for (size_t i = 0; i < guests->count; i++) {
		const struct kw_guest *guest = &guests->guests[i];

		if (guest->pid == hold->pid &&
		    (!guest->start_time_ns.known || !hold->start_time_ns ||
		     guest->start_time_ns.value == hold->start_time_ns))
			return false;
	}
	return true;
}

bool kw_hold_timed_out(const struct kw_hold *hold, uint64_t now_ns, uint64_t timeout_ns)
{
	return now_ns < hold->taken_ns || now_ns - hold->taken_ns > timeout_ns;
}

/* Is there a process of it that may become its guest: one more than the older guests'? */
static bool may_come(const struct kw_hold *hold, const struct kw_hold_world *world)
{
	const struct kw_guest_list *guests = world->guests;
	size_t processes = kw_uuid_list_count(world->running, hold->claim.uuid), older = 0;

	for (size_t i = 0; i < guests->count; i++)
		older += has_uuid_of(&guests->guests[i], hold) &&
			 is_older(&guests->guests[i], hold);
	return processes > older;
}

static bool is_over(const struct kw_hold *hold, const struct kw_hold_world *world)
{
	if (hold->pid)
		return process_gone(hold, world->guests);
	return kw_hold_timed_out(hold, world->now_ns, world->timeout_ns) && world->running &&
	       !may_come(hold, world);
}

/* True when the hold was confirmed by this. */
static bool confirm(struct kw_hold *hold, const struct kw_hold_world *world)
{
	const struct kw_guest *guest = hold->pid ? NULL : guest_of(hold, world->guests);

	if (!guest)
		return false;
	hold->pid = guest->pid;
	hold->start_time_ns = guest->start_time_ns.known ? guest->start_time_ns.value : 0;
	return true;
}

bool kw_holds_reconcile(struct kw_hold_list *list, const struct kw_hold_world *world)
{
	bool changed = false;
	size_t i = 0;

	while (i < list->count) {
		changed |= confirm(&list->holds[i], world);
		if (is_over(&list->holds[i], world)) {
			kw_hold_list_drop(list, &list->holds[i]);
			changed = true;
		} else {
			i++;
		}
	}
	return changed;
}
