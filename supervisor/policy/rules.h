/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_RULES_H
#define KW_POLICY_RULES_H

#include <stddef.h>

#include "model/claim.h"
#include "model/domain.h"
#include "model/verdict.h"

/*
 * Can this domain work at all as an encrypted guest (facts: Nova's KVM guide
 * and hardware.py)? The first rule it breaks is the verdict, its sentence names
 * the line to change. A plain domain breaks none.
 */
void kw_rules_check(const struct kw_domain *domain, struct kw_verdict *ret_verdict);

/* The same for all rules it breaks, the first max of them; returns how many. */
size_t kw_rules_broken(const struct kw_domain *domain, struct kw_verdict *ret_verdicts, size_t max);

#endif
