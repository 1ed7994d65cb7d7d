/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_SLOTS_H
#define KVMWARD_SLOTS_H

#include "known.h"

#define KVMWARD_POOLS 3			/* enum kvmward_slot_pool */

struct kvmward_host;
struct kvmward_snapshot;

/* One pool of slots, named as in uapi/kvmward.yaml, which documents each. */
struct kvmward_slots {
	struct kvmward_u32 first_asid, last_asid, capacity;
	struct kvmward_u32 charged, in_use, mirrors;
};

/* Has SNP a pool of its own? Otherwise the last one of KVMWARD_POOLS means nothing. */
bool kvmward_slots_split(const struct kvmward_host *host);

/* Works out all pools from the facts given; reads the kernel's own count. */
void kvmward_slots_read(const struct kvmward_host *host, const struct kvmward_snapshot *snapshot,
			struct kvmward_slots ret_pools[KVMWARD_POOLS]);

#endif
