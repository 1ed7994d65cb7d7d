/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_FACTS_H
#define KW_MODEL_FACTS_H

#include "model/cgroups.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/hugepages.h"
#include "model/nodes.h"
#include "model/slots.h"

/* Everything a decision is made on, read together. */
struct kw_facts {
	bool host_known;
	struct kw_host host;
	struct kw_slot_table slots;
	struct kw_guest_list guests;
	struct kw_u64 memory_total_bytes;	/* MemTotal of /proc/meminfo */
	struct kw_u64 hugetlb_bytes;		/* Hugetlb: all hugepage pools, used or not */
	struct kw_huge_pools huge;
	struct kw_nodes nodes;
	struct kw_cgroups cgroups;
	char reason[160];			/* why something is not known; "" otherwise */
};

/* Frees what the facts own and empties them; takes NULL. */
void kw_facts_done(struct kw_facts *facts);

#endif
