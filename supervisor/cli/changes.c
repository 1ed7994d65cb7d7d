/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/changes.h"

#include <string.h>

struct comparison {
	const struct kw_moment *before, *now;
	void (*tell)(const struct kw_change *change, void *data);
	void *data;
	bool explained[KW_POOL_COUNT];	/* a change of that pool was told */
};

void kw_moment_done(struct kw_moment *moment)
{
	kw_facts_done(&moment->facts);
	kw_daemon_view_done(&moment->daemon);
}

static void tell_pool(struct comparison *with, struct kw_change *change, bool has_pool,
		      enum kw_pool pool)
{
	change->has_pool = has_pool;
	if (has_pool) {
		change->pool = pool;
		kw_pool_view_make(&with->now->facts, &with->now->daemon, pool, &change->view);
		with->explained[pool] = true;
	}
	with->tell(change, with->data);
}

static bool snp_apart(const struct comparison *with)
{
	return with->now->facts.slots.snp_apart;
}

static void tell_guest(struct comparison *with, enum kw_change_kind kind,
		       const struct kw_guest *guest)
{
	struct kw_change change = { .kind = kind, .guest = guest };
	enum kw_pool pool = 0;
	bool has_pool = guest->type.known && kw_guest_type_pool(guest->type.value, snp_apart(with), &pool);

	tell_pool(with, &change, has_pool, pool);
}

static void tell_hold(struct comparison *with, enum kw_change_kind kind, const struct kw_hold *hold)
{
	struct kw_change change = { .kind = kind, .hold = hold };
	enum kw_pool pool = 0;
	bool has_pool = kw_guest_type_pool(hold->claim.type, snp_apart(with), &pool);

	tell_pool(with, &change, has_pool, pool);
}

static bool same_u32(struct kw_u32 a, struct kw_u32 b)
{
	return a.known == b.known && (!a.known || a.value == b.value);
}

static bool same_u64(struct kw_u64 a, struct kw_u64 b)
{
	return a.known == b.known && (!a.known || a.value == b.value);
}

static bool same_guest(const struct kw_guest *a, const struct kw_guest *b)
{
	return a->pid == b->pid && same_u64(a->start_time_ns, b->start_time_ns) &&
	       same_u32(a->vm_fd, b->vm_fd);
}

static bool looks_alike(const struct kw_guest *a, const struct kw_guest *b)
{
	return same_u32(a->type, b->type) && same_u32(a->asid, b->asid) &&
	       a->mirror == b->mirror && a->orphan == b->orphan;
}

static const struct kw_guest *find_guest(const struct kw_guest_list *list,
					 const struct kw_guest *guest)
{
	for (size_t i = 0; i < list->count; i++)
		if (same_guest(&list->guests[i], guest))
			return &list->guests[i];
	return NULL;
}

static void compare_guests(struct comparison *with)
{
	const struct kw_guest_list *before = &with->before->facts.guests;
	const struct kw_guest_list *now = &with->now->facts.guests;

	for (size_t i = 0; i < before->count; i++)
		if (!find_guest(now, &before->guests[i]))
			tell_guest(with, KW_GUEST_WENT, &before->guests[i]);
	for (size_t i = 0; i < now->count; i++) {
		const struct kw_guest *earlier = find_guest(before, &now->guests[i]);

		if (!earlier)
			tell_guest(with, KW_GUEST_CAME, &now->guests[i]);
		else if (!looks_alike(earlier, &now->guests[i]))
			tell_guest(with, KW_GUEST_CHANGED, &now->guests[i]);
	}
}

/* Only pending holds count: the guest itself shows a confirmed one. */
static bool is_pending(const struct kw_hold_list *list, const char *uuid)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->holds[i].pid && !strcmp(list->holds[i].claim.uuid, uuid))
			return true;
	return false;
}

static void tell_missing(struct comparison *with, const struct kw_hold_list *from,
			 const struct kw_hold_list *in, enum kw_change_kind kind)
{
	for (size_t i = 0; i < from->count; i++)
		if (!from->holds[i].pid && !is_pending(in, from->holds[i].claim.uuid))
			tell_hold(with, kind, &from->holds[i]);
}

static void compare_holds(struct comparison *with)
{
	const struct kw_hold_list *before = &with->before->daemon.holds;
	const struct kw_hold_list *now = &with->now->daemon.holds;

	tell_missing(with, before, now, KW_HOLD_ENDED);
	tell_missing(with, now, before, KW_HOLD_TAKEN);
}

static void compare_pool(struct comparison *with, enum kw_pool pool)
{
	struct kw_change change = { .kind = KW_POOL_CHANGED };
	const struct kw_slots *before = &with->before->facts.slots.pool[pool];
	const struct kw_slots *now = &with->now->facts.slots.pool[pool];

	if (same_u32(kw_slots_taken(before), kw_slots_taken(now)) &&
	    same_u32(before->capacity, now->capacity))
		return;
	tell_pool(with, &change, true, pool);
}

void kw_changes_tell(const struct kw_moment *before, const struct kw_moment *now,
		     void (*tell)(const struct kw_change *change, void *data), void *data)
{
	struct comparison with = { before, now, tell, data, { false } };

	if (before->facts.guests.known && now->facts.guests.known)
		compare_guests(&with);
	if (before->daemon.holds_known && now->daemon.holds_known)
		compare_holds(&with);
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		if (!with.explained[pool] && kw_pool_exists(pool, snp_apart(&with)))
			compare_pool(&with, pool);
}
