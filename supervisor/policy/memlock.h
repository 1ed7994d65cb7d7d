/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MEMLOCK_H
#define KW_POLICY_MEMLOCK_H

#include "model/claim.h"
#include "model/domain.h"
#include "model/verdict.h"

/*
 * Does it depend on the memory lock (RLIMIT_MEMLOCK) of libvirt's daemon whether
 * this guest's is large enough? QEMU inherits it when the file names no limit;
 * libvirt does not look at <launchSecurity>. It raises it for VFIO devices (an
 * NVMe disk is one) and vDPA interfaces, to the guest's memory, once for all of
 * the former and once for each of the latter, and 1 GiB: mostly, but with
 * hot-plug memory not always, more than enough. Source: libvirt 9.0,
 * qemuDomainGetMemLockLimitBytes().
 */
bool kw_memlock_is_inherited(const struct kw_domain *domain, const struct kw_claim *claim);

/*
 * True, or false with the verdict that refuses: the memory lock that the guest
 * will run with is smaller than what it needs, and QEMU would die of it.
 * inherited_bytes is the limit of libvirt's daemon; not known, it is taken for
 * too small.
 */
bool kw_memlock_suffices(const struct kw_domain *domain, const struct kw_claim *claim,
			 struct kw_u64 inherited_bytes, struct kw_verdict *ret_verdict);

#endif
