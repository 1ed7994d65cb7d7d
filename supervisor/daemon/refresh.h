/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_REFRESH_H
#define KW_DAEMON_REFRESH_H

#include <stdbool.h>
#include <systemd/sd-event.h>

/* When to look at the host again without being asked. */
struct kw_refresh;

/*
 * Calls look(userdata) from the event loop shortly after KVM made or ended a
 * guest, and when a hook leaves a release note below dir, the ledger's
 * directory. KVM's events are missed where they cannot be had: logged, no
 * error. 0 or negative errno.
 */
int kw_refresh_start(sd_event *event, const char *dir, void (*look)(void *userdata),
		     void *userdata, struct kw_refresh **ret_refresh);
void kw_refresh_stop(struct kw_refresh *refresh);

/*
 * While guests are awaited there is a slow timer as well, since a hold may have
 * to end without any event; when nothing is held nothing wakes up.
 */
void kw_refresh_expect(struct kw_refresh *refresh, bool pending_holds, bool any_holds);

#endif
