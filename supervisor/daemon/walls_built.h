/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_WALLS_BUILT_H
#define KW_DAEMON_WALLS_BUILT_H

#include "model/known.h"

/*
 * What we have set, so that it is told from what others have: our limits are
 * moved and taken down, theirs are not. Kept beside the ledger, in /run like
 * the limits themselves.
 */
struct kw_walls_built {
	struct kw_u64 memory_max_bytes;	/* as systemd was told last; unknown: not by us */
	bool misc_max;
};

/* A file that is missing or cannot be understood is that of nothing built. */
void kw_walls_built_read(const char *dir, struct kw_walls_built *ret_built);

/* 0 or negative errno. */
int kw_walls_built_write(const char *dir, const struct kw_walls_built *built);

#endif
