/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_HUGEPAGES_H
#define KW_MODEL_HUGEPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No architecture that KVM runs on has more sizes. */
#define KW_HUGE_SIZES 4

/* Memory of a guest that is drawn from the pool of one page size. */
struct kw_huge_part {
	uint64_t page_bytes;	/* 0: of the host's default size */
	uint64_t bytes;		/* 0: nothing */
};

/*
 * Pages that there are. What the kernel may make besides (nr_overcommit_hugepages)
 * is other memory yet, which is given out by another sum, and may not be had.
 */
struct kw_huge_pool {
	uint64_t page_bytes;
	uint64_t total_pages, free_pages;
	uint64_t reserved_pages;	/* of the free ones, mapped by somebody and not touched yet */
};

struct kw_huge_pools {
	bool known;
	struct kw_huge_pool pools[KW_HUGE_SIZES];
	size_t count;
	uint64_t default_page_bytes;	/* 0: not known */
};

#endif
