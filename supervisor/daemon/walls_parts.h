/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_WALLS_PARTS_H
#define KW_DAEMON_WALLS_PARTS_H

#include "bus/slice.h"
#include "daemon/walls.h"
#include "daemon/walls_built.h"
#include "daemon/walls_watch.h"
#include "facts/cgroups.h"

/* What the files of daemon/walls*.c share, and nobody else sees. */

/* The last limit of memory that systemd was asked for. */
struct kw_wall_order {
	struct kw_slice_call *call;	/* NULL: answered */
	struct kw_u64 bytes;
	uint64_t at_ns;
	int error;
	char text[96];			/* why not */
};

struct kw_walls {
	struct kw_walls_place place;
	struct kw_walls_watch *watch;
	struct kw_walls_built built;
	struct kw_walls_status status;
	struct kw_u64 written[KW_MISC_COUNT];	/* limits that we wrote last */
	struct kw_wall_order order;
};

/* Builds the wall, moves it or takes it down, and says in *status how it stands. */
void kw_walls_keep_memory(struct kw_walls *walls, const struct kw_facts *facts,
			  const struct kw_config *config, struct kw_wall_status *status);

/* The same of the slots of all pools. */
void kw_walls_keep_slots(struct kw_walls *walls, const struct kw_facts *facts,
			 const struct kw_config *config, struct kw_walls_status *status);

/* Lifts what *built says was set, and takes it out of there. 0 or negative errno, logged. */
int kw_walls_lift_memory(const struct kw_cgroups *cgroups, struct kw_walls_built *built);
int kw_walls_lift_slots(const char *cgroup_root, struct kw_walls_built *built);

/* Puts down what is built; that it cannot be is logged. */
void kw_walls_save_built(struct kw_walls *walls);

#endif
