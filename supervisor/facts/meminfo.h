/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_MEMINFO_H
#define KW_FACTS_MEMINFO_H

#include "model/known.h"

/* MemTotal of the meminfo below proc ("/proc", or a recorded tree); unknown when it says none. */
struct kw_u64 kw_meminfo_total_bytes(const char *proc);

/*
 * Likewise Hugetlb: the pools of all sizes together, whether their pages are used or not. 0
 * where a meminfo does not name them: that kernel was built without hugepages.
 */
struct kw_u64 kw_meminfo_hugetlb_bytes(const char *proc);

/* Likewise Hugepagesize: that of the pages which are meant where no size is given. */
struct kw_u64 kw_meminfo_hugepage_bytes(const char *proc);

#endif
