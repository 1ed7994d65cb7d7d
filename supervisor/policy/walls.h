/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_WALLS_H
#define KW_POLICY_WALLS_H

#include "model/config.h"
#include "model/facts.h"
#include "model/walls.h"

/*
 * What a wall shall be. The walls only repeat the rules of admission where
 * nobody asks for them, so they never admit more than these:
 *
 *	memory_max = MemTotal - reserved_host_memory_mb - hugepage pools, whose
 *		     pages are charged to no cgroup's memory
 *	misc_max   = capacity - reserve - slots charged outside machine.slice, and
 *		     no more than num_memory_encrypted_guests leaves
 *
 * KW_WALL_OK: it shall stand at the limit. KW_WALL_MISSING: it cannot, for the
 * reason. KW_WALL_OFF: it shall not, or there are no slots to limit. told_bytes is the memory limit that we set last, as far as is known:
 * a lower one that somebody else set stands, ours is moved. False: this cannot
 * be told right now, as a slot is just changing hands; leave the wall alone.
 */
bool kw_wall_aim(const struct kw_facts *facts, const struct kw_config *config, enum kw_wall wall,
		 struct kw_u64 told_bytes, struct kw_wall_status *ret_aim);

/*
 * May the memory limit be set while guests keep so much? Not when the kernel
 * would have to kill some of them: then it is missing, for that reason. What
 * they keep need not be known where they are not limited yet because nothing
 * counts their memory.
 */
bool kw_wall_spares(struct kw_u64 now_bytes, struct kw_u64 kept_bytes,
		    struct kw_wall_status *status);

/* The limit in force; unknown where there is none to be read. */
struct kw_u64 kw_wall_now(const struct kw_cgroups *cgroups, enum kw_wall wall);

#endif
