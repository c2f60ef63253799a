// SPDX-License-Identifier: BSD-2-Clause
/*
 * Open addressing by buckets. A node that found its bucket full went on to the next, and each
 * bucket that it passed counts it: so nothing has to be shifted, or marked, when a node leaves.
 */
#include "sip/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FIRST_BUCKETS 256u
#define MOVE_STEP 2u /* old buckets moved by each addition: done before the next growth is due */
#define CACHE_LINE 64u
#define HUGE_PAGE (2u * 1024 * 1024)

/* Pointers have 48 bits, of which the last three are zero. */
#define TAG_BITS 19u
#define TAG_MASK ((1u << TAG_BITS) - 1)

_Static_assert(sizeof(struct tx_bucket) == CACHE_LINE, "a bucket is one cache line");
_Static_assert(_Alignof(struct tx_node) >= 8, "three bits of a pointer are free");

static struct tx_buckets buckets_alloc(size_t count)
{
	size_t bytes = count * sizeof(struct tx_bucket);
	/* A large table in small pages costs a page walk beside each look-up. */
	size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
	struct tx_buckets buckets = {.mask = count - 1, .memory = calloc(1, bytes + align)};
	char *begin = buckets.memory;

	if (!begin)
		return buckets;
	begin += (align - (uintptr_t)begin % align) % align;
	if (align == HUGE_PAGE)
		madvise(begin, bytes, MADV_HUGEPAGE);
	buckets.bucket = (struct tx_bucket *)(void *)begin;
	return buckets;
}

int tx_table_init(struct tx_table *table)
{
	*table = (struct tx_table){.now = buckets_alloc(FIRST_BUCKETS)};
	return table->now.bucket ? 0 : -ENOMEM;
}

void tx_table_free(struct tx_table *table)
{
	free(table->now.memory);
	free(table->old.memory);
	*table = (struct tx_table){0};
}

/* ---- entries --------------------------------------------------------------------------------- */

static uint64_t entry_of(const struct tx_node *node)
{
	return (uint64_t)(uintptr_t)node >> 3 << TAG_BITS | (node->key.check >> 32 & TAG_MASK);
}

static struct tx_node *node_of(uint64_t entry)
{
	return (struct tx_node *)(uintptr_t)(entry >> TAG_BITS << 3);
}

/* Into the first bucket from its own on that has room; there is one. */
static void put(struct tx_buckets *buckets, const struct tx_node *node)
{
	for (size_t at = node->key.bucket & buckets->mask;; at = (at + 1) & buckets->mask) {
		struct tx_bucket *bucket = &buckets->bucket[at];

		for (unsigned i = 0; i < TX_BUCKET; i++) {
			if (bucket->entry[i])
				continue;
			bucket->entry[i] = entry_of(node);
			bucket->check[i] = (uint32_t)node->key.check;
			return;
		}
		bucket->passed++;
	}
}

static bool holds(const struct tx_bucket *bucket, uint64_t entry, unsigned *i)
{
	for (*i = 0; *i < TX_BUCKET; ++*i)
		if (bucket->entry[*i] == entry)
			return true;
	return false;
}

/* False: it is not among these. */
static bool take(struct tx_buckets *buckets, const struct tx_node *node)
{
	const size_t home = node->key.bucket & buckets->mask;
	const uint64_t entry = entry_of(node);
	size_t at = home;
	unsigned i;

	for (size_t n = 0; !holds(&buckets->bucket[at], entry, &i); n++) {
		if (!buckets->bucket[at].passed || n == buckets->mask)
			return false;
		at = (at + 1) & buckets->mask;
	}
	buckets->bucket[at].entry[i] = 0;
	for (size_t passed = home; passed != at; passed = (passed + 1) & buckets->mask)
		buckets->bucket[passed].passed--;
	return true;
}

static struct tx_node *find(const struct tx_buckets *buckets, struct tx_key key)
{
	const uint64_t tag = key.check >> 32 & TAG_MASK;
	size_t at = key.bucket & buckets->mask;

	for (size_t n = 0; n <= buckets->mask; n++, at = (at + 1) & buckets->mask) {
		const struct tx_bucket *bucket = &buckets->bucket[at];

		for (unsigned i = 0; i < TX_BUCKET; i++) {
			if (bucket->check[i] == (uint32_t)key.check && bucket->entry[i] &&
			    (bucket->entry[i] & TAG_MASK) == tag)
				return node_of(bucket->entry[i]);
		}
		if (!bucket->passed)
			return NULL;
	}
	return NULL;
}

/* ---- growing --------------------------------------------------------------------------------- */

/* What the old ones have counted as passed stays: a search there goes too far, at worst. */
static void move_some(struct tx_table *table)
{
	for (unsigned step = 0; table->old.bucket && step < MOVE_STEP; step++) {
		struct tx_bucket *bucket = &table->old.bucket[table->moved++];

		for (unsigned i = 0; i < TX_BUCKET; i++) {
			if (bucket->entry[i])
				put(&table->now, node_of(bucket->entry[i]));
			bucket->entry[i] = 0;
		}
		if (table->moved > table->old.mask) {
			free(table->old.memory);
			table->old = (struct tx_buckets){0};
		}
	}
}

static size_t room(const struct tx_buckets *buckets)
{
	return (buckets->mask + 1) * TX_BUCKET;
}

/* Four fifths full: time to grow. */
static void grow(struct tx_table *table)
{
	struct tx_buckets bigger;

	if (table->old.bucket || table->count < room(&table->now) / 5 * 4)
		return;
	bigger = buckets_alloc(2 * (table->now.mask + 1));
	if (!bigger.bucket)
		return;
	table->old = table->now;
	table->now = bigger;
	table->moved = 0;
}

/* ---- the door -------------------------------------------------------------------------------- */

int tx_add(struct tx_table *table, struct tx_node *node, struct tx_key key)
{
	grow(table);
	move_some(table);
	if (table->count >= room(&table->now))
		return -ENOMEM;
	node->key = key;
	put(&table->now, node);
	table->count++;
	return 0;
}

struct tx_node *tx_find(const struct tx_table *table, struct tx_key key)
{
	struct tx_node *node = find(&table->now, key);

	return node || !table->old.bucket ? node : find(&table->old, key);
}

void tx_remove(struct tx_table *table, const struct tx_node *node)
{
	if (take(&table->now, node) || (table->old.bucket && take(&table->old, node)))
		table->count--;
}

struct tx_node *tx_walk(const struct tx_table *table, size_t *cursor)
{
	size_t now = room(&table->now), old = table->old.bucket ? room(&table->old) : 0;

	while (*cursor < now + old) {
		size_t at = (*cursor)++, in_old = at < now ? 0 : at - now;
		uint64_t entry =
			at < now ? table->now.bucket[at / TX_BUCKET].entry[at % TX_BUCKET]
				 : table->old.bucket[in_old / TX_BUCKET].entry[in_old % TX_BUCKET];

		if (entry)
			return node_of(entry);
	}
	return NULL;
}
