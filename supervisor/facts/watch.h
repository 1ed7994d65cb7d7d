/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_WATCH_H
#define KW_FACTS_WATCH_H

#include <stdbool.h>

/*
 * A socket that becomes readable when KVM makes or ends a guest (uevents of
 * /dev/kvm). KVM sends them before the slot changes hands, so look again
 * shortly after. Returns the fd or negative errno; the caller closes it.
 */
int kw_watch_open(void);

/*
 * Takes what is waiting. True when any of it was of KVM, or when events were
 * lost (ENOBUFS): look again. Never blocks.
 */
bool kw_watch_drain(int fd);

#endif
