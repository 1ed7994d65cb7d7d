/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_WALLS_H
#define KW_MODEL_WALLS_H

#include "model/cgroups.h"

/*
 * Walls: limits in the kernel around all guests, which hold where no hook is
 * asked. Each is a limit of machine.slice.
 */
enum kw_wall {
	KW_WALL_MEMORY,		/* memory.max, through systemd's MemoryMax */
	KW_WALL_SEV,		/* misc.max, key sev */
	KW_WALL_SEV_ES,		/* misc.max, key sev_es */
	KW_WALL_COUNT,
};

enum kw_wall_state {
	KW_WALL_OK,		/* stands */
	KW_WALL_OFF,		/* switched off, or there is nothing to limit: reason */
	KW_WALL_MISSING,	/* wanted, and does not stand: reason says why */
	KW_WALL_STATE_COUNT,
};

struct kw_wall_status {
	enum kw_wall_state state;
	struct kw_u64 limit;	/* bytes or slots, where it stands or should */
	char reason[160];	/* why not; "" where it stands or is switched off */
};

/* All walls; known is false before the first look. */
struct kw_walls_status {
	bool known;
	struct kw_wall_status wall[KW_WALL_COUNT];
};

static inline enum kw_wall kw_wall_of(enum kw_misc_key key)
{
	return key == KW_MISC_SEV ? KW_WALL_SEV : KW_WALL_SEV_ES;
}

/* "memory_max", "misc_max_sev" …; "ok", "off", "missing": the names on the bus and in JSON. */
const char *kw_wall_name(enum kw_wall wall);
const char *kw_wall_state_name(enum kw_wall_state state);

/* The wall or state of that name; 0, or -ENOENT with the output untouched. */
int kw_wall_find(const char *name, enum kw_wall *ret_wall);
int kw_wall_state_find(const char *name, enum kw_wall_state *ret_state);

/* True when nothing that is told of the wall, or of all of them, differs. */
bool kw_wall_equal(const struct kw_wall_status *a, const struct kw_wall_status *b);
bool kw_walls_equal(const struct kw_walls_status *a, const struct kw_walls_status *b);

#endif
