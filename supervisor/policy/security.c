/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/security.h"

#include <string.h>

bool kw_security_takes_slot(const struct kw_domain *domain)
{
	if (domain->security == KW_SECURITY_OTHER)
		return strcmp(domain->security_type, "tdx") && strcmp(domain->security_type, "s390-pv");
	return domain->security != KW_SECURITY_NONE;
}
