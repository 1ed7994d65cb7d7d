/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/walls.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "base/text.h"

/* memory.max is kept in pages, and the largest page of a host of ours has 64 KiB. */
#define MEMORY_GRAIN (64 * KW_KIB)

/* Always true, so that a judgement can end with it. */
__attribute__((format(printf, 3, 4))) static bool
none(struct kw_wall_status *ret_aim, enum kw_wall_state state, const char *format, ...)
{
	struct kw_wall_status aim = { .state = state };
	va_list args;

	va_start(args, format);
	vsnprintf(aim.reason, sizeof(aim.reason), format, args);
	va_end(args);
	*ret_aim = aim;
	return true;
}

static bool stands_at(uint64_t limit, struct kw_wall_status *ret_aim)
{
	*ret_aim = (struct kw_wall_status){ .state = KW_WALL_OK, .limit = KW_U64(limit) };
	return true;
}

static const char no_unified[] = "the host has no cgroup v2 (unified hierarchy)";

/* Is there a lower limit that is not ours? */
static bool stricter(struct kw_u64 now, uint64_t limit, struct kw_u64 told)
{
	return now.known && now.value < limit && !(told.known && told.value == now.value);
}

static bool aim_memory(const struct kw_facts *facts, const struct kw_config *config,
		       struct kw_u64 told, struct kw_wall_status *ret_aim)
{
	const struct kw_cgroups *cgroups = &facts->cgroups;
	struct kw_u64 now = cgroups->memory_max_bytes;
	uint64_t limit;

	if (!cgroups->unified)
		return none(ret_aim, KW_WALL_MISSING, "%s", no_unified);
	if (!facts->memory_total_bytes.known || !facts->hugetlb_bytes.known)
		return none(ret_aim, KW_WALL_MISSING, "the memory of the host is not known");
	limit = kw_less(facts->memory_total_bytes.value,
		     config->reserved_host_memory_bytes) / MEMORY_GRAIN * MEMORY_GRAIN;
	limit = kw_less(limit, facts->hugetlb_bytes.value) / MEMORY_GRAIN * MEMORY_GRAIN;
	if (!limit)
		return none(ret_aim, KW_WALL_MISSING, "reserved_host_memory_mb and hugepage pools leave guests "
					"no memory");
	return stands_at(stricter(now, limit, told) ? now.value : limit, ret_aim);
}

bool kw_wall_spares(struct kw_u64 now_bytes, struct kw_u64 kept_bytes,
		    struct kw_wall_status *status)
{
	uint64_t limit = status->limit.value;
	char has[32], may[32];

	if (!now_bytes.known || (kept_bytes.known && kept_bytes.value <= limit))
		return true;
	return !none(status, KW_WALL_MISSING,
		     "guests keep %s, and a limit of %s would kill some of them",
		     kept_bytes.known ? kw_text_bytes(has, sizeof(has), kept_bytes.value)
				      : "an unknown amount",
		     kw_text_bytes(may, sizeof(may), limit));
}

/* All pools that a key of the misc controller counts. */
struct pools {
	bool known;
	uint64_t capacity, taken, reserve;
};

static bool counts(enum kw_misc_key key, enum kw_pool pool)
{
	return (pool == KW_POOL_SEV) == (key == KW_MISC_SEV);
}

static struct pools pools_of(const struct kw_facts *facts, const struct kw_config *config,
			     enum kw_misc_key key)
{
	struct pools sum = { .known = facts->slots.known };

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		const struct kw_slots *slots = &facts->slots.pool[pool];
		struct kw_u32 taken = kw_slots_taken(slots);

		if (!counts(key, pool) || !kw_pool_exists(pool, facts->slots.snp_apart))
			continue;
		if (kw_u32_no(slots->capacity))
			continue;
		sum.known = sum.known && slots->capacity.known && taken.known;
		sum.capacity += slots->capacity.value;
		sum.taken += taken.value;
		sum.reserve += config->reserve[pool];
	}
	return sum;
}

/* The operator's override counts the guests of all pools. */
static uint64_t capacity_left_by(const struct kw_config *config, const struct pools *pools,
				 const struct pools *others)
{
	uint64_t left;

	if (!config->num_memory_encrypted_guests.known)
		return pools->capacity;
	left = kw_less(config->num_memory_encrypted_guests.value, others->taken);
	return left < pools->capacity ? left : pools->capacity;
}

static bool misc_can_stand(const struct kw_facts *facts, enum kw_misc_key key,
			   const struct pools *pools, struct kw_wall_status *ret_aim)
{
	const struct kw_cgroups *cgroups = &facts->cgroups;
	const char *title = key == KW_MISC_SEV ? "SEV" : "SEV-ES/SNP";

	if (!pools->known)
		return !none(ret_aim, KW_WALL_MISSING, "how many %s slots there are, or are taken, is not known",
				title);
	if (!pools->capacity)
		return !none(ret_aim, KW_WALL_OFF, "the host has no %s slot", title);
	if (!cgroups->unified)
		return !none(ret_aim, KW_WALL_MISSING, "%s", no_unified);
	if (!cgroups->misc_offered)
		return !none(ret_aim, KW_WALL_MISSING, "the kernel offers no misc controller to cgroups");
	if (!cgroups->misc_enabled)
		return !none(ret_aim, KW_WALL_MISSING, "the root cgroup has the misc controller not enabled");
	if (!cgroups->slice)
		return !none(ret_aim, KW_WALL_MISSING, "there is no " KW_GUEST_SLICE " yet");
	if (!cgroups->misc[key].max.known)
		return !none(ret_aim, KW_WALL_MISSING, KW_GUEST_SLICE " has no limit of %s slots", title);
	return true;
}

static bool aim_misc(const struct kw_facts *facts, const struct kw_config *config,
		     enum kw_misc_key key, struct kw_wall_status *ret_aim)
{
	struct pools pools = pools_of(facts, config, key);
	struct pools others = pools_of(facts, config,
				       key == KW_MISC_SEV ? KW_MISC_SEV_ES : KW_MISC_SEV);
	struct kw_u64 inside = facts->cgroups.misc[key].current;
	uint64_t limit;

	if (config->num_memory_encrypted_guests.known)
		pools.known = pools.known && others.known;
	if (!misc_can_stand(facts, key, &pools, ret_aim))
		return true;
	if (!inside.known)
		return false;
	limit = kw_less(capacity_left_by(config, &pools, &others), pools.reserve);
	return stands_at(kw_less(limit, kw_less(pools.taken, inside.value)), ret_aim);
}

bool kw_wall_aim(const struct kw_facts *facts, const struct kw_config *config, enum kw_wall wall,
		 struct kw_u64 told_bytes, struct kw_wall_status *ret_aim)
{
	bool memory = wall == KW_WALL_MEMORY;

	if (!(memory ? config->memory_max_wall : config->misc_max_wall)) {
		*ret_aim = (struct kw_wall_status){ .state = KW_WALL_OFF };
		return true;
	}
	if (memory)
		return aim_memory(facts, config, told_bytes, ret_aim);
	return aim_misc(facts, config, wall == KW_WALL_SEV ? KW_MISC_SEV : KW_MISC_SEV_ES,
			ret_aim);
}

struct kw_u64 kw_wall_now(const struct kw_cgroups *cgroups, enum kw_wall wall)
{
	if (wall == KW_WALL_MEMORY)
		return cgroups->memory_max_bytes;
	return cgroups->misc[wall == KW_WALL_SEV ? KW_MISC_SEV : KW_MISC_SEV_ES].max;
}
