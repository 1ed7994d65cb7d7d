/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_HOOK_H
#define KW_HOOK_HOOK_H

#include <stdint.h>

#include "model/hook.h"
#include "model/verdict.h"

/*
 * libvirt waits for a hook for ever, and holds the guest's lock while it does.
 * Times since the hook's start: the domain XML must be there; no new attempt
 * to reach kvmwardd; no more waiting for its answer; the last resort, an alarm.
 */
#define KW_HOOK_INPUT_NS (1000 * KW_NS_PER_MS)
#define KW_HOOK_RETRY_NS (1500 * KW_NS_PER_MS)
#define KW_HOOK_ANSWER_NS (1800 * KW_NS_PER_MS)
#define KW_HOOK_ALARM_NS (1900 * KW_NS_PER_MS)

/* Where a hook call comes from and looks; tests have their own. */
struct kw_hook_place {
	int input_fd;
	const char *config_path, *state_dir;
	uint64_t start_ns;		/* CLOCK_MONOTONIC */
};

/* What the command line asks for, also when it is not as libvirt's. */
enum kw_hook_kind kw_hook_kind_of_args(int argc, char **argv);

/*
 * Answers one call of libvirt's: verdict is KW_ADMITTED, or what to refuse
 * with. Kinds that cannot be refused may still get a verdict worth printing.
 */
void kw_hook_answer(int argc, char **argv, const struct kw_hook_place *place,
		    struct kw_verdict *ret_verdict);

#endif
