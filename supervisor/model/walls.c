/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/walls.h"

#include <errno.h>
#include <string.h>

static const char *const wall_names[KW_WALL_COUNT] = {
	[KW_WALL_MEMORY] = "memory_max",
	[KW_WALL_SEV] = "misc_max_sev",
	[KW_WALL_SEV_ES] = "misc_max_sev_es",
};

static const char *const state_names[KW_WALL_STATE_COUNT] = {
	[KW_WALL_OK] = "ok",
	[KW_WALL_OFF] = "off",
	[KW_WALL_MISSING] = "missing",
};

const char *kw_wall_name(enum kw_wall wall)
{
	return wall_names[wall];
}

const char *kw_wall_state_name(enum kw_wall_state state)
{
	return state_names[state];
}

static int find(const char *name, const char *const names[], int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -ENOENT;
}

int kw_wall_find(const char *name, enum kw_wall *ret_wall)
{
	int found = find(name, wall_names, KW_WALL_COUNT);

	if (found < 0)
		return found;
	*ret_wall = (enum kw_wall)found;
	return 0;
}

int kw_wall_state_find(const char *name, enum kw_wall_state *ret_state)
{
	int found = find(name, state_names, KW_WALL_STATE_COUNT);

	if (found < 0)
		return found;
	*ret_state = (enum kw_wall_state)found;
	return 0;
}

bool kw_wall_equal(const struct kw_wall_status *a, const struct kw_wall_status *b)
{
	return a->state == b->state && a->limit.known == b->limit.known &&
	       (!a->limit.known || a->limit.value == b->limit.value) &&
	       !strcmp(a->reason, b->reason);
}

bool kw_walls_equal(const struct kw_walls_status *a, const struct kw_walls_status *b)
{
	if (a->known != b->known)
		return false;
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++)
		if (!kw_wall_equal(&a->wall[wall], &b->wall[wall]))
			return false;
	return true;
}
