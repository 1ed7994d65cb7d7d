/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_CLASS_H
#define KW_MODEL_CLASS_H

#include <stddef.h>

#include "model/known.h"
#include "model/slots.h"

#define KW_CLASS_MAX 16			/* sections [class NAME] */
#define KW_CLASS_NAME_MAX 33		/* with the final 0 */

/* What is set aside for the guests of one class, and the most that they may have. */
struct kw_class {
	char name[KW_CLASS_NAME_MAX];
	uint32_t reserve[KW_POOL_COUNT];
	struct kw_u32 limit[KW_POOL_COUNT];	/* unknown: none */
	uint64_t memory_reserve_bytes;
	struct kw_u64 memory_limit_bytes;	/* unknown: none */
};

/* How much of one thing a class has. */
enum kw_class_thing { KW_CLASS_SLOTS, KW_CLASS_MEMORY };

struct kw_class_use {
	char class_name[KW_CLASS_NAME_MAX];	/* "" is the default class */
	enum kw_class_thing thing;
	enum kw_pool pool;		/* of KW_CLASS_SLOTS */
	uint64_t used, reserve;		/* used: by guests that run and by pending holds */
	struct kw_u64 limit;		/* unknown: none */
};

/* Every class and, behind them, the default class; each pool that there is, and the memory. */
struct kw_class_table {
	struct kw_class_use uses[(KW_CLASS_MAX + 1) * (KW_POOL_COUNT + 1)];
	size_t count;			/* 0: no class is configured */
};

/* "sev", "sev-es", "snp" or "memory": what is used, on the bus and in JSON. */
const char *kw_class_thing_name(const struct kw_class_use *use);

#endif
