/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May a guest start now? The checks run from what is certain for ever (the
 * processor cannot) to what changes by the minute (no slot is free), so that
 * the sentence names the first thing to change.
 */
#include "policy/admit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "policy/question.h"

static const char *title_of(const struct kw_question *q, enum kw_pool pool)
{
	return kw_pool_title(pool, q->facts->slots.snp_apart);
}

static const char *const config_keys[KW_POOL_COUNT] = {
	[KW_POOL_SEV] = "sev_reserve",
	[KW_POOL_SEV_ES] = "sev_es_reserve",
	[KW_POOL_SNP] = "snp_reserve",
};

/* What else than stopping a guest gives this pool slots; "" when nothing does. */
static const char *split_advice(const struct kw_facts *facts, enum kw_pool pool)
{
	const struct kw_host *host = &facts->host;

	if (pool == KW_POOL_SNP)
		return " or raise kvm_amd's parameter ciphertext_hiding_asids";
	if (pool == KW_POOL_SEV_ES && facts->slots.snp_apart)
		return " or lower kvm_amd's parameter ciphertext_hiding_asids";
	if (pool == KW_POOL_SEV_ES)
		return " or raise the ASID split (BIOS \"minimum SEV ASID\")";
	if (host->min_sev_asid.known && host->min_sev_asid.value <= 1)
		return "";
	return " or lower the ASID split (BIOS \"minimum SEV ASID\")";
}

static char *leaked_note(char *to, size_t to_size, const struct kw_slots *slots)
{
	to[0] = '\0';
	if (slots->charged.known && slots->in_use.known &&
	    slots->charged.value > slots->in_use.value)
		snprintf(to, to_size, " (%" PRIu32 " of them leaked: charged to no guest that is seen)",
			 slots->charged.value - slots->in_use.value);
	return to;
}

/* Those who wait have what they wait for promised to them. */
static char *waiting_note(char *to, size_t to_size, const struct kw_pool_room *room)
{
	to[0] = '\0';
	if (room->waiting)
		snprintf(to, to_size, ", %" PRIu32 " to guests that wait for one", room->waiting);
	return to;
}

static void say_full(const struct kw_question *q, enum kw_pool pool,
		     const struct kw_pool_room *room, struct kw_verdict *ret_verdict)
{
	char leaked[80], waiting[64];

	kw_verdict_set(ret_verdict, KW_SLOT_FULL,
		       "no %s slot is free: %" PRIu32 " of %" PRIu32 " in use%s, %" PRIu32
		       " reserved, %" PRIu32
		       " promised to guests that are starting%s; stop a guest%s",
		       title_of(q, pool), room->taken.value, room->capacity.value,
		       leaked_note(leaked, sizeof(leaked), &q->facts->slots.pool[pool]),
		       room->reserve, room->pending - room->waiting,
		       waiting_note(waiting, sizeof(waiting), room), split_advice(q->facts, pool));
}

static void say_quota(const struct kw_question *q, const struct kw_quota *quota,
		      struct kw_verdict *ret_verdict)
{
	kw_verdict_set(ret_verdict, KW_SLOT_FULL,
		       "num_memory_encrypted_guests allows %" PRIu32
		       " encrypted guests and %" PRIu64
		       " slots are in use or promised to guests that are starting; stop a guest or "
		       "raise num_memory_encrypted_guests in kvmward.conf",
		       q->config->num_memory_encrypted_guests.value, quota->used);
}

static void say_reserved(const struct kw_question *q, enum kw_pool pool,
			 const struct kw_pool_room *room, uint32_t left,
			 struct kw_verdict *ret_verdict)
{
	char waiting[64];

	kw_verdict_set(ret_verdict, KW_SLOT_RESERVED,
		       "only %s slots in reserve are left: %" PRIu32 " of %" PRIu32
		       " in use, %" PRIu32 " promised to guests that are starting%s, %" PRIu32
		       " left, %" PRIu32 " reserved; stop a guest or lower %s in kvmward.conf",
		       title_of(q, pool), room->taken.value, room->capacity.value,
		       room->pending - room->waiting, waiting_note(waiting, sizeof(waiting), room),
		       left, room->reserve, config_keys[pool]);
}

