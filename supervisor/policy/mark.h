/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MARK_H
#define KW_POLICY_MARK_H

#include "model/domain.h"
#include "model/verdict.h"

/*
 * False with the verdict when a move has marked this definition: the guest, of
 * whatever type, starts on the other host or after the move is finished or
 * undone. True leaves the verdict alone.
 */
bool kw_mark_admits(const struct kw_domain *domain, struct kw_verdict *ret_verdict);

#endif
