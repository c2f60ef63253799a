// SPDX-License-Identifier: BSD-2-Clause
/*
 * What devices were found to know of the Handover extension, by a hash of their name, for an hour
 * (HH-8). A ring: the oldest makes room.
 */
#include <errno.h>
#include <stdlib.h>

#include "call/assist.h"

#define DEVICES 16384u

struct device {
	struct hash_node node;
	uint64_t until_ms; /* 0: not used yet */
	bool knows;
};

struct assist_cache {
	struct hash_seed seed;
	struct hash table;
	unsigned next;
	struct device device[DEVICES];
};

int assist_cache_alloc(struct assist_cache **out, const struct hash_seed *seed)
{
	struct assist_cache *cache = calloc(1, sizeof(*cache));
	int ret = cache ? hash_init(&cache->table) : -ENOMEM;

	if (ret) {
		free(cache);
		return ret;
	}
	cache->seed = *seed;
	*out = cache;
	return 0;
}

void assist_cache_free(struct assist_cache *cache)
{
	if (!cache)
		return;
	hash_free(&cache->table);
	free(cache);
}

static struct device *find(const struct assist_cache *cache, uint64_t key)
{
	struct hash_node *node = hash_first(&cache->table, key);

	return node ? container_of(node, struct device, node) : NULL;
}

void assist_cache_put(struct assist_cache *cache, struct str device, bool knows)
{
	uint64_t key = hash_text(&cache->seed, device);
	struct device *entry = find(cache, key);

	if (!entry) {
		entry = &cache->device[cache->next++ % DEVICES];
		hash_remove(&cache->table, &entry->node);
		hash_add(&cache->table, &entry->node, key);
	}
	entry->until_ms = wheel_now_ms() + ASSIST_KNOWN_MS;
	entry->knows = knows;
}

enum assist_known assist_cache_find(const struct assist_cache *cache, struct str device)
{
	const struct device *entry = find(cache, hash_text(&cache->seed, device));

	if (!entry || wheel_now_ms() > entry->until_ms)
		return ASSIST_UNKNOWN;
	return entry->knows ? ASSIST_KNOWS : ASSIST_KNOWS_NOT;
}
