/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For kprobes that answer in place of the probed function: set regs->ip to
 * probe_return, set regs->ax, return 1.
 *
 * Where a kprobe sits on ftrace a changed stack pointer is ignored, so the
 * return address cannot be popped by the probe; a bare ret does it, as in
 * override_function_with_return().  And without a post_handler, even an empty
 * one, a kprobe may be optimised into a jump, and then ip is not honoured.
 */
#ifndef PROBE_RETURN_H
#define PROBE_RETURN_H

#include <linux/kprobes.h>
#include <asm/ibt.h>
#include <asm/linkage.h>

asm(".text\n"
    ".balign 16\n"
    ".type probe_return, @function\n"
    "probe_return:\n\t"
    ASM_ENDBR
    ASM_RET
    ".size probe_return, .-probe_return\n");
void probe_return(void);

static inline int probe_answer(struct pt_regs *regs, unsigned long value)
{
	regs->ax = value;
	regs->ip = (unsigned long)probe_return;
	return 1;
}

static void probe_post(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(probe_post);

#endif
