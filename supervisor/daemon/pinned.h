/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_PINNED_H
#define KW_DAEMON_PINNED_H

#include "daemon/supervisor.h"

/*
 * Compares what guests pin with what was claimed for them, after a look. Who
 * pins otherwise is noted in its hold and told to the journal, once.
 */
void kw_pinned_check(struct kw_supervisor *supervisor);

/* libvirt says that the guest of this UUID is up: it has pinned all that it starts with. */
void kw_pinned_started(struct kw_supervisor *supervisor, const char *uuid);

#endif
