/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that wait for their time: a binary heap, ordered by release time, then by arrival. */
#ifndef TEST_DELAYQ_H
#define TEST_DELAYQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delayed {
	uint64_t release_ns; /* CLOCK_MONOTONIC */
	uint64_t order;	     /* of arrival: equal times leave in this order */
	unsigned from;	     /* end it came in at: 0 or 1 */
	size_t length;
	uint8_t frame[];
};

struct delayq {
	struct delayed **heap; /* owns its elements */
	size_t count, room;
	size_t limit; /* frames */
	uint64_t arrivals;
};

void delayq_init(struct delayq *queue, size_t limit);
/* Copies the frame. False when the queue is full. */
bool delayq_push(struct delayq *queue, uint64_t release_ns, unsigned from, const uint8_t *frame,
		 size_t length);
/* The next to be released; NULL when empty. Stays in the queue. */
const struct delayed *delayq_peek(const struct delayq *queue);
/* Takes out the next; the caller frees it. NULL when empty. */
struct delayed *delayq_pop(struct delayq *queue);
void delayq_free(struct delayq *queue);

#endif
