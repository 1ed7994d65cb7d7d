/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_WALLS_H
#define KW_DAEMON_WALLS_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "model/config.h"
#include "model/facts.h"
#include "model/walls.h"

/* Keeps the walls as policy/walls.h says, whoever tears at them. */
struct kw_walls;

/* Where they stand. All of it is borrowed until kw_walls_stop(). */
struct kw_walls_place {
	const char *cgroup_root, *state_dir;
	sd_bus *bus;
	sd_event *event;
};

/*
 * look(userdata) is called when somebody may have changed a wall or what it
 * stands in, and when systemd has answered: look at the host and call
 * kw_walls_keep(). What cannot be watched is logged, and no error. 0 or
 * negative errno.
 */
int kw_walls_start(const struct kw_walls_place *place, void (*look)(void *userdata),
		   void *userdata, struct kw_walls **ret_walls);

/* Ends the watching. The walls stay. */
void kw_walls_stop(struct kw_walls *walls);

/*
 * To be called after every look: builds and moves what has to be. A wall that
 * cannot be built is logged once and is no reason for anything else. True when
 * kw_walls_status() is other than before.
 */
bool kw_walls_keep(struct kw_walls *walls, const struct kw_facts *facts,
		   const struct kw_config *config);

/* Borrowed. */
const struct kw_walls_status *kw_walls_status(const struct kw_walls *walls);

/* Takes down what an earlier kvmwardd built, with none running. 0 or negative errno, logged. */
int kw_walls_take_down(const char *cgroup_root, const char *state_dir);

#endif
