/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mover/live.h"

enum kw_move_state kw_live_judge(enum kw_side_state here, enum kw_side_state there, bool persistent)
{
	/* One that runs here may run there too: libvirt resumes it here when no answer comes. */
	if (here == KW_SIDE_UNKNOWN || there == KW_SIDE_UNKNOWN)
		return KW_MOVE_RUNNING;
	if (here == KW_SIDE_RUNS)
		return there == KW_SIDE_RUNS ? KW_MOVE_RUNNING : KW_MOVE_STAYED;
	if (there == KW_SIDE_RUNS)
		return KW_MOVE_MOVED;
	/* It has ended meanwhile, on the one or on the other. */
	if (here == KW_SIDE_OFF)
		return there == KW_SIDE_ABSENT ? KW_MOVE_STAYED : KW_MOVE_STOPPED;
	if (there == KW_SIDE_OFF)
		return KW_MOVE_MOVED;
	return persistent ? KW_MOVE_STOPPED : KW_MOVE_STAYED;
}