static bool slot_known(const struct kw_question *q, enum kw_pool pool,
		       const struct kw_pool_room *room, struct kw_verdict *ret_verdict)
{
	char what[96];

	if (!room->capacity.known)
		snprintf(what, sizeof(what), "how many %s slots there are", title_of(q, pool));
	else if (!room->taken.known)
		snprintf(what, sizeof(what), "how many %s slots are in use", title_of(q, pool));
	else
		snprintf(what, sizeof(what), "how many slots of the other pools are in use");
	if (!room->free.known)
		return kw_refuse_unknown(q->facts, what, ret_verdict);
	return true;
}

static bool slot_free(const struct kw_question *q, enum kw_pool pool,
		      struct kw_verdict *ret_verdict)
{
	struct kw_pool_room room = kw_pool_room_of(q, pool);
	struct kw_quota quota = kw_quota_of(q);
	uint32_t left;

	if (kw_u32_no(room.capacity))
		return kw_refuse_slot_none(q->facts, pool, ret_verdict);
	if (!slot_known(q, pool, &room, ret_verdict))
		return false;
	if (room.free.value)
		return true;
	left = kw_slots_left(q, &room).value;
	if (left)
		say_reserved(q, pool, &room, left, ret_verdict);
	else if (room.capacity.value > (uint64_t)room.taken.value + room.pending)
		say_quota(q, &quota, ret_verdict);
	else
		say_full(q, pool, &room, ret_verdict);
	return false;
}

/* Of the sum that is not known; NULL: all of it is. */
static const char *memory_unknown(const struct kw_memory_room *room)
{
	if (!room->total_bytes.known || !room->pools_bytes.known)
		return "how much memory the host has";
	return room->guests_known ? NULL : "how much memory the guests that run keep";
}

/* " (divided by ram_allocation_ratio 1.5)", "" where that is 1. */
static char *ratio_note(char *to, size_t to_size, const struct kw_config *config)
{
	uint32_t ratio = config->ram_allocation_thousandths;

	to[0] = '\0';
	if (ratio != 1000)
		snprintf(to, to_size, " (divided by ram_allocation_ratio %g)", ratio / 1000.0);
	return to;
}

static bool refuse_memory(const struct kw_question *q, uint64_t need_bytes,
			  const struct kw_memory_room *room, struct kw_verdict *ret_verdict)
{
	char need[32], left[32], total[32], reserve[32], pools[32], encrypted[32], plain[32];
	char pending[32], ratio[64];

	kw_verdict_set(ret_verdict, KW_MEMORY_FULL,
		       "the guest may take %s and %s are left: of %s in the host, %s are reserved for "
		       "it, %s are hugepages, encrypted guests keep %s, plain guests %s%s, %s are "
		       "promised to guests that are starting%s; stop a guest, give this one less "
		       "memory, or see reserved_host_memory_mb and ram_allocation_ratio in kvmward.conf",
		       kw_text_bytes(need, sizeof(need), need_bytes),
		       kw_text_bytes(left, sizeof(left), room->free_bytes.value),
		       kw_text_bytes(total, sizeof(total), room->total_bytes.value),
		       kw_text_bytes(reserve, sizeof(reserve), room->reserve_bytes),
		       kw_text_bytes(pools, sizeof(pools), room->pools_bytes.value),
		       kw_text_bytes(encrypted, sizeof(encrypted), room->encrypted_bytes),
		       kw_text_bytes(plain, sizeof(plain), room->plain_bytes),
		       ratio_note(ratio, sizeof(ratio), q->config),
		       kw_text_bytes(pending, sizeof(pending), room->pending_bytes),
		       room->waiting_bytes ? " or wait" : "");
	return false;
}

