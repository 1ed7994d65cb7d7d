/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_WAITING_H
#define KW_MODEL_WAITING_H

#include "model/claim.h"
#include "model/verdict.h"

/* A guest that waits for a slot and memory; the order of a list is that of their turns. */
struct kw_waiter {
	struct kw_claim claim;
	uint64_t since_ns;		/* CLOCK_BOOTTIME of its coming */
	struct kw_verdict verdict;	/* why it waits, as of the last look */
};

struct kw_waiter_list {
	struct kw_waiter *waiters;
	size_t count;
};

/* What somebody who waits is told. */
struct kw_place {
	uint32_t place, count;		/* 1 is next */
	struct kw_verdict verdict;
};

#endif
