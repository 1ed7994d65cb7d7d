/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_WALLS_WATCH_H
#define KW_DAEMON_WALLS_WATCH_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

/* What is torn down again and again is put up again no more often than this. */
#define KW_WALLS_SETTLE_NS (250 * KW_NS_PER_MS)

/* Hears who changes a wall, or what it stands in, below a cgroup root. */
struct kw_walls_watch;

/*
 * look(userdata) is called at once when machine.slice comes or goes, and soon
 * after somebody (we too) has changed its limits or the controllers of the
 * root. What cannot be heard is logged, and no error. The root is borrowed. 0
 * or negative errno.
 */
int kw_walls_watch_start(sd_event *event, const char *cgroup_root, void (*look)(void *userdata),
			 void *userdata, struct kw_walls_watch **ret_watch);
void kw_walls_watch_stop(struct kw_walls_watch *watch);

/* To be told after every look whether there is a slice to listen in. */
void kw_walls_watch_slice(struct kw_walls_watch *watch, bool slice);

/* Have look() called within this time, unless that is to happen anyway. */
void kw_walls_watch_look_within(struct kw_walls_watch *watch, uint64_t wait_ns);

#endif
