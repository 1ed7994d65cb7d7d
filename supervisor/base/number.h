/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_NUMBER_H
#define KW_BASE_NUMBER_H

#include <stdint.h>

/* Stops at the largest number: a sum that wrapped into little would be admitted. */
static inline uint64_t kw_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What is left of a without b; 0 when b is more. */
static inline uint64_t kw_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t kw_larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
