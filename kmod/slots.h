/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_SLOTS_H
#define KVMWARD_SLOTS_H

#include "known.h"

#define KVMWARD_POOLS 2			/* enum kvmward_slot_pool */

struct kvmward_host;
struct kvmward_snapshot;

/* One pool of slots, named as in uapi/kvmward.yaml, which documents each. */
struct kvmward_slots {
	struct kvmward_u32 first_asid, last_asid, capacity;
	struct kvmward_u32 charged, in_use, mirrors;
};

/* Works out both pools from the facts given; reads the kernel's own count. */
void kvmward_slots_read(const struct kvmward_host *host, const struct kvmward_snapshot *snapshot,
			struct kvmward_slots ret_pools[KVMWARD_POOLS]);

#endif
