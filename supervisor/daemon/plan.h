/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_PLAN_H
#define KW_DAEMON_PLAN_H

#include "daemon/supervisor.h"
#include "model/hook.h"

/*
 * What the guest of this domain would take. False with the verdict when there
 * is nothing to hold: admitted, it takes nothing that is counted; else the domain's own fault.
 * Name and UUID are there wherever they can be read.
 */
bool kw_plan_claim(struct kw_supervisor *supervisor, const char *xml, size_t length,
		   struct kw_claim *ret_claim, struct kw_verdict *ret_verdict);

/* What "prepare" would say of this domain, its own faults included. Holds nothing. */
void kw_plan_one(struct kw_supervisor *supervisor, const char *xml, size_t length,
		 struct kw_verdict *ret_verdict);

/* The same of several, each as if those before it that are admitted had started. */
void kw_plan_all(struct kw_supervisor *supervisor, const struct kw_plan_text *texts,
		 size_t count, struct kw_verdict *ret_verdicts);

#endif
