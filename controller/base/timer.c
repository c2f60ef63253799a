// SPDX-License-Identifier: BSD-2-Clause
/*
 * Four levels of 64 slots. A slot of level n spans 64^n ticks; when the wheel reaches it, its
 * timers move one level down. Each timer moves at most three times, so a timer costs O(1).
 */
#include "base/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#define LEVELS 4u
#define SLOT_BITS 6u
#define SLOTS (1u << SLOT_BITS)
#define LONGEST_TICKS ((1ull << LEVELS * SLOT_BITS) / 2)

struct wheel {
	struct event *event;
	uint64_t tick;	    /* all timers due at or before it have fired */
	uint64_t armed_for; /* tick at which the event fires; 0: not armed */
	struct list slot[LEVELS][SLOTS];
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct list *slot_for(struct wheel *wheel, uint64_t due)
{
	uint64_t ahead = due - wheel->tick;
	unsigned level = 0;

	while (level < LEVELS - 1 && ahead >= 1ull << (level + 1) * SLOT_BITS)
		level++;
	return &wheel->slot[level][due >> level * SLOT_BITS & (SLOTS - 1)];
}

/* The next tick at which something is to be done: a timer fires, or a slot moves down. 0: never. */
static uint64_t next_tick(const struct wheel *wheel)
{
	uint64_t first = 0;

	for (unsigned level = 0; level < LEVELS; level++) {
		uint64_t at = wheel->tick >> level * SLOT_BITS, tick = 0;

		for (unsigned i = 1; i <= SLOTS && !tick; i++) {
			if (!list_empty(&wheel->slot[level][(at + i) & (SLOTS - 1)]))
				tick = (at + i) << level * SLOT_BITS;
		}
		if (tick && (!first || tick < first))
			first = tick;
	}
	return first;
}

static void arm(struct wheel *wheel, uint64_t tick)
{
	uint64_t now = clock_ms(), at = tick * TIMER_GRAIN_MS, ms = at > now ? at - now : 0;
	const struct timeval wait = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	wheel->armed_for = tick;
	event_add(wheel->event, &wait);
}

static void take_slot(struct list *slot, struct list *into)
{
	list_init(into);
	if (list_empty(slot))
		return;
	*into = *slot;
	into->next->prev = into;
	into->prev->next = into;
	list_init(slot);
}

static void move_down(struct wheel *wheel, unsigned level)
{
	struct list taken;

	take_slot(&wheel->slot[level][wheel->tick >> level * SLOT_BITS & (SLOTS - 1)], &taken);
	while (!list_empty(&taken)) {
		struct timer *timer = container_of(taken.next, struct timer, node);

		list_remove(&timer->node);
		list_append(slot_for(wheel, timer->due), &timer->node);
	}
}

static void fire(struct wheel *wheel)
{
	struct list taken;

	take_slot(&wheel->slot[0][wheel->tick & (SLOTS - 1)], &taken);
	while (!list_empty(&taken)) { /* a timer that fires may stop the others in here */
		struct timer *timer = container_of(taken.next, struct timer, node);

		list_remove(&timer->node);
		timer->fn(timer->context);
	}
}

static void turn(evutil_socket_t fd, short what, void *context)
{
	struct wheel *wheel = context;
	uint64_t now = clock_ms() / TIMER_GRAIN_MS, next;

	(void)fd;
	(void)what;
	while ((next = next_tick(wheel)) && next <= now) {
		wheel->tick = next;
		for (unsigned level = LEVELS - 1; level; level--) {
			if (!(next & ((1ull << level * SLOT_BITS) - 1)))
				move_down(wheel, level);
		}
		fire(wheel);
	}
	if (next)
		arm(wheel, next);
	else
		wheel->armed_for = 0;
}

int wheel_alloc(struct wheel **out, struct event_base *base)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	if (!wheel)
		return -ENOMEM;
	for (unsigned level = 0; level < LEVELS; level++) {
		for (unsigned i = 0; i < SLOTS; i++)
			list_init(&wheel->slot[level][i]);
	}
	wheel->tick = clock_ms() / TIMER_GRAIN_MS;
	wheel->event = evtimer_new(base, turn, wheel);
	if (!wheel->event) {
		free(wheel);
		return -ENOMEM;
	}
	*out = wheel;
	return 0;
}

void wheel_free(struct wheel *wheel)
{
	if (!wheel)
		return;
	event_free(wheel->event);
	free(wheel);
}

uint64_t wheel_now_ms(void)
{
	return clock_ms();
}

void timer_start(struct wheel *wheel, struct timer *timer, uint64_t ms, timer_fn *fn, void *context)
{
	uint64_t now = clock_ms(), ticks;

	timer_stop(timer);
	/* An idle wheel stands still: let it catch up first, or a short timer would seem long. */
	if (!wheel->armed_for)
		wheel->tick = now / TIMER_GRAIN_MS;
	timer->fn = fn;
	timer->context = context;
	timer->due = (now + ms) / TIMER_GRAIN_MS + 1;
	ticks = timer->due - wheel->tick;
	if (ticks > LONGEST_TICKS)
		timer->due = wheel->tick + LONGEST_TICKS;
	list_append(slot_for(wheel, timer->due), &timer->node);
	if (!wheel->armed_for || timer->due < wheel->armed_for)
		arm(wheel, timer->due);
}

void timer_stop(struct timer *timer)
{
	list_remove(&timer->node);
}

bool timer_running(const struct timer *timer)
{
	return !list_empty(&timer->node);
}
