/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_KNOWN_H
#define KVMWARD_KNOWN_H

#include <linux/types.h>

/* A number that may be unknown. Unknown is not zero: it is never sent. */
struct kvmward_u32 {
	u32 value;
	bool known;
};

struct kvmward_u64 {
	u64 value;
	bool known;
};

static inline struct kvmward_u32 kvmward_u32(u32 value)
{
	return (struct kvmward_u32){ .value = value, .known = true };
}

static inline struct kvmward_u64 kvmward_u64(u64 value)
{
	return (struct kvmward_u64){ .value = value, .known = true };
}

/* True only when known to be other than 0. */
static inline bool kvmward_yes(struct kvmward_u32 number)
{
	return number.known && number.value;
}

#endif
