/* SPDX-License-Identifier: BSD-2-Clause */
#include "flight.h"

static bool earlier(const struct generator_flight *a, const struct generator_flight *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static void swap(struct generator_flight *a, struct generator_flight *b)
{
	struct generator_flight held = *a;

	*a = *b;
	*b = held;
}

void flight_push(struct generator *generator, struct generator_flight copy)
{
	struct generator_flight *heap = generator->flight;
	size_t at = generator->flying;

	if (at == GENERATOR_FLIGHT)
		return;
	copy.order = generator->order++;
	heap[at] = copy;
	generator->flying++;
	while (at > 0 && earlier(&heap[at], &heap[(at - 1) / 2])) {
		swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

struct generator_flight flight_pop(struct generator *generator)
{
	struct generator_flight *heap = generator->flight;
	struct generator_flight first = heap[0];
	size_t at = 0;

	heap[0] = heap[--generator->flying];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < generator->flying && earlier(&heap[child], &heap[least]))
				least = child;
		}
		if (least == at)
			return first;
		swap(&heap[at], &heap[least]);
		at = least;
	}
}
