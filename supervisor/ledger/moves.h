/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_MOVES_H
#define KW_LEDGER_MOVES_H

#include "model/move.h"
#include "model/uuids.h"

#define KW_MOVES_DIR "/var/lib/kvmward/moves"	/* of the jobs that are not finished */
#define KW_MOVES_RUN_DIR "/run/kvmward/moves"	/* of their progress, and how others went */

/*
 * The job of one guest's move, dir/UUID.json (kw_uuid_files_list() lists them), for root alone:
 * it has the guest's definition with its secrets.
 *
 * load: 0, -ENOENT, -EBADMSG for a file that is not as save writes it, or negative
 * errno; *ret_move, the caller's to end with kw_move_done(), untouched then.
 * exists: 1 when there is a file of that name, whatever is in it, 0, or negative errno.
 * create: -EEXIST when there is one.
 * save: replaces it as one step, on disk when this returns.
 * remove: on disk too; 0 also when there is none.
 */
int kw_move_load(const char *dir, const char *uuid, struct kw_move *ret_move);
int kw_move_exists(const char *dir, const char *uuid);
int kw_move_create(const char *dir, const struct kw_move *move);
int kw_move_save(const char *dir, const struct kw_move *move);
int kw_move_remove(const char *dir, const char *uuid);

/*
 * Who has this lock may change the guest's job, and takes its steps. A file
 * descriptor that keeps it until it is closed; -EWOULDBLOCK when another has it;
 * other negative errno.
 */
int kw_move_lock(const char *dir, const char *uuid);

/* How far a move is, dir/UUID.json; as above. */
int kw_progress_load(const char *dir, const char *uuid, struct kw_move_progress *ret_progress);
int kw_progress_save(const char *dir, const struct kw_move_progress *progress);

#endif
