// SPDX-License-Identifier: BSD-2-Clause
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define FIRST_SIZE 64u
#define MOVE_STEP 4u /* old buckets moved by each change: done before the next growth is due */

int hash_seed_make(struct hash_seed *seed)
{
	return getrandom(seed, sizeof(*seed), 0) == (ssize_t)sizeof(*seed) ? 0 : -EIO;
}

/* ---- SipHash-2-4 (Aumasson and Bernstein) -----------------------------------------------------
 */

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(struct sip_state *s, unsigned count)
{
	while (count--) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static void absorb(struct sip_state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

uint64_t hash_text(const struct hash_seed *seed, struct str text)
{
	struct sip_state s = {seed->k0 ^ 0x736f6d6570736575ull, seed->k1 ^ 0x646f72616e646f6dull,
			      seed->k0 ^ 0x6c7967656e657261ull, seed->k1 ^ 0x7465646279746573ull};
	uint64_t word, last = (uint64_t)text.n << 56;

	for (; text.n >= sizeof(word); text.p += sizeof(word), text.n -= sizeof(word)) {
		memcpy(&word, text.p, sizeof(word));
		absorb(&s, word);
	}
	for (size_t i = 0; i < text.n; i++)
		last |= (uint64_t)(unsigned char)text.p[i] << 8 * i;
	absorb(&s, last);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_more(const struct hash_seed *seed, uint64_t so_far, struct str text)
{
	const struct hash_seed chained = {seed->k0 ^ so_far, seed->k1};

	return hash_text(&chained, text);
}

/* ---- the table --------------------------------------------------------------------------------
 */

int hash_init(struct hash *hash)
{
	*hash = (struct hash){.mask = FIRST_SIZE - 1};
	hash->bucket = calloc(FIRST_SIZE, sizeof(*hash->bucket));
	return hash->bucket ? 0 : -ENOMEM;
}

void hash_free(struct hash *hash)
{
	free(hash->bucket);
	free(hash->old);
	*hash = (struct hash){0};
}

static void push(struct hash_node **bucket, struct hash_node *node)
{
	node->next = *bucket;
	*bucket = node;
}

static void move_some(struct hash *hash)
{
	for (unsigned i = 0; hash->old && i < MOVE_STEP; i++) {
		for (struct hash_node *node = hash->old[hash->moved], *next; node; node = next) {
			next = node->next;
			push(&hash->bucket[node->key & hash->mask], node);
		}
		hash->old[hash->moved++] = NULL;
		if (hash->moved > hash->old_mask) {
			free(hash->old);
			hash->old = NULL;
		}
	}
}

static void grow(struct hash *hash)
{
	struct hash_node **bigger;

	if (hash->old || hash->count <= hash->mask)
		return;
	bigger = calloc(2 * (hash->mask + 1), sizeof(*bigger));
	if (!bigger)
		return;
	hash->old = hash->bucket;
	hash->old_mask = hash->mask;
	hash->moved = 0;
	hash->bucket = bigger;
	hash->mask = 2 * hash->mask + 1;
}

/* The bucket that holds nodes of this key now. */
static struct hash_node **bucket_of(const struct hash *hash, uint64_t key)
{
	if (hash->old && (key & hash->old_mask) >= hash->moved)
		return &hash->old[key & hash->old_mask];
	return &hash->bucket[key & hash->mask];
}

void hash_add(struct hash *hash, struct hash_node *node, uint64_t key)
{
	node->key = key;
	grow(hash);
	move_some(hash);
	push(bucket_of(hash, key), node);
	hash->count++;
}

void hash_remove(struct hash *hash, struct hash_node *node)
{
	struct hash_node **at = bucket_of(hash, node->key);

	while (*at && *at != node)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = node->next;
	node->next = NULL;
	hash->count--;
}

static struct hash_node *skip_to(struct hash_node *node, uint64_t key)
{
	while (node && node->key != key)
		node = node->next;
	return node;
}

struct hash_node *hash_first(const struct hash *hash, uint64_t key)
{
	return skip_to(*bucket_of(hash, key), key);
}

struct hash_node *hash_next(const struct hash_node *node)
{
	return skip_to(node->next, node->key);
}

struct hash_node *hash_walk(const struct hash *hash, size_t *cursor, struct hash_node *after)
{
	size_t old = hash->old ? hash->old_mask + 1 : 0;

	while (!after && *cursor < old + hash->mask + 1) {
		after = *cursor < old ? hash->old[*cursor] : hash->bucket[*cursor - old];
		++*cursor;
	}
	return after;
}
