/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_KEEP_GUESTS_H
#define KW_CLI_KEEP_GUESTS_H

#include <stdbool.h>

struct kw_libvirt;

/*
 * Makes dir (ledger/kept.h) have what this host's guests are now: those that have a definition,
 * and no others. One that is off for a move, by its job in moves_dir (ledger/moves.h), is kept as
 * one that runs. Of one that another host has taken nothing is changed there; it is marked here,
 * unless it runs, so that it does not start. uri is libvirt's. What cannot be done for one guest
 * is told, and done for all others; false then.
 */
bool kw_keep_guests(struct kw_libvirt *libvirt, const char *uri, const char *dir,
		    const char *moves_dir);

#endif
