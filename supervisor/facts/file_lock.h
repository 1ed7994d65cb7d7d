/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_FILE_LOCK_H
#define KW_FACTS_FILE_LOCK_H

#include "model/evacuation.h"

/*
 * Whether somebody else has this file locked: on a file system of the network on any host. It is
 * asked for only (F_OFD_GETLK), no lock is taken. KW_LOCK_UNKNOWN where the file system does not
 * tell, or where it was mounted so that locks stay on the host that takes them. Both block for as
 * long as the file system does not answer. 0, or negative errno when the file cannot be opened.
 *
 * disk: by a QEMU that may write to it, or that lets nobody else. QEMU locks single bytes, the
 *	100th on for what it does itself and the 200th on for what it lets nobody else do, one for
 *	each permission; an image that is only read may be locked any time. Source: QEMU,
 *	block/file-posix.c, RAW_LOCK_PERM_BASE, and BLK_PERM_* in include/block/block-common.h.
 */
int kw_file_lock(const char *path, enum kw_lock *ret_lock);
int kw_disk_lock(const char *path, enum kw_lock *ret_lock);

/* By /proc/self/mountinfo: whether locks on that device stay on this host (NFS: local_lock=). */
bool kw_locks_are_local(const char *mountinfo, unsigned int major, unsigned int minor);

#endif
