/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/drain.h"

static void judge(struct kw_drain_guest *guest, size_t destination, const struct kw_move_wish *wish)
{
	kw_move_judge(&guest->facts[destination], wish, &guest->plans[destination]);
}

size_t kw_drain_candidates(struct kw_drain_guest *guests, size_t count, size_t destination,
			   const struct kw_move_wish *wish, size_t *ret_indices)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (guests[i].goes)
			continue;
		guests[i].facts[destination].plan.code = KW_ADMITTED;
		judge(&guests[i], destination, wish);
		if (guests[i].plans[destination].possible)
			ret_indices[found++] = i;
	}
	return found;
}

void kw_drain_settle(struct kw_drain_guest *guests, size_t destination,
		     const struct kw_move_wish *wish, const size_t *indices, size_t count,
		     const struct kw_verdict *verdicts)
{
	for (size_t i = 0; i < count; i++) {
		struct kw_drain_guest *guest = &guests[indices[i]];

		if (verdicts)
			guest->facts[destination].plan = verdicts[i];
		judge(guest, destination, wish);
		guest->goes = guest->plans[destination].possible;
		guest->destination = destination;
	}
}
