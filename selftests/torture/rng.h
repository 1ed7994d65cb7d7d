/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers that come again: splitmix64, public domain by Sebastiano Vigna. */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Below `bound`, which is not 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	return rng_next(rng) % bound;
}

/* True once in `n` times. */
static inline bool rng_once_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}

/* A stream of its own for each number of each seed. */
static inline struct rng rng_of(uint64_t seed, uint64_t number)
{
	struct rng rng = { .state = seed };

	rng.state = rng_next(&rng) + number * 0xd1342543de82ef95;
	rng_next(&rng);
	return rng;
}

#endif
