/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_EVACUATION_H
#define KW_POLICY_EVACUATION_H

#include "model/evacuation.h"
#include "policy/moves.h"

/*
 * Whether that host is gone, as far as can be told: it is not when anything answers, or when its
 * lock on the storage holds. force: what cannot be told is no reason. The verdict is admitted,
 * host-alive or host-unknown, and dest-same for this host.
 */
void kw_evacuation_judge_host(const struct kw_gone_host *host, bool force,
			      struct kw_verdict *ret_verdict);

/*
 * Whether what is defined here of a guest was brought by a move from that host which is not
 * finished: by the mark in the definition that the host has kept, and by the one here. Nobody has
 * started it here then, and with that host gone it is for this one to have.
 */
bool kw_evacuation_arrives(const struct kw_gone_host *host, const struct kw_mark *kept,
			   const struct kw_mark *here);

enum kw_evacuee_act {
	KW_EVACUEE_STAYS,	/* something bars it */
	KW_EVACUEE_DEFINED,	/* would only be defined here */
	KW_EVACUEE_STARTS,
};

/*
 * What would become of a guest of a host that is gone, and why not. What is known to speak against
 * it bars it always; that no lock tells whether it runs elsewhere, and whether a disk is the one
 * that it had, only without force.
 */
enum kw_evacuee_act kw_evacuation_judge(const struct kw_evacuee *evacuee, bool force,
					struct kw_move_plan *ret_plan);

/* "stays", "is defined", "starts". */
const char *kw_evacuee_act_name(enum kw_evacuee_act act);

#endif
