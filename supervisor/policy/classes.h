/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_CLASSES_H
#define KW_POLICY_CLASSES_H

#include "model/claim.h"
#include "model/config.h"
#include "model/domain.h"
#include "model/verdict.h"

/*
 * The class of a guest to come: the one that its metadata names, or else the
 * one that its partition is called by (/machine/gold), or else the default.
 * False with the verdict when the metadata names one that is not configured.
 */
bool kw_class_assign(const struct kw_config *config, const struct kw_domain *domain,
		     struct kw_claim *claim, struct kw_verdict *ret_verdict);

/*
 * The class of a guest that runs: that of its hold, or else the slice of
 * machine.slice that it is in, which only root and libvirt can put it into, or
 * else the default (NULL). Borrowed from the configuration.
 */
const struct kw_class *kw_class_of_guest(const struct kw_config *config,
					 const struct kw_hold_list *holds,
					 const struct kw_guest *guest);

/* The class of that name; NULL for the default, and for one that is configured no more. */
const struct kw_class *kw_class_find(const struct kw_config *config, const char *name);

/* The hold that this guest was admitted with; NULL when we did not admit it. */
const struct kw_hold *kw_class_hold(const struct kw_hold_list *holds, const struct kw_guest *guest);

#endif
