/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_REFRESH_H
#define KW_DAEMON_REFRESH_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "model/facts.h"
#include "model/hearing.h"

/* When to look at the host again without being asked. */
struct kw_refresh;

/*
 * Calls look(userdata) from the event loop when a slot has changed hands,
 * shortly after KVM made or ended a guest, when the module comes or goes, and
 * when a hook leaves a release note below dir, the ledger's directory. What of
 * this cannot be heard is logged, and no error. 0 or negative errno.
 */
int kw_refresh_start(sd_event *event, const char *dir, void (*look)(void *userdata),
		     void *userdata, struct kw_refresh **ret_refresh);
void kw_refresh_stop(struct kw_refresh *refresh);

/*
 * To be told after every look, whoever asked for it. While holds are pending
 * there is a timer, since a hold may have to end without any event; otherwise
 * only where changes may come unheard (policy/looks.h). True when changes are
 * now learnt in another way than before.
 */
bool kw_refresh_expect(struct kw_refresh *refresh, const struct kw_facts *facts,
		       bool pending_holds);

/* How changes are learnt, as of the last look. Borrowed. */
const struct kw_hearing_state *kw_refresh_hearing(const struct kw_refresh *refresh);

#endif
