/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of nodes inside the objects. It grows a few buckets at a time, so that no call ever
 * pays for all; keys are hashed with a secret, so that nobody outside can choose the bucket.
 */
#ifndef SEGUE_HASH_H
#define SEGUE_HASH_H

#include "base/str.h"

struct hash_node {
	struct hash_node *next;
	uint64_t key;
};

struct hash_seed {
	uint64_t k0, k1;
};

struct hash {
	struct hash_node **bucket, **old; /* `old` is being moved into `bucket` */
	size_t mask, old_mask, moved;	  /* old buckets below `moved` are empty */
	size_t count;
};

/* Random, from the kernel. 0 or a negative errno. */
int hash_seed_make(struct hash_seed *seed);
/* SipHash-2-4 of the text. */
uint64_t hash_text(const struct hash_seed *seed, struct str text);
/* To hash several parts: start with hash_text() of the first. */
uint64_t hash_more(const struct hash_seed *seed, uint64_t so_far, struct str text);

/* 0 or -ENOMEM. */
int hash_init(struct hash *hash);
/* The nodes stay with their objects. */
void hash_free(struct hash *hash);
/* Several nodes may have one key. Never fails: when memory for growing is missing, it grows later.
 */
void hash_add(struct hash *hash, struct hash_node *node, uint64_t key);
/* Does nothing when the node is not in the table (zeroed). */
void hash_remove(struct hash *hash, struct hash_node *node);
/* The nodes with that key: first one, and the next one after it; NULL at the end. */
struct hash_node *hash_first(const struct hash *hash, uint64_t key);
struct hash_node *hash_next(const struct hash_node *node);
/*
 * Visits all; the visited node may be removed inside, others not. *cursor starts at 0. NULL at the
 * end. To remove others or add inside, collect first.
 */
struct hash_node *hash_walk(const struct hash *hash, size_t *cursor, struct hash_node *after);

#endif
