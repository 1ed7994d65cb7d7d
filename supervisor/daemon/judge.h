/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_JUDGE_H
#define KW_DAEMON_JUDGE_H

#include "daemon/supervisor.h"
#include "model/domain.h"

#define KW_NO_UUID "the domain XML has no <uuid>: nothing to hold by"
#define KW_NOTHING_COUNTED "this guest takes neither a slot nor memory as a guest of KVM"

/*
 * The parts of a decision, each with the verdict where it refuses: can the file
 * be read (the caller owns *ret_domain then; a guest that another host is known
 * to have taken is marked in it), may the guest start here at all, is its memory
 * lock enough. The last counts after the host's answer: what the host can hold
 * counts for every file, and this one may be started by another that adds the
 * element.
 */
bool kw_judge_read(const struct kw_supervisor *supervisor, const char *xml, size_t length,
		   struct kw_domain *ret_domain, struct kw_verdict *verdict);
bool kw_judge_entry(const struct kw_supervisor *supervisor, const struct kw_domain *domain,
		   struct kw_verdict *verdict);
void kw_judge_memlock(struct kw_supervisor *supervisor, const struct kw_domain *domain,
		      const struct kw_claim *claim, struct kw_verdict *verdict);

/* The verdict on a type of <launchSecurity> that is not known. */
void kw_judge_unknown(const struct kw_domain *domain, struct kw_verdict *verdict);

/*
 * All of it but the first, and in the middle whether the host has room, by the
 * facts of this moment. What is planned (NULL: nothing) is taken for held. The
 * claim is filled in only where one is due.
 */
void kw_judge(struct kw_supervisor *supervisor, const struct kw_hold_list *planned,
	      const struct kw_domain *domain, struct kw_claim *ret_claim,
	      struct kw_verdict *verdict);

#endif
