// SPDX-License-Identifier: GPL-2.0
/*
 * The pools of slots. How the ASIDs are divided: AMD APM volume 2, 15.34 and
 * 15.35; what KVM makes of it: sev_hardware_setup() in arch/x86/kvm/svm/sev.c.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/misc_cgroup.h>
#include <linux/kvmward.h>

#include "compat.h"
#include "guest.h"
#include "host.h"
#include "slots.h"

static void range_set(struct kvmward_slots *pool, u32 first, u32 last)
{
	if (!first || first > last) {
		pool->capacity = kvmward_u32(0);
		return;
	}
	pool->first_asid = kvmward_u32(first);
	pool->last_asid = kvmward_u32(last);
	pool->capacity = kvmward_u32(last - first + 1);
}

/*
 * A split above the highest ASID leaves SEV none, and SEV-ES no more than there
 * are (the capacity in misc.capacity is then too high).
 */
static void ranges_read(const struct kvmward_host *host, struct kvmward_slots *pools)
{
	u32 max = host->max_asid.value, min_sev = host->min_sev_asid.value;
	bool ranges_known = host->max_asid.known && host->min_sev_asid.known;

	if (host->sev_enabled.known && !host->sev_enabled.value)
		range_set(&pools[KVMWARD_SLOT_POOL_SEV], 0, 0);
	else if (host->sev_enabled.known && ranges_known)
		range_set(&pools[KVMWARD_SLOT_POOL_SEV], min_sev, max);

	if (host->sev_es_enabled.known && !host->sev_es_enabled.value)
		range_set(&pools[KVMWARD_SLOT_POOL_SEV_ES], 0, 0);
	else if (host->sev_es_enabled.known && ranges_known)
		range_set(&pools[KVMWARD_SLOT_POOL_SEV_ES], 1, min(min_sev ? min_sev - 1 : 0, max));
}

static void charged_read(struct kvmward_slots *pools)
{
#ifdef CONFIG_KVM_AMD_SEV
	pools[KVMWARD_SLOT_POOL_SEV].charged = kvmward_misc_total(MISC_CG_RES_SEV);
	pools[KVMWARD_SLOT_POOL_SEV_ES].charged = kvmward_misc_total(MISC_CG_RES_SEV_ES);
#endif
}

static u32 pool_of(u32 type)
{
	return type == KVMWARD_GUEST_TYPE_SEV ? KVMWARD_SLOT_POOL_SEV : KVMWARD_SLOT_POOL_SEV_ES;
}

static void guests_count(const struct kvmward_snapshot *snapshot, struct kvmward_slots *pools)
{
	u32 i;

	for (i = 0; i < KVMWARD_POOLS; i++) {
		pools[i].in_use = kvmward_u32(0);
		pools[i].mirrors = kvmward_u32(0);
	}
	for (i = 0; i < snapshot->guest_count; i++) {
		const struct kvmward_guest *guest = &snapshot->guests[i];
		struct kvmward_slots *pool = &pools[pool_of(guest->type.value)];

		if (!kvmward_yes(guest->asid))
			continue;
		if (guest->mirror)
			pool->mirrors.value++;
		else
			pool->in_use.value++;
	}
}

void kvmward_slots_read(const struct kvmward_host *host, const struct kvmward_snapshot *snapshot,
			struct kvmward_slots ret_pools[KVMWARD_POOLS])
{
	struct kvmward_slots pools[KVMWARD_POOLS] = { };

	ranges_read(host, pools);
	charged_read(pools);
	if (snapshot->sev_known)
		guests_count(snapshot, pools);
	memcpy(ret_pools, pools, sizeof(pools));
}
