// SPDX-License-Identifier: BSD-2-Clause
#include "store/queue.h"

#include <errno.h>
#include <stdlib.h>

/* Room beyond what is needed: a later value of the same key mostly is a little longer. */
#define SLACK 64u

int store_queue_init(struct store_queue *queue)
{
	int error = hash_seed_make(&queue->seed);

	list_init(&queue->items);
	queue->count = queue->bytes = 0;
	return error ? error : hash_init(&queue->index);
}

struct store_item *store_queue_first(const struct store_queue *queue)
{
	return queue->count ? container_of(queue->items.next, struct store_item, node) : NULL;
}

struct store_item *store_queue_next(const struct store_queue *queue, const struct store_item *item)
{
	if (item->node.next == &queue->items)
		return NULL;
	return container_of(item->node.next, struct store_item, node);
}

void store_queue_drop(struct store_queue *queue, struct store_item *item)
{
	list_remove(&item->node);
	if (item->write.verb != STORE_CDR)
		hash_remove(&queue->index, &item->index);
	queue->count--;
	queue->bytes -= item->room;
	free(item);
}

void store_queue_empty(struct store_queue *queue)
{
	struct store_item *item = store_queue_first(queue), *next;

	for (; item; item = next) {
		next = store_queue_next(queue, item);
		store_queue_drop(queue, item);
	}
}

void store_queue_free(struct store_queue *queue)
{
	store_queue_empty(queue);
	hash_free(&queue->index);
}

static void copy(char **to, struct str *text)
{
	if (text->n)
		memcpy(*to, text->p, text->n);
	text->p = *to;
	*to += text->n;
}

static size_t text_size(const struct store_write *write)
{
	const struct store_cdr *cdr = &write->cdr;

	if (write->verb != STORE_CDR)
		return write->key.n + write->value.n;
	return cdr->call_id.n + cdr->caller.n + cdr->callee.n + cdr->reason.n + cdr->details.n;
}

static void fill(struct store_item *item, const struct store_write *write)
{
	struct store_cdr *cdr = &item->write.cdr;
	char *to = item->text;

	item->write = *write;
	if (write->verb == STORE_CDR) {
		copy(&to, &cdr->call_id);
		copy(&to, &cdr->caller);
		copy(&to, &cdr->callee);
		copy(&to, &cdr->reason);
		copy(&to, &cdr->details);
	} else {
		copy(&to, &item->write.key);
		copy(&to, &item->write.value);
	}
}

static uint64_t index_key(const struct store_queue *queue, const struct store_write *write)
{
	return hash_text(&queue->seed, write->key) + (uint64_t)write->table;
}

static struct store_item *find(const struct store_queue *queue, uint64_t key,
			       const struct store_write *write)
{
	for (struct hash_node *node = hash_first(&queue->index, key); node;
	     node = hash_next(node)) {
		struct store_item *item = container_of(node, struct store_item, index);

		if (item->write.table == write->table && str_eq(item->write.key, write->key))
			return item;
	}
	return NULL;
}

int store_queue_add(struct store_queue *queue, const struct store_write *write)
{
	bool keyed = write->verb != STORE_CDR;
	uint64_t key = keyed ? index_key(queue, write) : 0;
	struct store_item *same = keyed ? find(queue, key, write) : NULL, *item;
	size_t size = text_size(write), room = size + (write->verb == STORE_PUT ? SLACK : 0);

	if (same && size <= same->room) {
		fill(same, write);
		return 0;
	}
	if ((!same && queue->count == STORE_QUEUE_WRITES) ||
	    room > STORE_QUEUE_BYTES - queue->bytes)
		return -ENOBUFS;
	item = malloc(sizeof(*item) + room);
	if (!item)
		return -ENOMEM;
	item->room = room;
	fill(item, write);
	/* In the place of the one that it replaces: behind it, and that one leaves. */
	list_append(same ? same->node.next : &queue->items, &item->node);
	if (same)
		store_queue_drop(queue, same);
	if (keyed)
		hash_add(&queue->index, &item->index, key);
	queue->count++;
	queue->bytes += room;
	return 0;
}
