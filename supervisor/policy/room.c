/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting: what guests and holds take, and what that leaves. */
#include "policy/question.h"

#include <strings.h>

#include "base/number.h"
#include "policy/classes.h"

static bool same_uuid(const char *a, const char *b)
{
	return a[0] && !strcasecmp(a, b);
}

static bool guest_pool(const struct kw_question *q, const struct kw_guest *guest,
		       enum kw_pool *ret_pool)
{
	return guest->type.known &&
	       kw_guest_type_pool(guest->type.value, q->facts->slots.snp_apart, ret_pool);
}

/*
 * A guest of the claim's own UUID gives its slot to the claim. Only one that
 * libvirt runs: anyone can start a QEMU that calls itself so, and an orphan's
 * slot is not the next guest's to use.
 */
bool kw_is_own(const struct kw_question *q, const struct kw_guest *guest)
{
	return guest->libvirt && !guest->orphan && !guest->mirror &&
	       same_uuid(q->uuid, guest->uuid);
}

static bool own_slot(const struct kw_question *q, enum kw_pool pool)
{
	for (size_t i = 0; i < q->facts->guests.count; i++) {
		enum kw_pool of;

		if (kw_is_own(q, &q->facts->guests.guests[i]) &&
		    guest_pool(q, &q->facts->guests.guests[i], &of) && of == pool)
			return true;
	}
	return false;
}

bool kw_is_own_hold(const struct kw_question *q, const struct kw_hold *hold)
{
	return same_uuid(q->uuid, hold->claim.uuid);
}

static bool is_pending(const struct kw_question *q, const struct kw_hold *hold)
{
	return !hold->pid && !kw_is_own_hold(q, hold) &&
	       !(hold->waiting && q->only_held);
}

static bool is_pending_in(const struct kw_question *q, const struct kw_hold *hold,
			  enum kw_pool pool)
{
	enum kw_pool of;

	return is_pending(q, hold) &&
	       kw_guest_type_pool(hold->claim.type, q->facts->slots.snp_apart, &of) && of == pool;
}

static uint32_t pending_slots(const struct kw_question *q, enum kw_pool pool)
{
	uint32_t count = 0;

	for (size_t i = 0; i < q->holds->count; i++)
		count += is_pending_in(q, &q->holds->holds[i], pool);
	return count;
}

static uint32_t waiting_slots(const struct kw_question *q, enum kw_pool pool)
{
	uint32_t count = 0;

	for (size_t i = 0; i < q->holds->count; i++)
		count += q->holds->holds[i].waiting && is_pending_in(q, &q->holds->holds[i], pool);
	return count;
}

/*
 * A guest is of its kind before KVM has found it an ASID, for which it may have to
 * flush caches of all processors first. Its hold is confirmed then, and where the
 * kernel's count of the pool is not known nothing else counts it.
 */
static uint32_t seen_slots(const struct kw_question *q, enum kw_pool pool)
{
	const struct kw_guest_list *guests = &q->facts->guests;
	uint32_t count = 0;
	enum kw_pool of;

	for (size_t i = 0; i < guests->count; i++)
		count += !guests->guests[i].mirror && guest_pool(q, &guests->guests[i], &of) &&
			 of == pool;
	return count;
}

static struct kw_u32 taken_slots(const struct kw_question *q, enum kw_pool pool)
{
	const struct kw_slots *slots = &q->facts->slots.pool[pool];
	struct kw_u32 taken = kw_slots_taken(slots);
	uint32_t seen = seen_slots(q, pool);

	if (!q->facts->slots.known)
		return (struct kw_u32){0};
	if (!taken.known && kw_u32_no(slots->capacity))
		return KW_U32(0);
	if (taken.known && taken.value < seen)
		taken.value = seen;
	if (taken.known && taken.value && own_slot(q, pool))
		taken.value--;
	return taken;
}

struct kw_quota kw_quota_of(const struct kw_question *q)
{
	struct kw_quota quota = {.set = q->config->num_memory_encrypted_guests.known};
	bool known = true;

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		struct kw_u32 taken = taken_slots(q, pool);

		if (!kw_pool_exists(pool, q->facts->slots.snp_apart))
			continue;
		known = known && taken.known;
		quota.used += (uint64_t)taken.value + pending_slots(q, pool);
	}
	quota.left.known = known;
	quota.left.value =
		(uint32_t)kw_less(q->config->num_memory_encrypted_guests.value, quota.used);
	return quota;
}

/* Slots left before the reserve is taken off. */
struct kw_u32 kw_slots_left(const struct kw_question *q, const struct kw_pool_room *room)
{
	struct kw_quota quota = kw_quota_of(q);
	uint64_t left;

	if (!room->capacity.known || !room->taken.known || (quota.set && !quota.left.known))
		return (struct kw_u32){0};
	left = kw_less(room->capacity.value, (uint64_t)room->taken.value + room->pending);
	if (quota.set && quota.left.value < left)
		left = quota.left.value;
	return KW_U32((uint32_t)left);
}

struct kw_pool_room kw_pool_room_of(const struct kw_question *q, enum kw_pool pool)
{
	struct kw_pool_room room = {
		.taken = taken_slots(q, pool),
		.pending = pending_slots(q, pool),
		.waiting = waiting_slots(q, pool),
		.reserve = q->config->reserve[pool],
	};

	if (q->facts->slots.known)
		room.capacity = q->facts->slots.pool[pool].capacity;
	room.free = kw_slots_left(q, &room);
	room.free.value = (uint32_t)kw_less(room.free.value, room.reserve);
	return room;
}

