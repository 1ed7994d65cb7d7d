/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_SLOTS_H
#define KW_MODEL_SLOTS_H

#include "model/known.h"

enum kw_pool { KW_POOL_SEV, KW_POOL_SEV_ES, KW_POOL_SNP, KW_POOL_COUNT };

/* One pool of encryption-key slots, as SLOT_GET states it. */
struct kw_slots {
	struct kw_u32 first_asid, last_asid;
	struct kw_u32 capacity;
	struct kw_u32 charged;		/* the kernel's own count, leaked slots included */
	struct kw_u32 in_use;		/* held by guests that were seen */
	struct kw_u32 mirrors;
};

/*
 * All pools at one moment; known is false where the kernel gave no answer. SNP
 * guests share the slots of SEV-ES; with ciphertext hiding they are apart, and
 * only then is there a pool KW_POOL_SNP.
 */
struct kw_slot_table {
	bool known;
	bool snp_apart;
	struct kw_slots pool[KW_POOL_COUNT];
};

static inline bool kw_pool_exists(enum kw_pool pool, bool snp_apart)
{
	return pool != KW_POOL_SNP || snp_apart;
}

/*
 * One slot that has changed hands, as the module's notification states it. A
 * hint to look, never the accounting.
 */
struct kw_slot_event {
	uint32_t pool;			/* enum kw_pool, or one that we do not know */
	int change;			/* 1 taken, -1 given back */
	struct kw_u32 pid;		/* process that made the guest; may be gone */
	struct kw_u64 start_time_ns;	/* when that started, since boot */
	struct kw_slots slots;		/* after it; guests are not counted for it */
};

/* "sev", "sev-es" or "snp": the name in the contract, configuration and output. */
const char *kw_pool_name(enum kw_pool pool);

/* "SEV", "SEV-ES/SNP" …: the name in sentences for people. */
const char *kw_pool_title(enum kw_pool pool, bool snp_apart);

/*
 * Slots taken: the larger of the kernel's count and the guests seen, since
 * either may know of slots that the other does not (leaked slots, a host whose
 * count cannot be read). Unknown when both are.
 */
struct kw_u32 kw_slots_taken(const struct kw_slots *slots);

#endif
