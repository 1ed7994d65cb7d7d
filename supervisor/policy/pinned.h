/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_PINNED_H
#define KW_POLICY_PINNED_H

#include "model/claim.h"

/* Claims are sums of sizes that QEMU rounds in its own ways: so much less is no news. */
#define KW_PINNED_SPARE_BYTES (1024 * 1024)

enum kw_pinned {
	KW_PINNED_AS_CLAIMED,	/* or not to be told yet */
	KW_PINNED_MORE,		/* than the claim, memory that may be plugged included */
	KW_PINNED_LESS,		/* by more than KW_PINNED_SPARE_BYTES */
};

/*
 * Does the guest that this hold became pin what was claimed for it? It pins block
 * by block while QEMU starts, so less is only told once libvirt has said that
 * it is up; and its firmware twice while that is encrypted (LAUNCH_UPDATE_DATA,
 * sev_pin_memory in arch/x86/kvm/svm/sev.c), so until then only more than its
 * memory lock, which covers that, is more.
 */
enum kw_pinned kw_pinned_compare(const struct kw_hold *hold, const struct kw_guest *guest);

#endif
