/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/domain.h"

#include <stdlib.h>
#include <string.h>

/* Policy bit of <launchSecurity type='sev'>. Source: AMD SEV API, GUEST_POLICY. */
#define SEV_POLICY_ES (1u << 2)

void kw_domain_done(struct kw_domain *domain)
{
	if (!domain)
		return;
	free(domain->devices);
	free(domain->roms);
	memset(domain, 0, sizeof(*domain));
}

bool kw_domain_guest_type(const struct kw_domain *domain, enum kw_guest_type *ret_type)
{
	bool es = domain->policy.known && (domain->policy.value & SEV_POLICY_ES);

	switch (domain->security) {
	case KW_SECURITY_NONE:
		*ret_type = KW_GUEST_PLAIN;
		return true;
	case KW_SECURITY_SEV:
		*ret_type = es ? KW_GUEST_SEV_ES : KW_GUEST_SEV;
		return true;
	case KW_SECURITY_SNP:
		*ret_type = KW_GUEST_SNP;
		return true;
	case KW_SECURITY_OTHER:
		break;
	}
	return false;
}
