// SPDX-License-Identifier: BSD-2-Clause
#include "delayq.h"

#include <stdlib.h>
#include <string.h>

void delayq_init(struct delayq *queue, size_t limit)
{
	memset(queue, 0, sizeof(*queue));
	queue->limit = limit;
}

static bool earlier(const struct delayed *a, const struct delayed *b)
{
	if (a->release_ns != b->release_ns)
		return a->release_ns < b->release_ns;
	return a->order < b->order;
}

static bool grow(struct delayq *queue)
{
	size_t room = queue->room ? queue->room * 2 : 64;
	struct delayed **heap = realloc(queue->heap, room * sizeof(*heap));

	if (!heap)
		return false;
	queue->heap = heap;
	queue->room = room;
	return true;
}

static void sift_up(struct delayq *queue, size_t at)
{
	struct delayed *item = queue->heap[at];

	while (at > 0 && earlier(item, queue->heap[(at - 1) / 2])) {
		queue->heap[at] = queue->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	queue->heap[at] = item;
}

static void sift_down(struct delayq *queue, struct delayed *item)
{
	size_t at = 0;
	size_t child;

	while ((child = at * 2 + 1) < queue->count) {
		if (child + 1 < queue->count && earlier(queue->heap[child + 1], queue->heap[child]))
			child++;
		if (!earlier(queue->heap[child], item))
			break;
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	queue->heap[at] = item;
}

bool delayq_push(struct delayq *queue, uint64_t release_ns, unsigned from, const uint8_t *frame,
		 size_t length)
{
	struct delayed *item;

	if (queue->count >= queue->limit || (queue->count == queue->room && !grow(queue)))
		return false;
	item = malloc(sizeof(*item) + length);
	if (!item)
		return false;
	item->release_ns = release_ns;
	item->order = queue->arrivals++;
	item->from = from;
	item->length = length;
	memcpy(item->frame, frame, length);
	queue->heap[queue->count] = item;
	sift_up(queue, queue->count++);
	return true;
}

const struct delayed *delayq_peek(const struct delayq *queue)
{
	return queue->count ? queue->heap[0] : NULL;
}

struct delayed *delayq_pop(struct delayq *queue)
{
	struct delayed *first;

	if (!queue->count)
		return NULL;
	first = queue->heap[0];
	queue->count--;
	if (queue->count)
		sift_down(queue, queue->heap[queue->count]);
	return first;
}

void delayq_free(struct delayq *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		free(queue->heap[i]);
	free(queue->heap);
	memset(queue, 0, sizeof(*queue));
}
