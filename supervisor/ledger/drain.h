/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_DRAIN_H
#define KW_LEDGER_DRAIN_H

#include <stdbool.h>

/* What outlives a reboot of the host; the jobs of moves are below it. */
#define KW_KEPT_DIR "/var/lib/kvmward"

/*
 * Whether the host is being drained: a file in dir, so that it holds over
 * restarts and for hooks that find no kvmwardd. True also when it cannot be
 * told.
 */
bool kw_drain_is_on(const char *dir);

/* On disk when it returns. 0 or negative errno, and nothing has changed. */
int kw_drain_set(const char *dir, bool on);

/*
 * Whether a move of this guest away from here is under way, from its job
 * moves/UUID.json in dir. Taken back, it brings the guest home, and a host that
 * is drained lets it in again: it is one of those that were here.
 */
bool kw_drain_spares(const char *dir, const char *uuid);

#endif
