/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_ATTEMPT_H
#define KW_HOOK_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/xml.h"
#include "model/hook.h"
#include "model/verdict.h"

/*
 * libvirt waits for a hook for ever, and holds the guest's lock while it does.
 * Times since the hook's start: the domain XML must be there; the first answer
 * of kvmwardd, with half a second left to start the second program, which can
 * tell what to answer without it. Asked late, it is waited for that little longer.
 */
#define KW_HOOK_INPUT_NS (1000 * KW_NS_PER_MS)
#define KW_HOOK_FIRST_NS (1400 * KW_NS_PER_MS)
#define KW_HOOK_LEAST_NS (200 * KW_NS_PER_MS)

#define KW_HOOK_XML_MAX KW_XML_MAX

/* Where a hook call comes from and looks; tests have their own. */
struct kw_hook_place {
	int input_fd;
	const char *config_path, *state_dir, *kept_dir;
	uint64_t start_ns;		/* CLOCK_MONOTONIC */
};

/* A call of libvirt's that kvmwardd has not answered. */
struct kw_attempt {
	enum kw_hook_kind kind;
	char **argv;			/* borrowed: five words, as libvirt gives them */
	const char *state_dir;		/* borrowed */
	char *xml;			/* NULL when none could be read */
	int status;			/* negative errno of the last attempt */
	char error[256];		/* and its reason */
};

/* What the command line asks for, also when it is not as libvirt's. */
enum kw_hook_kind kw_hook_kind_of_args(int argc, char **argv);

/*
 * Reads the call. True when that is all there is to do: ret_verdict is
 * KW_ADMITTED, or what to refuse with (kinds that cannot be refused may still get
 * a verdict worth printing). False when kvmwardd is to be asked: ret_attempt is
 * the caller's, to be ended by kw_attempt_done().
 */
bool kw_attempt_read(int argc, char **argv, const struct kw_hook_place *place,
		     struct kw_attempt *ret_attempt, struct kw_verdict *ret_verdict);

/* Asks kvmwardd once. True likewise; false when it gave no answer and one is needed. */
bool kw_attempt_first(struct kw_attempt *attempt, const struct kw_hook_place *place,
		      struct kw_verdict *ret_verdict);

/*
 * Asks once more, until deadline_ns (CLOCK_MONOTONIC). 0 with a verdict, or
 * negative errno, which is left in the attempt with its reason.
 */
int kw_attempt_again(struct kw_attempt *attempt, uint64_t deadline_ns,
		     struct kw_verdict *ret_verdict);

void kw_attempt_done(struct kw_attempt *attempt);

#endif
