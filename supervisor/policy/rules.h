/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_RULES_H
#define KW_POLICY_RULES_H

#include "model/claim.h"
#include "model/domain.h"
#include "model/verdict.h"

/*
 * Can this domain work at all as an encrypted guest (facts: Nova's KVM guide
 * and hardware.py)? The first rule it breaks is the verdict, its sentence names
 * the line to change. A plain domain breaks none.
 */
void kw_rules_check(const struct kw_domain *domain, struct kw_verdict *ret_verdict);

#endif
