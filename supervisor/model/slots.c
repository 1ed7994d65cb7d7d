/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/slots.h"

const char *kw_pool_name(enum kw_pool pool)
{
	return pool == KW_POOL_SEV ? "sev" : "sev-es";
}

const char *kw_pool_title(enum kw_pool pool)
{
	return pool == KW_POOL_SEV ? "SEV" : "SEV-ES/SNP";
}

struct kw_u32 kw_slots_taken(const struct kw_slots *slots)
{
	if (!slots->charged.known)
		return slots->in_use;
	if (!slots->in_use.known)
		return slots->charged;
	return slots->charged.value > slots->in_use.value ? slots->charged : slots->in_use;
}
