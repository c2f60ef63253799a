/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers on a hierarchical wheel: starting and stopping cost the same whatever their number.
 * Times are milliseconds; a timer fires at most TIMER_GRAIN_MS late, never early.
 */
#ifndef SEGUE_TIMER_H
#define SEGUE_TIMER_H

#include <stdint.h>

#include "base/list.h"

#define TIMER_GRAIN_MS 10u
#define TIMER_LONGEST_MS                                                                           \
	(TIMER_GRAIN_MS * 64ull * 64 * 64 * 64 / 2) /* 23 hours; longer: clipped                   \
						     */

struct event_base;
struct wheel;

typedef void timer_fn(void *context);

/* A zeroed one is one that does not run. */
struct timer {
	struct list node;
	uint64_t due; /* tick */
	timer_fn *fn;
	void *context;
};

/* Driven by the event loop of `base`. 0 or -ENOMEM. */
int wheel_alloc(struct wheel **out, struct event_base *base);
/* Timers that still run are forgotten. */
void wheel_free(struct wheel *wheel);
/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t wheel_now_ms(void);

/* Starts it, or starts it again. fn(context) is called from the loop; it may start or stop any
 * timer. */
void timer_start(struct wheel *wheel, struct timer *timer, uint64_t ms, timer_fn *fn,
		 void *context);
/* Stopping one that does not run does nothing. */
void timer_stop(struct timer *timer);
bool timer_running(const struct timer *timer);

#endif
