/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_MOVE_FILE_H
#define KW_ACT_MOVE_FILE_H

#include "act/move_side.h"

/*
 * Files of that host through its libvirt: as volumes of the pool that their folder
 * is, or is made for the time of the call. path is absolute.
 *
 * has: whether there is a file of that name.
 * put: makes the file have this content. One of the same size is written over in
 * place, so that where path is on storage that both hosts see no crash can lose
 * what is in it; another is replaced.
 */
int kw_move_side_has_file(struct kw_move_side *side, const char *path, bool *ret_there);
int kw_move_side_put_file(struct kw_move_side *side, const char *path, const char *bytes,
			  size_t size);

#endif
