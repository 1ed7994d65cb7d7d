/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_ROOM_H
#define KW_MODEL_ROOM_H

#include "model/hugepages.h"
#include "model/known.h"

/*
 * Memory of the host that guests leave, those that run, start or wait:
 *
 *	free = total - reserve - hugepage pools - encrypted - plain - pending
 *
 * An encrypted guest counts with what it has pinned, what it sees, or the
 * ceiling of its confirmed hold, whichever is the largest; a plain one with
 * what it sees, divided by ram_allocation_ratio. Where something is not known
 * the sums have what is known, and free is an upper bound with known false.
 */
struct kw_memory_room {
	struct kw_u64 total_bytes, pools_bytes, free_bytes;
	bool guests_known;
	uint64_t encrypted_bytes, plain_bytes;	/* of guests that run */
	uint64_t pending_bytes, reserve_bytes;
	uint64_t waiting_bytes;			/* those of pending_bytes that guests wait for */
};

/*
 * What a pool of hugepages has left. Such memory counts here and nowhere else;
 * the pools as a whole are taken off the host's memory.
 */
struct kw_huge_room {
	uint64_t page_bytes, total_pages, unused_pages;
	uint64_t promised_pages;	/* to guests that start or wait, or mapped by somebody */
	uint64_t free_pages;
};

/* All of it, as kvmwardd tells it. */
struct kw_memory_status {
	bool known;			/* that kvmwardd told */
	struct kw_memory_room room;
	struct kw_huge_room pools[KW_HUGE_SIZES];
	size_t pool_count;
};

#endif
