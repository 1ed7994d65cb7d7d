/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_NODES_H
#define KW_MODEL_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NUMA nodes of the host; in a set of them bit N is node N. */
#define KW_NODES_MAX 64
/* So many different sets one guest may be bound to. */
#define KW_BOUND_MAX 8

/* Memory of a guest, not of hugepages, that may only come from these nodes. */
struct kw_bound_part {
	uint64_t nodes;
	uint64_t bytes;		/* 0: nothing */
};

struct kw_nodes {
	uint64_t known;		/* the set of nodes that are there, and known */
	uint64_t total_bytes[KW_NODES_MAX];
	uint64_t pools_bytes[KW_NODES_MAX];	/* in hugepages of all sizes, used or not */
};

#endif
