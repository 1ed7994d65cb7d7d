/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_CLAIMS_H
#define KW_POLICY_CLAIMS_H

#include "model/claim.h"
#include "model/domain.h"

/*
 * Does such a guest take anything that is counted: a slot, or memory as a guest
 * of KVM? Not one that QEMU emulates, nor one of a kind that is none of
 * kvmward's business (policy/security.h).
 */
bool kw_claim_due(const struct kw_domain *domain);

/*
 * What the domain will take once it runs. 0; -EINVAL when its guest type is
 * not known to us (*ret_claim untouched).
 */
int kw_claim_make(const struct kw_domain *domain, struct kw_claim *ret_claim);

typedef void kw_claim_teller(const struct kw_claim_part *part, void *data);

/*
 * Tells the parts that the claim's pinned bytes are the sum of, in QEMU's
 * order; none for a guest that pins nothing. 0 or -EINVAL as above.
 */
int kw_claim_explain(const struct kw_domain *domain, kw_claim_teller *tell, void *data);

#endif
