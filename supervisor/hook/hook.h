/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_HOOK_H
#define KW_HOOK_HOOK_H

#include "hook/attempt.h"

/*
 * Times since the hook's start: no new attempt to reach kvmwardd; no more
 * waiting for its answer.
 */
#define KW_HOOK_RETRY_NS (1500 * KW_NS_PER_MS)
#define KW_HOOK_ANSWER_NS (1800 * KW_NS_PER_MS)

/*
 * Answers one call of libvirt's, also when kvmwardd cannot be asked: verdict is
 * KW_ADMITTED, or what to refuse with. Kinds that cannot be refused may still
 * get a verdict worth printing.
 */
void kw_hook_answer(int argc, char **argv, const struct kw_hook_place *place,
		    struct kw_verdict *ret_verdict);

#endif
