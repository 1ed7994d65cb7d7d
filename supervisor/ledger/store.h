/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_STORE_H
#define KW_LEDGER_STORE_H

#include "model/claim.h"

/*
 * The file that holds are kept in: JSON, {"version": 1, "holds": [...]}.
 *
 * load: 0, -ENOENT, -EBADMSG for a file that is not as save writes it, or
 * negative errno; *ret_holds, whose holds the caller frees, untouched then.
 * save: as one step, see base/file.h.
 */
int kw_holds_load(const char *path, struct kw_hold_list *ret_holds);
int kw_holds_save(const char *path, const struct kw_hold_list *holds);

#endif
