/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_NOTIFY_H
#define KVMWARD_NOTIFY_H

#include "known.h"
#include "maker.h"

/* A slot that was taken or given back, named as in uapi/kvmward.yaml. */
struct kvmward_event {
	u32 pool;			/* enum kvmward_slot_pool */
	s32 change;
	struct kvmward_u32 charged;
	struct kvmward_maker maker;
};

/* Sets up what can be: a kernel without probes only has no events. */
void kvmward_notify_init(void);

/* Listeners are told that there is no more to come. */
void kvmward_notify_exit(void);

/*
 * Why no events are sent, a constant; NULL: they are. Tries the probes out. May
 * sleep.
 */
const char *kvmward_notify_reason(void);

#endif
