/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_FILE_PLACE_H
#define KW_FACTS_FILE_PLACE_H

#include "model/move_facts.h"

/*
 * Where a disk's file or device lies, as this host sees it: sets where, reach and
 * the sizes of the disk. SHARED: on a file system of the network, or a device by a
 * name that no other device can have (/dev/disk/by-id). Blocks for as long as
 * the file system does not answer.
 */
void kw_file_place(const char *path, struct kw_move_disk *disk);

#endif