void kw_pool_room(const struct kw_facts *facts, const struct kw_hold_list *holds,
		  const struct kw_config *config, enum kw_pool pool, struct kw_pool_room *ret_room)
{
	struct kw_question q = {facts, holds, config, ""};

	*ret_room = kw_pool_room_of(&q, pool);
}

static uint64_t known_or_0(struct kw_u64 number)
{
	return number.known ? number.value : 0;
}

uint64_t kw_overcommitted(const struct kw_config *config, uint64_t bytes)
{
	uint64_t ratio = config->ram_allocation_thousandths, whole;

	if (__builtin_mul_overflow(bytes / ratio, 1000, &whole))
		return UINT64_MAX;
	return kw_add(whole, (bytes % ratio * 1000 + ratio - 1) / ratio);
}

uint64_t kw_claim_takes_bytes(const struct kw_config *config, const struct kw_claim *claim)
{
	uint64_t huge = kw_huge_bytes(claim);

	if (claim->type != KW_GUEST_PLAIN)
		return kw_less(claim->ceiling_bytes, huge);
	return kw_overcommitted(config, kw_less(kw_less(claim->memory_bytes, claim->plug_bytes), huge));
}

/* Of a plain guest's own UUID: a young QEMU has its VM, and may get its slot. */
static const struct kw_hold *pending_hold(const struct kw_question *q,
					  const struct kw_guest *guest)
{
	for (size_t i = 0; guest->libvirt && !guest->orphan && i < q->holds->count; i++)
		if (is_pending(q, &q->holds->holds[i]) &&
		    same_uuid(guest->uuid, q->holds->holds[i].claim.uuid))
			return &q->holds->holds[i];
	return NULL;
}

/* What it sees and does not have from hugepages, which it may still be getting. */
static uint64_t ordinary_bytes(const struct kw_guest *guest, const struct kw_hold *hold)
{
	uint64_t known = kw_larger(known_or_0(guest->pinned_bytes),
				   known_or_0(guest->memory_bytes));

	return kw_less(known, kw_larger(known_or_0(guest->hugetlb_bytes),
					hold ? kw_huge_bytes(&hold->claim) : 0));
}

/*
 * A guest that has only just started has not pinned or mapped all of its memory
 * yet, so the claim of its hold counts where it is larger.
 */
uint64_t kw_kept_bytes(const struct kw_question *q, const struct kw_guest *guest)
{
	const struct kw_hold *hold = kw_class_hold(q->holds, guest), *pending;
	uint64_t claimed = hold ? kw_claim_takes_bytes(q->config, &hold->claim) : 0;

	if (guest->mirror || kw_is_own(q, guest)) /* a mirror maps another guest's memory */
		return 0;
	if (guest->type.known && guest->type.value != KW_GUEST_PLAIN)
		return kw_larger(ordinary_bytes(guest, hold), claimed);
	pending = hold ? NULL : pending_hold(q, guest);
	claimed = kw_larger(claimed,
			    kw_overcommitted(q->config, ordinary_bytes(guest, hold ? hold : pending)));
	return kw_less(claimed, pending ? kw_claim_takes_bytes(q->config, &pending->claim) : 0);
}

static bool kept_is_known(const struct kw_question *q, const struct kw_guest *guest)
{
	if (guest->mirror)
		return true;
	if (!guest->type.known)
		return false;
	return kw_is_own(q, guest) || guest->pinned_bytes.known || guest->memory_bytes.known;
}

static void add_guests(const struct kw_question *q, struct kw_memory_room *room)
{
	const struct kw_guest_list *guests = &q->facts->guests;

	room->guests_known = guests->known;
	for (size_t i = 0; i < guests->count; i++) {
		const struct kw_guest *guest = &guests->guests[i];
		bool encrypted = guest->type.known && guest->type.value != KW_GUEST_PLAIN;
		uint64_t *sum = encrypted ? &room->encrypted_bytes : &room->plain_bytes;

		*sum = kw_add(*sum, kw_kept_bytes(q, guest));
		room->guests_known = room->guests_known && kept_is_known(q, guest);
	}
}

static void add_pending(const struct kw_question *q, struct kw_memory_room *room)
{
	for (size_t i = 0; i < q->holds->count; i++) {
		const struct kw_hold *hold = &q->holds->holds[i];
		uint64_t bytes = kw_claim_takes_bytes(q->config, &hold->claim);

		if (!is_pending(q, hold))
			continue;
		room->pending_bytes = kw_add(room->pending_bytes, bytes);
		if (hold->waiting)
			room->waiting_bytes = kw_add(room->waiting_bytes, bytes);
	}
}

struct kw_memory_room kw_memory_room_of(const struct kw_question *q)
{
	struct kw_memory_room room = {
		.total_bytes = q->facts->memory_total_bytes,
		.pools_bytes = q->facts->hugetlb_bytes,
		.reserve_bytes = q->config->reserved_host_memory_bytes,
	};
	uint64_t taken;

	add_guests(q, &room);
	add_pending(q, &room);
	taken = kw_add(room.reserve_bytes, known_or_0(room.pools_bytes));
	taken = kw_add(taken, kw_add(room.encrypted_bytes, room.plain_bytes));
	taken = kw_add(taken, room.pending_bytes);
	room.free_bytes.known =
		room.total_bytes.known && room.pools_bytes.known && room.guests_known;
	room.free_bytes.value = room.total_bytes.known ? kw_less(room.total_bytes.value, taken)
						       : UINT64_MAX;
	return room;
}

void kw_memory_room(const struct kw_facts *facts, const struct kw_hold_list *holds,
		    const struct kw_config *config, struct kw_memory_room *ret_room)
{
	struct kw_question q = {facts, holds, config, ""};

	*ret_room = kw_memory_room_of(&q);
}
