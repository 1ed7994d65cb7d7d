/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_SLOTS_H
#define KVMWARD_SLOTS_H

#include "known.h"

#define KVMWARD_POOLS 3			/* enum kvmward_slot_pool */

struct kvmward_host;
struct kvmward_snapshot;
struct misc_cg;

/* One pool of slots, named as in uapi/kvmward.yaml, which documents each. */
struct kvmward_slots {
	struct kvmward_u32 first_asid, last_asid, capacity;
	struct kvmward_u32 charged, in_use, mirrors;
};

/* Has SNP a pool of its own? Otherwise the last one of KVMWARD_POOLS means nothing. */
bool kvmward_slots_split(const struct kvmward_host *host);

/* Fills in the ASIDs and the capacity of each pool, and nothing else. */
void kvmward_slots_ranges(const struct kvmward_host *host,
			  struct kvmward_slots pools[KVMWARD_POOLS]);

/*
 * The kernel's own count of the slots taken of a pool, of SEV-ES and SNP as one;
 * by the cgroup of anybody, which must not be able to go away. In any context.
 */
struct kvmward_u32 kvmward_slots_charged(const struct misc_cg *cg, u32 pool);

/* Works out all pools from the facts given; reads the kernel's own count. */
void kvmward_slots_read(const struct kvmward_host *host, const struct kvmward_snapshot *snapshot,
			struct kvmward_slots ret_pools[KVMWARD_POOLS]);

#endif
