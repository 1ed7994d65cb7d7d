/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_CGROUP_H
#define KW_ACT_CGROUP_H

#include "model/cgroups.h"

/*
 * Gives the misc controller to the cgroups below root, where cgroup v2 is
 * mounted. systemd neither does that nor undoes it. Guests that run stay
 * charged to the root. 0 or negative errno.
 */
int kw_cgroup_enable_misc(const char *root);

/*
 * Limits the slots that guests of machine.slice may hold, KW_NO_LIMIT for any
 * number. Those that hold more keep them. 0 or negative errno: -ENOENT without
 * slice or controller, -EINVAL where the kernel has no such slots.
 */
int kw_cgroup_set_misc_max(const char *root, enum kw_misc_key key, uint64_t slots);

#endif