static bool memory_free(const struct kw_question *q, const struct kw_claim *claim,
			const struct kw_memory_room *room, struct kw_verdict *ret_verdict)
{
	uint64_t need = kw_claim_takes_bytes(q->config, claim);
	const char *unknown = memory_unknown(room);

	if (unknown && (claim->type != KW_GUEST_PLAIN || !q->config->admit_plain_unasked))
		return kw_refuse_unknown(q->facts, unknown, ret_verdict);
	if (need > room->free_bytes.value)
		return refuse_memory(q, need, room, ret_verdict);
	return kw_huge_free(q, claim, ret_verdict) && kw_nodes_free(q, claim, ret_verdict);
}

static bool class_free(const struct kw_question *q, const struct kw_claim *claim,
		       enum kw_pool pool, const struct kw_memory_room *room,
		       struct kw_verdict *ret_verdict)
{
	if (!q->config->class_count)
		return true;
	return kw_share_has_room(q, claim, pool, kw_pool_room_of(q, pool).free.value,
				 room->free_bytes.value, ret_verdict);
}

/* "512 MiB of memory and 2048 MiB of hugepages for it in class gold". */
static char *memory_note(char *to, size_t to_size, const struct kw_question *q,
			 const struct kw_claim *claim)
{
	const char *class = q->config->class_count ? claim->class_name : "";
	char memory[32], huge[32], hugepages[64] = "";

	if (kw_huge_bytes(claim))
		snprintf(hugepages, sizeof(hugepages), " and %s of hugepages",
			 kw_text_bytes(huge, sizeof(huge), kw_huge_bytes(claim)));
	snprintf(to, to_size, "%s of memory%s for it%s%s",
		 kw_text_bytes(memory, sizeof(memory), kw_claim_takes_bytes(q->config, claim)),
		 hugepages, class[0] ? " in class " : "", class);
	return to;
}

static void admit_plain(const struct kw_question *q, const struct kw_claim *claim,
			struct kw_verdict *ret_verdict)
{
	struct kw_memory_room room = kw_memory_room_of(q);
	char memory[192];

	if (!memory_free(q, claim, &room, ret_verdict) ||
	    !class_free(q, claim, KW_POOL_SEV, &room, ret_verdict))
		return;
	if (room.free_bytes.known)
		kw_verdict_set(ret_verdict, KW_ADMITTED, "there are %s, and it takes no slot",
			       memory_note(memory, sizeof(memory), q, claim));
	else
		kw_verdict_set(ret_verdict, KW_ADMITTED,
			       "plain guests are admitted where %s is not known",
			       memory_unknown(&room));
}

static void admit_encrypted(const struct kw_question *q, const struct kw_claim *claim,
			    enum kw_pool pool, struct kw_verdict *ret_verdict)
{
	struct kw_memory_room room = kw_memory_room_of(q);
	char memory[192];
	uint32_t rest;

	if (!kw_host_offers(q->facts, claim->type, pool, ret_verdict) ||
	    !slot_free(q, pool, ret_verdict) || !memory_free(q, claim, &room, ret_verdict) ||
	    !class_free(q, claim, pool, &room, ret_verdict))
		return;
	rest = kw_pool_room_of(q, pool).free.value - 1;
	kw_verdict_set(ret_verdict, KW_ADMITTED,
		       "there is a %s slot and %s; %" PRIu32 " more %s free after it",
		       title_of(q, pool), memory_note(memory, sizeof(memory), q, claim), rest,
		       rest == 1 ? "slot is" : "slots are");
}

void kw_admit(const struct kw_facts *facts, const struct kw_hold_list *holds,
	      const struct kw_config *config, const struct kw_claim *claim,
	      struct kw_verdict *ret_verdict)
{
	struct kw_question q = {facts, holds, config, claim->uuid, config->class_count > 0};
	enum kw_pool pool;

	if (claim->type == KW_GUEST_PLAIN)
		admit_plain(&q, claim, ret_verdict);
	else if (kw_guest_type_pool(claim->type, facts->slots.snp_apart, &pool))
		admit_encrypted(&q, claim, pool, ret_verdict);
	else
		kw_verdict_set(ret_verdict, KW_UNKNOWN_SECURITY,
			       "guest type %u is not known to this kvmward", claim->type);
}
