/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_GUEST_H
#define KVMWARD_GUEST_H

#include <linux/sched.h>

#include "known.h"

/* A process that holds a guest. */
struct kvmward_holder {
	u32 pid;			/* thread group, initial pid namespace */
	u32 uid;			/* real, initial user namespace */
	u64 start_time_ns;		/* CLOCK_BOOTTIME */
	struct kvmward_u64 mm_locked_bytes, mm_pinned_bytes;
	u32 vhost_net_queues, tap_queues;
	char comm[TASK_COMM_LEN];
	const char *cgroup;		/* in the snapshot's text; "" when not known, or too long */
};

/* Longest path of a cgroup that is told of, its end included. */
#define KVMWARD_CGROUP_SIZE 512
#define KVMWARD_CGROUP_USUAL 128u	/* to reserve room by */

/* One VM. Numbers and no pointers: nothing here can go stale in memory. */
struct kvmward_guest {
	u32 holder;			/* index in the snapshot's holders */
	u64 mm_id;			/* of the holder's memory if it made the VM; 0: not so */
	struct kvmward_u32 vm_fd;
	struct kvmward_u32 type;	/* enum kvmward_guest_type */
	struct kvmward_u32 asid;
	struct kvmward_u64 pinned_bytes, memory_bytes;
	struct kvmward_u64 private_bytes;	/* taken from guest_memfd */
	struct kvmward_u64 unmovable_bytes;	/* these and the pinned */
	struct kvmward_u32 vcpus, nested_vcpus;
	bool mirror, orphan;
};

/* All VMs that one pass has met, each once. */
struct kvmward_snapshot {
	struct kvmward_guest *guests;
	struct kvmward_holder *holders;
	char *text;
	u32 guest_count, holder_count, text_size;
	bool sev_known;			/* type, asid, pinned_bytes, mirror were read */
	bool flags_known;		/* mirror and orphan mean something */
};

/*
 * Takes a snapshot, owned by the caller. 0; -ENOMEM; -EINTR when a fatal signal
 * came first; -EAGAIN when guests came faster than memory could be had for them;
 * -ENFILE when too many files are open. May sleep, and returns with nothing held.
 */
int kvmward_snapshot_take(struct kvmward_snapshot *ret_snapshot);

/* Frees what the snapshot owns and empties it. */
void kvmward_snapshot_done(struct kvmward_snapshot *snapshot);

#endif
