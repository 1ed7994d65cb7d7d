/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_UUID_FILES_H
#define KW_LEDGER_UUID_FILES_H

#include <limits.h>

#include "model/uuids.h"

/*
 * Files that are each about one guest: dir/UUID.end. All: 0 or negative errno.
 *
 * path: -EINVAL when that is no UUID. files_path: of another file beside them.
 * list: those that have a file of that end, in order; none where there is no directory. The
 *	caller ends the list.
 * remove: on disk when this returns; 0 also when there is none.
 */
int kw_uuid_file_path(const char *dir, const char *uuid, const char *end, char path[PATH_MAX]);
int kw_uuid_files_path(const char *dir, const char *name, char path[PATH_MAX]);
int kw_uuid_files_list(const char *dir, const char *end, struct kw_uuid_list *ret_uuids);
int kw_uuid_file_remove(const char *dir, const char *uuid, const char *end);

/* Makes the directory unless it is there, on disk when this returns. Root's alone. */
int kw_uuid_files_make(const char *dir);

#endif
