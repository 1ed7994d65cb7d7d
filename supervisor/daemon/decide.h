/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_DECIDE_H
#define KW_DAEMON_DECIDE_H

#include "daemon/supervisor.h"
#include "model/hook.h"
#include "model/verdict.h"

/*
 * Decides on one call of libvirt's hook and does what follows from it in the
 * ledger, saved before this returns. Only kinds that kw_hook_may_refuse() are
 * ever refused.
 */
void kw_decide_hook(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
		    struct kw_verdict *ret_verdict);

#endif
