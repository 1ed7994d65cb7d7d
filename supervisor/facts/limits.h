/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_LIMITS_H
#define KW_FACTS_LIMITS_H

#include "model/known.h"

/*
 * RLIMIT_MEMLOCK of libvirt's QEMU daemon (libvirtd or virtqemud of root) below
 * proc ("/proc", or a recorded tree), UINT64_MAX when it has none: what QEMU
 * inherits where the domain XML asks for nothing. The smallest where several
 * run, not known where none does.
 */
struct kw_u64 kw_limits_libvirt_memlock_bytes(const char *proc);

#endif
