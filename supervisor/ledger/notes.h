/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_NOTES_H
#define KW_LEDGER_NOTES_H

#include "model/uuids.h"

/*
 * The release notes in dir/released, one empty file per UUID and named by it.
 * Whatever else lies there is left alone.
 *
 * read: the UUIDs noted; the caller frees with kw_uuid_list_done(). No
 * directory, no notes. remove: those notes and no other, since more may have
 * come meanwhile. 0 or negative errno.
 */
int kw_notes_read(const char *dir, struct kw_uuid_list *ret_noted);
int kw_notes_remove(const char *dir, const struct kw_uuid_list *noted);

#endif
