/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_CGROUPS_H
#define KW_FACTS_CGROUPS_H

#include "model/cgroups.h"

/* Where cgroup v2 is mounted on hosts with systemd. */
#define KW_CGROUP_ROOT "/sys/fs/cgroup"

/*
 * Reads the limits of guests below root (KW_CGROUP_ROOT, or a made-up tree in
 * tests). Never fails: what cannot be read is not there or not known.
 */
void kw_cgroups_read(const char *root, struct kw_cgroups *ret_cgroups);

/* The slots that machine.slice is charged for, by key, and nothing else. */
void kw_cgroups_counts(const char *root, struct kw_u64 ret_counts[KW_MISC_COUNT]);

/*
 * Forgets counts that changed since an earlier reading: what was read of the
 * host in between belongs to neither.
 */
void kw_cgroups_settle(const struct kw_u64 earlier[KW_MISC_COUNT], struct kw_cgroups *cgroups);

/*
 * Memory of machine.slice less page cache, which the kernel drops before it
 * kills anybody. To be asked seldom: the kernel adds up all cgroups for it.
 */
struct kw_u64 kw_cgroups_kept_bytes(const char *root);

#endif
