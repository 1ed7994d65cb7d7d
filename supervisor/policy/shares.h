/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_SHARES_H
#define KW_POLICY_SHARES_H

#include "model/class.h"
#include "model/claim.h"
#include "model/config.h"
#include "model/facts.h"

/*
 * What each configured class and the default class has, of each pool that there
 * is and of the memory. Empty when no class is configured.
 */
void kw_shares_list(const struct kw_facts *facts, const struct kw_hold_list *holds,
		    const struct kw_config *config, struct kw_class_table *ret_table);

#endif
