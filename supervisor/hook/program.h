/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_PROGRAM_H
#define KW_HOOK_PROGRAM_H

#include "hook/attempt.h"

/*
 * The last resort, since the hook's start: it ends, whatever hangs. What can be
 * refused is refused then, unless it is known by then that it may start unasked.
 */
#define KW_HOOK_ALARM_NS (1900 * KW_NS_PER_MS)

void kw_hook_alarm_admits(void);

typedef void kw_hook_answerer(int argc, char **argv, const struct kw_hook_place *place,
			      struct kw_verdict *ret_verdict);

/*
 * What both hook programs are around their answer: the alarm, descriptors that
 * libvirt left closed, one line on standard error. The program's exit status.
 */
int kw_hook_program(int argc, char **argv, kw_hook_answerer *answerer);

#endif
