/* SPDX-License-Identifier: BSD-2-Clause */
/* xorshift64*: the same numbers from the same seed on every machine. */
#ifndef SEGUE_TESTS_RNG_H
#define SEGUE_TESTS_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_seed(struct rng *rng, uint64_t seed)
{
	rng->state = seed ? seed : 0x9E3779B97F4A7C15ull;
}

static inline uint64_t rng_u64(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545F4914F6CDD1Dull;
}

/* 0..bound-1; the bias of the modulo is of no concern here. */
static inline uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	return (uint32_t)(rng_u64(rng) >> 33) % bound;
}

static inline bool rng_one_in(struct rng *rng, uint32_t n)
{
	return rng_below(rng, n) == 0;
}

#endif
