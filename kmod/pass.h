/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_PASS_H
#define KVMWARD_PASS_H

#include <linux/types.h>

struct kvmward_layout;
struct kvmward_snapshot;

/* Of a snapshot: how many guests, and as many holders; the bytes of its text. */
struct kvmward_size {
	u32 count, text;
};

/*
 * Finds every guest, once, into an empty snapshot that has so much room. 0;
 * -ENOMEM; -ENFILE: more files are open than are looked through, as the log says;
 * -ENOSPC: it did not do. *ret_needed is what would have done, at a guess, on other
 * errors untouched. May sleep before and after the pass, not in it.
 */
int kvmward_pass_run(struct kvmward_snapshot *snapshot, const struct kvmward_layout *layout,
		     struct kvmward_size room, struct kvmward_size *ret_needed);

#endif
