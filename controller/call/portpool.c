// SPDX-License-Identifier: BSD-2-Clause
#include "call/portpool.h"

#include <errno.h>
#include <stdlib.h>

enum pair_state { PAIR_UNSEEN, PAIR_FREE, PAIR_RESERVED, PAIR_HELD, PAIR_RESTING };

struct resting {
	uint64_t due_ms;
	uint16_t pair;
};

/* A pair is in at most one of the two rings, so neither can run over. */
struct portpool {
	uint16_t first; /* even */
	uint16_t pairs;
	uint8_t *state; /* enum pair_state */
	uint16_t *free;
	size_t free_at, free_count;
	struct resting *rest;
	size_t rest_at, rest_count;
};

/* ---- the rings ------------------------------------------------------------------------------ */

static void push_free(struct portpool *pool, uint16_t pair)
{
	pool->state[pair] = PAIR_FREE;
	pool->free[(pool->free_at + pool->free_count++) % pool->pairs] = pair;
}

static uint16_t pop_free(struct portpool *pool)
{
	uint16_t pair = pool->free[pool->free_at];

	pool->free_at = (pool->free_at + 1) % pool->pairs;
	pool->free_count--;
	return pair;
}

static void push_rest(struct portpool *pool, uint16_t pair, uint64_t due_ms)
{
	pool->state[pair] = PAIR_RESTING;
	pool->rest[(pool->rest_at + pool->rest_count++) % pool->pairs] =
		(struct resting){.due_ms = due_ms, .pair = pair};
}

/* All rests are equally long, so the first in the ring ends first: a longer one that was seeded
 * holds the others up, by one rest at most. */
static void end_rests(struct portpool *pool, uint64_t now_ms)
{
	while (pool->rest_count && pool->rest[pool->rest_at].due_ms <= now_ms) {
		push_free(pool, pool->rest[pool->rest_at].pair);
		pool->rest_at = (pool->rest_at + 1) % pool->pairs;
		pool->rest_count--;
	}
}

/* ---- making --------------------------------------------------------------------------------- */

int portpool_alloc(struct portpool **out, uint16_t first, uint16_t last)
{
	uint32_t even = (first + 1u) & ~1u;
	struct portpool *pool;

	if (!first || even >= last)
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->first = (uint16_t)even;
	pool->pairs = (uint16_t)((last - even + 1) / 2);
	pool->state = calloc(pool->pairs, sizeof(*pool->state));
	pool->free = calloc(pool->pairs, sizeof(*pool->free));
	pool->rest = calloc(pool->pairs, sizeof(*pool->rest));
	if (!pool->state || !pool->free || !pool->rest) {
		portpool_free(pool);
		return -ENOMEM;
	}
	*out = pool;
	return 0;
}

void portpool_free(struct portpool *pool)
{
	if (!pool)
		return;
	free(pool->rest);
	free(pool->free);
	free(pool->state);
	free(pool);
}

/* Either port of a pair names it; false: not ours. */
static bool pair_of(const struct portpool *pool, uint16_t port, uint16_t *pair)
{
	if (port < pool->first || (port - pool->first) / 2 >= pool->pairs)
		return false;
	*pair = (uint16_t)((port - pool->first) / 2);
	return true;
}

void portpool_seed_held(struct portpool *pool, uint16_t port)
{
	uint16_t pair;

	if (pair_of(pool, port, &pair) && pool->state[pair] == PAIR_UNSEEN)
		pool->state[pair] = PAIR_HELD;
}

void portpool_seed_resting(struct portpool *pool, uint16_t port, uint64_t due_ms)
{
	uint16_t pair;

	if (pair_of(pool, port, &pair) && pool->state[pair] == PAIR_UNSEEN)
		push_rest(pool, pair, due_ms);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

void portpool_open(struct portpool *pool, uint64_t random)
{
	for (uint16_t pair = 0; pair < pool->pairs; pair++) {
		if (pool->state[pair] == PAIR_UNSEEN)
			push_free(pool, pair);
	}
	for (size_t left = pool->free_count; left > 1; left--) { /* Fisher and Yates */
		size_t other = next_random(&random) % left;
		uint16_t pair = pool->free[other];

		pool->free[other] = pool->free[left - 1];
		pool->free[left - 1] = pair;
	}
}

/* ---- use ------------------------------------------------------------------------------------ */

int portpool_reserve(struct portpool *pool, uint64_t now_ms, uint16_t *port)
{
	uint16_t pair;

	end_rests(pool, now_ms);
	if (!pool->free_count)
		return -ENOSPC;
	pair = pop_free(pool);
	pool->state[pair] = PAIR_RESERVED;
	*port = (uint16_t)(pool->first + 2 * pair);
	return 0;
}

void portpool_release(struct portpool *pool, uint16_t port)
{
	uint16_t pair;

	if (pair_of(pool, port, &pair) && pool->state[pair] == PAIR_RESERVED)
		push_free(pool, pair);
}

bool portpool_is_reserved(const struct portpool *pool, uint16_t port)
{
	uint16_t pair;

	return pair_of(pool, port, &pair) && port % 2 == 0 && pool->state[pair] == PAIR_RESERVED;
}

void portpool_hold(struct portpool *pool, uint16_t port)
{
	if (portpool_is_reserved(pool, port))
		pool->state[(port - pool->first) / 2] = PAIR_HELD;
}

void portpool_rest(struct portpool *pool, uint16_t port, uint64_t due_ms)
{
	uint16_t pair;

	if (pair_of(pool, port, &pair) &&
	    (pool->state[pair] == PAIR_RESERVED || pool->state[pair] == PAIR_HELD))
		push_rest(pool, pair, due_ms);
}

size_t portpool_count_free(struct portpool *pool, uint64_t now_ms)
{
	end_rests(pool, now_ms);
	return pool->free_count;
}
