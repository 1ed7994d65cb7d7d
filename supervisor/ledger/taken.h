/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_TAKEN_H
#define KW_LEDGER_TAKEN_H

#include <stddef.h>

#include "model/domain.h"

/*
 * Guests of this host that others have taken while it was gone, put down on its own
 * disk before libvirt starts any: dir/taken/UUID.taken, as on the storage (kept.h).
 * To mark their definitions takes libvirt; until that is done, this bars them.
 *
 * All but the last: 0 or negative errno.
 */

/*
 * Where this host keeps its guests on shared storage, for when libvirt cannot tell
 * the host's name yet. get: -ENOENT when it has kept none.
 */
int kw_taken_set_place(const char *dir, const char *kept_dir);
int kw_taken_get_place(const char *dir, char *ret_kept_dir, size_t size);

/*
 * copy: puts down what stands on the storage, and forgets what does not any more. On
 *	errors more may be put down than is taken, never less than was.
 * clear: forgets all.
 */
int kw_taken_copy(const char *dir, const char *kept_dir);
int kw_taken_clear(const char *dir);

/* Gives a guest that is put down, and has no mark, the mark that its definition is to get. */
void kw_taken_mark(const char *dir, struct kw_domain *domain);

#endif
