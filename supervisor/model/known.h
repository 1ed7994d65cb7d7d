/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_KNOWN_H
#define KW_MODEL_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

/* A number that may be unknown. Unknown is not zero: look at .known first. */
struct kw_u32 {
	bool known;
	uint32_t value;
};

struct kw_u64 {
	bool known;
	uint64_t value;
};

#define KW_U32(v) ((struct kw_u32){ .known = true, .value = (v) })
#define KW_U64(v) ((struct kw_u64){ .known = true, .value = (v) })

/* True only when known to be other than 0 / known to be 0. */
static inline bool kw_u32_yes(struct kw_u32 n)
{
	return n.known && n.value;
}

static inline bool kw_u32_no(struct kw_u32 n)
{
	return n.known && !n.value;
}

#endif
