/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MOVER_MOVER_H
#define KW_MOVER_MOVER_H

#include "act/move_live.h"
#include "act/move_side.h"
#include "base/cleanup.h"
#include "bus/client.h"
#include "model/move.h"

/* The process that moves one guest. */
struct kw_mover {
	const char *jobs_dir, *run_dir;	/* as in ledger/moves.h; tests have others */
	struct kw_move move;
	struct kw_move_side *here, *there;
	struct kw_bus *hold;		/* the connection that the hold there lives as long as */
	bool unheld;			/* nobody there keeps anything, as the operator allows */
	int signal_fd;			/* SIGTERM and SIGINT */
	unsigned int cancels;		/* of those so far */
	struct kw_move_progress progress;
};

/* SIGTERM and SIGINT cancel; for this thread and those that it will make. 0 or negative errno. */
int kw_mover_take_signals(struct kw_mover *mover);

/* How often it was to be cancelled so far. */
unsigned int kw_mover_cancels(struct kw_mover *mover);

/* Waits that long, or until a cancel comes. */
void kw_mover_pause(struct kw_mover *mover, unsigned int ms);

/* Lets the job be seen as it stands: errors of that are no reason to stop. */
void kw_mover_tell(struct kw_mover *mover);

/* The job is on disk when this returns, and can be seen. 0 or negative errno. */
int kw_mover_save(struct kw_mover *mover);

/*
 * The two ways to move, each until the guest is in one place, or only people can
 * go on; the reason, if any, is in mover->move.error.
 */
enum kw_move_state kw_mover_run_live(struct kw_mover *mover);
enum kw_move_state kw_mover_run_cold(struct kw_mover *mover);

/*
 * The parts of a cold move that take more than one call; each as
 * kw_cold_hands.act, with why not in error.
 *
 * hold: asks the destination's kvmwardd to keep a slot and the memory.
 * held: whether it still does.
 * shut_down: until the guest is off, or its time is up.
 * check_not_saved: that nothing is kept here that a start would go on with, whatever the mark.
 * copy: what the guest needs there besides its definition.
 * start: there or here, and that it really runs.
 */
int kw_mover_hold(struct kw_mover *mover, char *error, size_t error_size);
bool kw_mover_held(struct kw_mover *mover);
int kw_mover_shut_down(struct kw_mover *mover, char *error, size_t error_size);
int kw_mover_check_not_saved(struct kw_mover *mover, char *error, size_t error_size);
int kw_mover_copy(struct kw_mover *mover, char *error, size_t error_size);
int kw_mover_start(struct kw_mover *mover, struct kw_move_side *side, char *error,
		   size_t error_size);

/*
 * kw_move_side_look() at one of the two. The destination is not asked before ssh has
 * found it within some seconds: libvirt would wait for TCP to give up, for minutes.
 * KW_SIDE_UNKNOWN with why in error when it cannot be seen, or is being started. The
 * caller frees *ret_xml.
 */
enum kw_side_state kw_mover_look(struct kw_mover *mover, struct kw_move_side *side, char **ret_xml,
				 char *error, size_t error_size);

/*
 * Whether ssh finds the host of the destination; true also where it is not reached by ssh, or
 * where libvirt may get through all the same.
 */
bool kw_mover_reaches(const struct kw_mover *mover, char *error, size_t error_size);

/* The outcome for kw_cold_hands.act of a call on that side, with its words. */
int kw_mover_outcome(const struct kw_move_side *side, int result, char *error, size_t error_size);

/*
 * Has it start at boot there if it did here. -ENOTCONN: to be tried again; anything else
 * is told, and does not keep a guest from being moved.
 */
int kw_mover_set_autostart(struct kw_mover *mover);

/* What the definition says, as far as it is of interest here. 0 or negative errno. */
struct kw_domain;
int kw_mover_parse(const char *xml, struct kw_domain *ret_domain);

#endif
