/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes that wait, in order, bounded. Of one key only the latest is kept, in the place of the
 * first, so that a call that comes and goes between two turns of the writer costs one write.
 */
#ifndef SEGUE_STORE_QUEUE_H
#define SEGUE_STORE_QUEUE_H

#include "base/hash.h"
#include "base/list.h"
#include "store/engine.h"

#define STORE_QUEUE_WRITES 65536u
#define STORE_QUEUE_BYTES (64u * 1024 * 1024)

struct store_queue {
	struct list items;
	struct hash index; /* puts and deletes by table and key */
	struct hash_seed seed;
	size_t count, bytes;
};

struct store_item {
	struct list node;
	struct hash_node index;
	struct store_write write; /* its texts point into `text` */
	size_t room;		  /* bytes of text */
	char text[];
};

/* 0 or a negative errno. */
int store_queue_init(struct store_queue *queue);
void store_queue_free(struct store_queue *queue);
/* Copies the write. 0, -ENOBUFS when it is full, -ENOMEM. */
int store_queue_add(struct store_queue *queue, const struct store_write *write);
/* The oldest, or NULL. */
struct store_item *store_queue_first(const struct store_queue *queue);
/* The one after it, or NULL. */
struct store_item *store_queue_next(const struct store_queue *queue, const struct store_item *item);
void store_queue_empty(struct store_queue *queue);
void store_queue_drop(struct store_queue *queue, struct store_item *item);

#endif
