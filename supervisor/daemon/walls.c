/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/walls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/walls_parts.h"

KW_CLEANUP_OF(struct kw_walls, kw_walls_stop);

static void set_unknown(struct kw_walls_status *status)
{
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++) {
		status->wall[wall].state = KW_WALL_MISSING;
		kw_text_copy(status->wall[wall].reason, sizeof(status->wall[wall].reason),
			     "it is just being built");
	}
}

int kw_walls_start(const struct kw_walls_place *place, void (*look)(void *userdata),
		   void *userdata, struct kw_walls **ret_walls)
{
	_cleanup_(kw_walls_stop_at) struct kw_walls *walls = calloc(1, sizeof(*walls));
	int r;

	if (!walls)
		return -ENOMEM;
	walls->place = *place;
	kw_walls_built_read(place->state_dir, &walls->built);
	set_unknown(&walls->status);
	r = kw_walls_watch_start(place->event, place->cgroup_root, look, userdata, &walls->watch);
	if (r < 0)
		return r;
	*ret_walls = KW_STEAL(walls);
	return 0;
}

void kw_walls_stop(struct kw_walls *walls)
{
	if (!walls)
		return;
	kw_slice_call_end(walls->order.call);
	kw_walls_watch_stop(walls->watch);
	free(walls);
}

void kw_walls_save_built(struct kw_walls *walls)
{
	int r = kw_walls_built_write(walls->place.state_dir, &walls->built);

	if (r < 0)
		kw_log(LOG_WARNING,
		       "cannot note in %s what limits were set: %s; they will not be taken down",
		       walls->place.state_dir, strerror(-r));
}

static void tell_limit(enum kw_wall wall, struct kw_u64 limit, char *to, size_t to_size)
{
	char text[32];

	if (wall == KW_WALL_MEMORY)
		snprintf(to, to_size, "%s", kw_text_bytes(text, sizeof(text), limit.value));
	else
		snprintf(to, to_size, "%" PRIu64 " slots", limit.value);
}

/* That a wall follows the slots is for debugging; that it cannot be built is said once. */
static void log_wall(enum kw_wall wall, const struct kw_wall_status *before,
		     const struct kw_wall_status *now)
{
	bool same_state = before->state == now->state;
	char limit[48];

	tell_limit(wall, now->limit, limit, sizeof(limit));
	if (now->state == KW_WALL_MISSING && strcmp(before->reason, now->reason))
		kw_log(LOG_WARNING, "there is no wall %s around guests: %s; see 'kvmward host'",
		       kw_wall_name(wall), now->reason);
	else if (now->state == KW_WALL_OK)
		kw_log(same_state ? LOG_DEBUG : LOG_INFO, "wall %s stands: guests have at most %s",
		       kw_wall_name(wall), limit);
	else if (now->state == KW_WALL_OFF && !same_state)
		kw_log(LOG_INFO, "wall %s is off%s%s", kw_wall_name(wall),
		       *now->reason ? ": " : "", now->reason);
}

static void log_walls(const struct kw_walls_status *before, const struct kw_walls_status *now)
{
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++)
		if (!kw_wall_equal(&before->wall[wall], &now->wall[wall]))
			log_wall(wall, &before->wall[wall], &now->wall[wall]);
}

bool kw_walls_keep(struct kw_walls *walls, const struct kw_facts *facts,
		   const struct kw_config *config)
{
	struct kw_walls_status status = walls->status, before = walls->status;

	kw_walls_watch_slice(walls->watch, facts->cgroups.slice);
	if (!facts->cgroups.slice)
		memset(walls->written, 0, sizeof(walls->written));
	kw_walls_keep_memory(walls, facts, config, &status.wall[KW_WALL_MEMORY]);
	kw_walls_keep_slots(walls, facts, config, &status);
	status.known = true;
	walls->status = status;
	if (kw_walls_equal(&before, &status))
		return false;
	log_walls(&before, &status);
	return true;
}

int kw_walls_take_down(const char *cgroup_root, const char *state_dir)
{
	struct kw_walls_built built;
	struct kw_cgroups cgroups;
	int error, r;

	kw_walls_built_read(state_dir, &built);
	kw_cgroups_read(cgroup_root, &cgroups);
	error = kw_walls_lift_memory(&cgroups, &built);
	r = kw_walls_lift_slots(cgroup_root, &built);
	if (!error)
		error = r;
	r = kw_walls_built_write(state_dir, &built);
	return error ? error : r;
}

const struct kw_walls_status *kw_walls_status(const struct kw_walls *walls)
{
	return &walls->status;
}
