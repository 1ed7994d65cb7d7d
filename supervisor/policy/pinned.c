/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/pinned.h"

#include "base/number.h"

enum kw_pinned kw_pinned_compare(const struct kw_hold *hold, const struct kw_guest *guest)
{
	const struct kw_claim *claim = &hold->claim;
	uint64_t most = hold->started ? kw_add(claim->pinned_bytes, claim->plug_bytes)
				      : claim->memlock_bytes;

	if (!claim->pinned_bytes || !guest->pinned_bytes.known)
		return KW_PINNED_AS_CLAIMED;
	if (guest->pinned_bytes.value > most)
		return KW_PINNED_MORE;
	if (hold->started && kw_add(guest->pinned_bytes.value, KW_PINNED_SPARE_BYTES) <
				     claim->pinned_bytes)
		return KW_PINNED_LESS;
	return KW_PINNED_AS_CLAIMED;
}
