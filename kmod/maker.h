/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_MAKER_H
#define KVMWARD_MAKER_H

#include "known.h"

/* The process that made a guest, named as in uapi/kvmward.yaml. */
struct kvmward_maker {
	struct kvmward_u32 pid;
	struct kvmward_u64 start_time_ns;
};

/*
 * The current process takes a slot for a guest that it has made. Not known for a
 * kernel thread. In any context.
 */
struct kvmward_maker kvmward_maker_learn(void);

/*
 * The maker of the guest that current is just about to destroy. Not known where
 * it destroys none, or one of a process that was never seen. In any context.
 */
struct kvmward_maker kvmward_maker_ending(void);

/* Slots may have been taken unseen: nobody is known any more. In any context. */
void kvmward_maker_forget(void);

/*
 * Begins with the guests there are. Wants kvmward_maker_learn() to be called for
 * each slot that is taken from now on. May sleep. What cannot be had stays
 * unknown.
 */
void kvmward_maker_init(void);
void kvmward_maker_exit(void);

#endif
