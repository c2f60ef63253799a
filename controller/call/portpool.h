/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The media ports of one address: pairs of an even port (RTP) and the one above it (RTCP). A pair
 * is free, reserved (in an SDP, not installed), held (installed) or resting (MP-16). Every call
 * costs the same whatever the number of pairs; the memory is taken once.
 *
 * Pairs are given out in a random order at first and afterwards in the order in which they came
 * back, so that none is used again before all others were.
 */
#ifndef SEGUE_CALL_PORTPOOL_H
#define SEGUE_CALL_PORTPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct portpool;

/*
 * Pairs that lie wholly in first..last. Those that are in use already are told with
 * portpool_seed_*() before portpool_open() frees the others. -EINVAL not one pair; -ENOMEM.
 */
int portpool_alloc(struct portpool **out, uint16_t first, uint16_t last);
void portpool_free(struct portpool *pool);

/* Ports outside the range are ignored, here and below. */
void portpool_seed_held(struct portpool *pool, uint16_t port);
void portpool_seed_resting(struct portpool *pool, uint16_t port, uint64_t due_ms);
/* `random` decides the order. */
void portpool_open(struct portpool *pool, uint64_t random);

/* A free pair becomes reserved; *port is its even one. -ENOSPC. */
int portpool_reserve(struct portpool *pool, uint64_t now_ms, uint16_t *port);
/* A reserved pair is free again; one in another state stays what it is. */
void portpool_release(struct portpool *pool, uint16_t port);
/* Is it an even port of the range, given out and not yet held? */
bool portpool_is_reserved(const struct portpool *pool, uint16_t port);
/* A reserved pair is held; one in another state stays what it is. */
void portpool_hold(struct portpool *pool, uint16_t port);
/* A reserved or held pair rests until due_ms; one in another state stays what it is. */
void portpool_rest(struct portpool *pool, uint16_t port, uint64_t due_ms);
/* Pairs that portpool_reserve() would give. */
size_t portpool_count_free(struct portpool *pool, uint64_t now_ms);

#endif
