// SPDX-License-Identifier: GPL-2.0
/*
 * The pools of slots. How the ASIDs are divided: AMD APM volume 2, 15.34 and
 * 15.35; what KVM makes of it: sev_hardware_setup() in arch/x86/kvm/svm/sev.c.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/misc_cgroup.h>
#include <linux/kvmward.h>

#include "guest.h"
#include "host.h"
#include "slots.h"

bool kvmward_slots_split(const struct kvmward_host *host)
{
	return kvmward_yes(host->snp_asids);
}

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

static void pool_set(struct kvmward_slots *pool, struct kvmward_u32 enabled, bool ranges_known,
		     u32 first, u32 last)
{
	if (enabled.known && !enabled.value)
		range_set(pool, 0, 0);
	else if (enabled.known && ranges_known)
		range_set(pool, first, last);
}

/*
 * A lowest SEV ASID above the highest leaves SEV none, and SEV-ES no more than
 * there are (the capacity in misc.capacity is then too high). Ciphertext hiding
 * gives SNP the lower part of what it otherwise shares with SEV-ES.
 */
void kvmward_slots_ranges(const struct kvmward_host *host,
			  struct kvmward_slots pools[KVMWARD_POOLS])
{
	u32 max = host->max_asid.value, min_sev = host->min_sev_asid.value;
	bool known = host->max_asid.known && host->min_sev_asid.known;
	u32 shared = min(min_sev ? min_sev - 1 : 0, max), snp = 0;

	if (kvmward_slots_split(host)) {
		snp = min(host->snp_asids.value, shared);
		pool_set(&pools[KVMWARD_SLOT_POOL_SNP], host->snp_enabled, known, 1, snp);
	}
	pool_set(&pools[KVMWARD_SLOT_POOL_SEV], host->sev_enabled, known, min_sev, max);
	pool_set(&pools[KVMWARD_SLOT_POOL_SEV_ES], host->sev_es_enabled, known, snp + 1, shared);
}

#if IS_ENABLED(CONFIG_CGROUP_MISC) && IS_ENABLED(CONFIG_KVM_AMD_SEV)
/*
 * A charge is added to the group and all its ancestors, so that the root has the
 * total. It is reached from below because no kernel exports it, and some not
 * even its count; a group keeps its ancestors.
 */
struct kvmward_u32 kvmward_slots_charged(const struct misc_cg *cg, u32 pool)
{
	enum misc_res_type type = pool == KVMWARD_SLOT_POOL_SEV ? MISC_CG_RES_SEV :
								  MISC_CG_RES_SEV_ES;

	while (cg->css.parent)
		cg = container_of(cg->css.parent, struct misc_cg, css);
	return kvmward_u32(atomic64_read(&cg->res[type].usage));
}

/* It counts SEV-ES and SNP as one, wherever their ASIDs are from. */
static void charged_read(struct kvmward_slots *pools, bool split)
{
	struct misc_cg *cg = get_current_misc_cg();

	pools[KVMWARD_SLOT_POOL_SEV].charged = kvmward_slots_charged(cg, KVMWARD_SLOT_POOL_SEV);
	if (!split)
		pools[KVMWARD_SLOT_POOL_SEV_ES].charged =
			kvmward_slots_charged(cg, KVMWARD_SLOT_POOL_SEV_ES);
	put_misc_cg(cg);
}
#else
struct kvmward_u32 kvmward_slots_charged(const struct misc_cg *cg, u32 pool)
{
	return (struct kvmward_u32){ };
}

static void charged_read(struct kvmward_slots *pools, bool split) { }
#endif

static u32 pool_of(u32 type, bool split)
{
	if (type == KVMWARD_GUEST_TYPE_SEV)
		return KVMWARD_SLOT_POOL_SEV;
	return split && type == KVMWARD_GUEST_TYPE_SNP ? KVMWARD_SLOT_POOL_SNP :
							 KVMWARD_SLOT_POOL_SEV_ES;
}

/*
 * A guest whose slot moves to another VM while the pass is between the two shows
 * the same ASID in both: each counts once. In use stays unknown without memory.
 */
static void guests_count(const struct kvmward_snapshot *snapshot, u32 max_asid, bool split,
			 struct kvmward_slots *pools)
{
	unsigned long *counted = bitmap_zalloc(max_asid + 1UL, GFP_KERNEL);
	u32 i;

	if (!counted)
		return;
	for (i = 0; i < KVMWARD_POOLS; i++) {
		pools[i].in_use = kvmward_u32(0);
		pools[i].mirrors = kvmward_u32(0);
	}
	for (i = 0; i < snapshot->guest_count; i++) {
		const struct kvmward_guest *guest = &snapshot->guests[i];
		struct kvmward_slots *pool = &pools[pool_of(guest->type.value, split)];

		if (!kvmward_yes(guest->asid))
			continue;
		if (guest->mirror)
			pool->mirrors.value++;
		else if (guest->asid.value > max_asid ||
			 !__test_and_set_bit(guest->asid.value, counted))
			pool->in_use.value++;
	}
	bitmap_free(counted);
}

void kvmward_slots_read(const struct kvmward_host *host, const struct kvmward_snapshot *snapshot,
			struct kvmward_slots ret_pools[KVMWARD_POOLS])
{
	struct kvmward_slots pools[KVMWARD_POOLS] = { };
	bool split = kvmward_slots_split(host);

	kvmward_slots_ranges(host, pools);
	charged_read(pools, split);
	if (snapshot->sev_known)
		guests_count(snapshot, host->max_asid.value, split, pools);
	memcpy(ret_pools, pools, sizeof(pools));
}
