// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots: the pass over all open files, with room for what it finds. Only one
 * pass runs at a time, whoever asks, so that readers cannot load more than one
 * CPU with it.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "guest.h"
#include "layout.h"
#include "pass.h"

#define LEAST_COUNT 64u
#define TRIES 8

static DEFINE_MUTEX(pass_lock);

/* What the last pass needed, under pass_lock: mostly it is right again. */
static struct kvmward_size last;

/* As much as last time, and a quarter: new guests come, and seldom at once. */
static struct kvmward_size room_wanted(void)
{
	return (struct kvmward_size){
		.count = max(last.count + last.count / 4, LEAST_COUNT),
		.text = max(last.text + last.text / 4, LEAST_COUNT * KVMWARD_CGROUP_USUAL) +
			KVMWARD_CGROUP_SIZE,
	};
}

static int snapshot_alloc(struct kvmward_snapshot *snapshot, struct kvmward_size room)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	snapshot->guests = kvmalloc_array(room.count, sizeof(*snapshot->guests), gfp);
	snapshot->holders = kvmalloc_array(room.count, sizeof(*snapshot->holders), gfp);
	snapshot->text = kvmalloc(room.text, gfp);
	return snapshot->guests && snapshot->holders && snapshot->text ? 0 : -ENOMEM;
}

/*
 * 0; -ENOMEM; -ENFILE; -ENOSPC when there was more than last time. What memory
 * could not be had for is not asked for again: the next one begins with half, which
 * is not far off where it was one asker alone who is allowed little.
 */
static int try(struct kvmward_snapshot *snapshot, const struct kvmward_layout *layout)
{
	struct kvmward_size room = room_wanted();
	int ret = snapshot_alloc(snapshot, room);

	if (!ret)
		ret = kvmward_pass_run(snapshot, layout, room, &last);
	if (ret == -ENOMEM)
		last = (struct kvmward_size){ last.count / 2, last.text / 2 };
	if (ret)
		kvmward_snapshot_done(snapshot);
	return ret;
}

static int retry(struct kvmward_snapshot *snapshot, const struct kvmward_layout *layout)
{
	int tries, ret = -ENOSPC;

	for (tries = 0; ret == -ENOSPC && tries < TRIES; tries++)
		ret = try(snapshot, layout);
	return ret == -ENOSPC ? -EAGAIN : ret;
}

int kvmward_snapshot_take(struct kvmward_snapshot *ret_snapshot)
{
	struct kvmward_snapshot snapshot = { };
	struct kvmward_layout layout;
	struct module *vendor;
	int ret = mutex_lock_killable(&pass_lock);

	if (ret)
		return ret;
	kvmward_layout_get(&layout, &vendor);
	ret = retry(&snapshot, &layout);
	module_put(vendor);
	mutex_unlock(&pass_lock);
	if (ret)
		return ret;
	snapshot.sev_known = layout.sev;
	/* Only SEV has mirrors. */
	snapshot.flags_known = layout.vm && (layout.sev || !layout.amd);
	*ret_snapshot = snapshot;
	return 0;
}

void kvmward_snapshot_done(struct kvmward_snapshot *snapshot)
{
	kvfree(snapshot->text);
	kvfree(snapshot->holders);
	kvfree(snapshot->guests);
	*snapshot = (struct kvmward_snapshot){ };
}
