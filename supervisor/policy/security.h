/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_SECURITY_H
#define KW_POLICY_SECURITY_H

#include <stdbool.h>

#include "model/domain.h"

/*
 * May this guest take an encryption-key slot? Plain guests do not, and neither
 * do Intel TDX (key ids of its own) and s390 protected guests (no ASID at all):
 * those are none of kvmward's business. A type that is not known here counts as
 * one that does. Source: libvirt docs/formatdomain.rst, "Launch Security".
 */
bool kw_security_takes_slot(const struct kw_domain *domain);

#endif
