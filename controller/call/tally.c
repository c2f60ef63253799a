// SPDX-License-Identifier: BSD-2-Clause
/* Counters by name, which live as long as they are not zero. */
#include "call/tally.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

struct tally_entry {
	struct hash_node node;
	size_t calls;
	enum tally_kind kind;
	size_t length;
	char name[];
};

int tally_init(struct tally *tally, const struct hash_seed *seed)
{
	tally->seed = *seed;
	return hash_init(&tally->table);
}

void tally_free(struct tally *tally)
{
	hash_free(&tally->table);
}

static struct tally_entry *find(const struct tally *tally, enum tally_kind kind, struct str name,
				uint64_t key)
{
	struct hash_node *node = hash_first(&tally->table, key);

	for (; node; node = hash_next(node)) {
		struct tally_entry *entry = container_of(node, struct tally_entry, node);

		if (entry->kind == kind && str_eq((struct str){entry->name, entry->length}, name))
			return entry;
	}
	return NULL;
}

struct tally_entry *tally_take(struct tally *tally, enum tally_kind kind, struct str name)
{
	uint64_t key = hash_text(&tally->seed, name);
	struct tally_entry *entry = find(tally, kind, name, key);

	if (!entry) {
		entry = calloc(1, sizeof(*entry) + name.n);
		if (!entry)
			return NULL;
		entry->kind = kind;
		entry->length = name.n;
		memcpy(entry->name, name.p, name.n);
		hash_add(&tally->table, &entry->node, key);
	}
	entry->calls++;
	return entry;
}

void tally_give(struct tally *tally, struct tally_entry *entry)
{
	if (!entry || --entry->calls)
		return;
	hash_remove(&tally->table, &entry->node);
	free(entry);
}

size_t tally_of(const struct tally *tally, enum tally_kind kind, struct str name)
{
	const struct tally_entry *entry = find(tally, kind, name, hash_text(&tally->seed, name));

	return entry ? entry->calls : 0;
}
