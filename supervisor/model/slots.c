/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/slots.h"

const char *kw_pool_name(enum kw_pool pool)
{
	static const char *const names[KW_POOL_COUNT] = { "sev", "sev-es", "snp" };

	return names[pool];
}

const char *kw_pool_title(enum kw_pool pool, bool snp_apart)
{
	static const char *const titles[KW_POOL_COUNT] = { "SEV", "SEV-ES", "SEV-SNP" };

	return pool == KW_POOL_SEV_ES && !snp_apart ? "SEV-ES/SNP" : titles[pool];
}

struct kw_u32 kw_slots_taken(const struct kw_slots *slots)
{
	if (!slots->charged.known)
		return slots->in_use;
	if (!slots->in_use.known)
		return slots->charged;
	return slots->charged.value > slots->in_use.value ? slots->charged : slots->in_use;
}
