/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_KEPT_H
#define KW_LEDGER_KEPT_H

#include <stddef.h>

#include "model/kept.h"

/*
 * What a host keeps of its guests on shared storage, in a directory of its own:
 *
 *	host.json	who the host is
 *	lock		locked for as long as the host keeps: the storage itself tells whether it lives
 *	UUID.json	a guest's definition, with whether it runs; kw_uuid_files_list() lists them
 *	UUID.nvram	its firmware variables
 *	UUID.taken	another host has begun to start it; without a UUID.json it has it for good
 *
 * For root alone: there are secrets in it. All below: 0 or negative errno, and what is written is
 * on disk when they return. What stands there already as it is to be is not written again.
 */

/* The directory of that host. -EINVAL for a name that is none, -ENAMETOOLONG. */
int kw_kept_dir(const char *definitions, const char *host, char *ret_dir, size_t size);

#define KW_KEPT_LOCK "lock"

/*
 * begin: makes the directory, in one that has to be there, locks it and says whose it is. A file
 *	descriptor that keeps the lock until it is closed; -EAGAIN when somebody else has it,
 *	-EEXIST when guests of a host of another UUID are kept there.
 * holds: whether it still does: storage that has not heard of this host for long gives the lock
 *	to others, and lets it write no more.
 * host: whose directory it is.
 */
int kw_kept_begin(const char *dir, const struct kw_host_name *host);
bool kw_kept_holds(int lock_fd);
int kw_kept_host(const char *dir, struct kw_host_name *ret_host);

/*
 * load: -ENOENT, -EBADMSG for a file that is not as save writes it; the caller ends *ret_kept.
 * remove: with all that is about this guest; 0 also when there is nothing.
 */
int kw_kept_load(const char *dir, const char *uuid, struct kw_kept *ret_kept);
int kw_kept_save(const char *dir, const struct kw_kept *kept);
int kw_kept_remove(const char *dir, const char *uuid);

#define KW_NVRAM_MAX (64u << 20)	/* bytes */

/* load: -ENOENT when none is kept. The caller frees *ret_bytes. */
int kw_kept_load_nvram(const char *dir, const char *uuid, char **ret_bytes, size_t *ret_size);
int kw_kept_save_nvram(const char *dir, const char *uuid, const void *bytes, size_t size);

/*
 * taker: -ENOENT when nobody has taken the guest.
 * take: of two hosts that try at once one gets it; -EEXIST: another has. 0 also for who has it.
 * give_back, settle: only for who has taken it: it is free again; it has been started, or defined,
 *	and nobody shall do that again. What was kept goes, that it is taken stays.
 */
int kw_kept_taker(const char *dir, const char *uuid, struct kw_taker *ret_taker);
int kw_kept_take(const char *dir, const char *uuid, const struct kw_taker *taker);
int kw_kept_give_back(const char *dir, const char *uuid);
int kw_kept_settle(const char *dir, const char *uuid);

#endif
