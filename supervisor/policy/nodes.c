/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that may only come from certain NUMA nodes. What is bound to a part of a
 * set of nodes is taken off the set; what may come from elsewhere too is not,
 * since it gives way. Who is bound to what is known of guests that were admitted
 * here: others count for the host as a whole only.
 */
#include "policy/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* What of a claim is bound to nodes of this set. */
static uint64_t bound_bytes(const struct kw_question *q, const struct kw_claim *claim,
			    uint64_t nodes)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < KW_BOUND_MAX; i++)
		if (!(claim->bound[i].nodes & ~nodes))
			bytes = kw_add(bytes, claim->bound[i].bytes);
	return claim->type == KW_GUEST_PLAIN ? kw_overcommitted(q->config, bytes) : bytes;
}

static uint64_t taken_bytes(const struct kw_question *q, uint64_t nodes)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < q->holds->count; i++)
		if (!kw_is_own_hold(q, &q->holds->holds[i]))
			bytes = kw_add(bytes, bound_bytes(q, &q->holds->holds[i].claim, nodes));
	return bytes;
}

static uint64_t sum_of(const uint64_t bytes[KW_NODES_MAX], uint64_t nodes)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < KW_NODES_MAX; i++)
		if (nodes >> i & 1)
			sum = kw_add(sum, bytes[i]);
	return sum;
}

/* "0,2" */
static const char *names_of(char *to, size_t to_size, uint64_t nodes)
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned int i = 0; i < KW_NODES_MAX && used < to_size; i++)
		if (nodes >> i & 1)
			used += (size_t)snprintf(to + used, to_size - used, "%s%u", used ? "," : "", i);
	return to;
}

static bool refuse(const struct kw_question *q, uint64_t nodes, uint64_t need_bytes,
		   uint64_t left_bytes, struct kw_verdict *ret_verdict)
{
	char need[32], left[32], total[32], pools[32], taken[32], names[64];

	kw_verdict_set(ret_verdict, KW_MEMORY_FULL,
		       "<numatune> binds %s of the guest to NUMA node %s, and %s are left there: of "
		       "%s, %s are hugepages, guests bound there have or are promised %s; stop one of "
		       "them, bind this one to other nodes, or give it less memory",
		       kw_text_bytes(need, sizeof(need), need_bytes),
		       names_of(names, sizeof(names), nodes),
		       kw_text_bytes(left, sizeof(left), left_bytes),
		       kw_text_bytes(total, sizeof(total), sum_of(q->facts->nodes.total_bytes, nodes)),
		       kw_text_bytes(pools, sizeof(pools), sum_of(q->facts->nodes.pools_bytes, nodes)),
		       kw_text_bytes(taken, sizeof(taken), taken_bytes(q, nodes)));
	return false;
}

static bool set_free(const struct kw_question *q, const struct kw_claim *claim, uint64_t nodes,
		     struct kw_verdict *ret_verdict)
{
	uint64_t need = bound_bytes(q, claim, nodes), left;

	if (nodes & ~q->facts->nodes.known) {
		if (claim->type == KW_GUEST_PLAIN && q->config->admit_plain_unasked)
			return true;
		return kw_refuse_unknown(q->facts, "how much memory the guest's NUMA nodes have",
					 ret_verdict);
	}
	left = kw_less(sum_of(q->facts->nodes.total_bytes, nodes),
		       kw_add(sum_of(q->facts->nodes.pools_bytes, nodes), taken_bytes(q, nodes)));
	return need <= left || refuse(q, nodes, need, left, ret_verdict);
}

bool kw_nodes_free(const struct kw_question *q, const struct kw_claim *claim,
		   struct kw_verdict *ret_verdict)
{
	for (size_t i = 0; i < KW_BOUND_MAX && claim->bound[i].bytes; i++)
		if (!set_free(q, claim, claim->bound[i].nodes, ret_verdict))
			return false;
	return true;
}
