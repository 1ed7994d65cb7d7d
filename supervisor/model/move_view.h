/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_MOVE_VIEW_H
#define KW_MODEL_MOVE_VIEW_H

#include <stdbool.h>

#include "model/mark.h"

/* The guest on one of the two hosts, as its libvirt tells. */
enum kw_side_state {
	KW_SIDE_UNKNOWN,	/* libvirt there cannot be asked, or is starting it */
	KW_SIDE_ABSENT,		/* neither runs nor is defined */
	KW_SIDE_OFF,
	KW_SIDE_RUNS,		/* paused and crashed included: there is a QEMU */
};

struct kw_side {
	enum kw_side_state state;
	enum kw_mark_kind mark;	/* of the persistent definition */
	bool foreign;		/* that mark is another job's, */
	bool evacuated;		/* namely that of KW_MARK_EVACUATED */
};

/* What is seen of a cold move. */
struct kw_move_view {
	struct kw_side here, there;
	bool held;		/* the destination keeps a slot and the memory for it, right now */
};

/* What is not seen and has to be remembered: on disk, before the next step is done. */
struct kw_move_memory {
	bool undo;		/* wanted: back to how it was */
	bool runs;		/* the guest is to run in the end, as it did here */
	bool copied;		/* what it needs besides its definition is there */
	bool given;		/* the destination was, or may have been, let start it */
	bool started;		/* and has, whatever became of it since */
	bool lost;		/* it could not be started here again, nor is that to be tried */
};

#endif
