/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_SOFTWARE_H
#define KW_POLICY_SOFTWARE_H

#include <stdbool.h>

#include "model/guest.h"
#include "model/software.h"
#include "model/verdict.h"

/*
 * Can these start such a guest at all? False, with *ret_verdict set, when one is
 * known to be too old; what is not known is not held against the guest.
 */
bool kw_software_fits(const struct kw_software *software, enum kw_guest_type type,
		      struct kw_verdict *ret_verdict);

#endif
