/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MEMLOCK_H
#define KW_POLICY_MEMLOCK_H

#include "model/claim.h"
#include "model/domain.h"
#include "model/verdict.h"

/*
 * Will libvirt leave this guest with the memory lock (RLIMIT_MEMLOCK) of its own
 * daemon? It does when the file names no limit and no device makes it set one:
 * it does not look at <launchSecurity>. Source: libvirt,
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
