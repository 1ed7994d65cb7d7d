/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MOVER_LIVE_H
#define KW_MOVER_LIVE_H

#include <stdbool.h>

#include "model/move.h"

/*
 * What has become of a live move that libvirt no longer works on, from what both
 * hosts show: KW_MOVE_MOVED, KW_MOVE_STAYED, KW_MOVE_STOPPED where nobody but
 * people can tell; KW_MOVE_RUNNING: that is not to be seen yet. Its right to run
 * is libvirt's own: it resumes the guest on one side once the other has given up.
 * A guest that is not defined (persistent) is nowhere once it has ended.
 */
enum kw_move_state kw_live_judge(enum kw_side_state here, enum kw_side_state there,
				 bool persistent);

#endif
