/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_TESTS_KEPT_DIR_H
#define KW_TESTS_KEPT_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/kept.h"

/*
 * Makes a folder for the test, for tree_remove(), and in it the directory where that
 * host keeps, of which the lock is let go of. 0, or other than 0.
 */
static inline int kept_dir_make(const struct kw_host_name *host, char top[32], char dir[64])
{
	int fd;

	strcpy(top, "/tmp/kw-kept-XXXXXX");
	if (!mkdtemp(top) || kw_kept_dir(top, host->name, dir, 64))
		return -1;
	fd = kw_kept_begin(dir, host);
	return fd < 0 ? fd : close(fd);
}

#endif
