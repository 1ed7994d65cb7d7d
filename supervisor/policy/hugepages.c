/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of guests that is drawn from hugepage pools, and what these have left. */
#include "policy/question.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "base/text.h"

uint64_t kw_huge_bytes(const struct kw_claim *claim)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < KW_HUGE_SIZES; i++)
		bytes = kw_add(bytes, claim->huge[i].bytes);
	return bytes;
}

static uint64_t page_bytes_of(const struct kw_facts *facts, const struct kw_huge_part *part)
{
	return part->page_bytes ? part->page_bytes : facts->huge.default_page_bytes;
}

static uint64_t pages_of(uint64_t bytes, uint64_t page_bytes)
{
	return bytes / page_bytes + (bytes % page_bytes != 0);
}

/* Pages of this size that the claim takes, or that much of it that is missing still. */
static uint64_t claimed_pages(const struct kw_question *q, const struct kw_claim *claim,
			      uint64_t page_bytes, uint64_t missing_bytes)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < KW_HUGE_SIZES; i++)
		if (claim->huge[i].bytes && page_bytes_of(q->facts, &claim->huge[i]) == page_bytes)
			bytes = kw_add(bytes, claim->huge[i].bytes);
	return pages_of(bytes < missing_bytes ? bytes : missing_bytes, page_bytes);
}

/* Bytes that a guest, which QEMU gives its pages one after the other, has yet to get. */
static uint64_t missing_bytes(const struct kw_question *q, const struct kw_hold *hold)
{
	for (size_t i = 0; i < q->facts->guests.count; i++) {
		const struct kw_guest *guest = &q->facts->guests.guests[i];

		if (guest->pid == hold->pid && guest->hugetlb_bytes.known)
			return kw_less(kw_huge_bytes(&hold->claim), guest->hugetlb_bytes.value);
	}
	return 0;
}

/*
 * Promised and not taken. A guest whose VM is there has its memory mapped next,
 * and the kernel then counts its pages as reserved: what holds say of such
 * guests and what the kernel says is mostly the same, so the larger counts.
 */
static uint64_t promised_pages(const struct kw_question *q, const struct kw_huge_pool *pool)
{
	uint64_t pending = 0, starting = 0;

	for (size_t i = 0; i < q->holds->count; i++) {
		const struct kw_hold *hold = &q->holds->holds[i];
		uint64_t missing = hold->pid ? missing_bytes(q, hold) : UINT64_MAX;
		uint64_t pages = claimed_pages(q, &hold->claim, pool->page_bytes, missing);
		uint64_t *sum = hold->pid ? &starting : &pending;

		if (!kw_is_own_hold(q, hold))
			*sum = kw_add(*sum, pages);
	}
	return kw_add(pending, kw_larger(starting, pool->reserved_pages));
}

static void room_of_pool(const struct kw_question *q, const struct kw_huge_pool *pool,
			 struct kw_huge_room *ret_room)
{
	*ret_room = (struct kw_huge_room){
		.page_bytes = pool->page_bytes,
		.total_pages = pool->total_pages,
		.unused_pages = pool->free_pages,
		.promised_pages = promised_pages(q, pool),
	};
	ret_room->free_pages = kw_less(ret_room->unused_pages, ret_room->promised_pages);
}

/* A size that the host has no pool of has no page. */
static struct kw_huge_room room_of(const struct kw_question *q, uint64_t page_bytes)
{
	const struct kw_huge_pools *pools = &q->facts->huge;
	struct kw_huge_room room = { .page_bytes = page_bytes };

	for (size_t i = 0; i < pools->count; i++)
		if (pools->pools[i].page_bytes == page_bytes)
			room_of_pool(q, &pools->pools[i], &room);
	return room;
}

size_t kw_huge_rooms(const struct kw_facts *facts, const struct kw_hold_list *holds,
		     const struct kw_config *config, struct kw_huge_room ret_rooms[KW_HUGE_SIZES])
{
	struct kw_question q = { facts, holds, config, "" };

	for (size_t i = 0; i < facts->huge.count; i++)
		room_of_pool(&q, &facts->huge.pools[i], &ret_rooms[i]);
	return facts->huge.known ? facts->huge.count : 0;
}

static bool refuse(const struct kw_huge_room *room, uint64_t need_pages,
		   struct kw_verdict *ret_verdict)
{
	uint64_t kib = room->page_bytes / KW_KIB;

	kw_verdict_set(ret_verdict, KW_MEMORY_FULL,
		       "the guest takes %" PRIu64 " hugepages of %" PRIu64 " KiB and %" PRIu64
		       " are left: of %" PRIu64 " in the pool %" PRIu64 " are unused, %" PRIu64
		       " are promised to guests that start or wait; stop a guest that has some, or "
		       "raise /sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages by %" PRIu64,
		       need_pages, kib, room->free_pages, room->total_pages, room->unused_pages,
		       room->promised_pages, kib, need_pages - room->free_pages);
	return false;
}

bool kw_huge_free(const struct kw_question *q, const struct kw_claim *claim,
		  struct kw_verdict *ret_verdict)
{
	for (size_t i = 0; i < KW_HUGE_SIZES; i++) {
		uint64_t page_bytes = page_bytes_of(q->facts, &claim->huge[i]), need;
		struct kw_huge_room room;

		if (!claim->huge[i].bytes)
			continue;
		if (!q->facts->huge.known || !page_bytes) {
			if (claim->type == KW_GUEST_PLAIN && q->config->admit_plain_unasked)
				continue;
			return kw_refuse_unknown(q->facts, "what hugepage pools the host has",
						 ret_verdict);
		}
		need = claimed_pages(q, claim, page_bytes, UINT64_MAX);
		room = room_of(q, page_bytes);
		if (need > room.free_pages)
			return refuse(&room, need, ret_verdict);
	}
	return true;
}
