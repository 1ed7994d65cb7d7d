/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_ENTRY_H
#define KW_POLICY_ENTRY_H

#include "model/domain.h"
#include "model/verdict.h"

/*
 * What bars a guest of any type, however much room there is: a move that is not
 * finished has marked its definition (it starts on the other host, or once the
 * move is over), or the host is being drained. False with the verdict then;
 * true leaves the verdict alone.
 */
bool kw_entry_admits(const struct kw_domain *domain, bool draining, struct kw_verdict *ret_verdict);

/*
 * Can a saved state of this guest be restored, whatever room there is? Not of an
 * encrypted one. As kw_entry_admits().
 */
bool kw_entry_restores(const struct kw_domain *domain, struct kw_verdict *ret_verdict);

/* The verdict of a host that is being drained. */
void kw_entry_shut(struct kw_verdict *ret_verdict);

#endif
