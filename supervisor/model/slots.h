/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_SLOTS_H
#define KW_MODEL_SLOTS_H

#include "model/known.h"

enum kw_pool { KW_POOL_SEV, KW_POOL_SEV_ES, KW_POOL_COUNT };

/* One pool of encryption-key slots, as SLOT_GET states it. */
struct kw_slots {
	struct kw_u32 first_asid, last_asid;
	struct kw_u32 capacity;
	struct kw_u32 charged;		/* the kernel's own count, leaked slots included */
	struct kw_u32 in_use;		/* held by guests that were seen */
	struct kw_u32 mirrors;
};

/* Both pools at one moment; known is false where the kernel gave no answer. */
struct kw_slot_table {
	bool known;
	struct kw_slots pool[KW_POOL_COUNT];
};

/* "sev" or "sev-es": the name in the contract, configuration and output. */
const char *kw_pool_name(enum kw_pool pool);

/* "SEV" or "SEV-ES/SNP": the name in sentences for people. */
const char *kw_pool_title(enum kw_pool pool);

/*
 * Slots taken: the larger of the kernel's count and the guests seen, since
 * either may know of slots that the other does not (leaked slots, a host whose
 * count cannot be read). Unknown when both are.
 */
struct kw_u32 kw_slots_taken(const struct kw_slots *slots);

#endif
