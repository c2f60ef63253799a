// SPDX-License-Identifier: BSD-2-Clause
/* The wheel on a real event loop: nothing fires early, everything fires, stopped ones never do. */
#include <event2/event.h>

#include "base/timer.h"

#include "base.h"

struct world {
	struct event_base *base;
	struct wheel *wheel;
};

struct probe {
	struct timer timer;
	struct world *world;
	struct probe *victim; /* stopped when this one fires */
	uint64_t wanted;      /* milliseconds of the clock */
	unsigned fired, again;
	bool early;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	assert_non_null(world->base);
	assert_int_equal(wheel_alloc(&world->wheel, world->base), 0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	wheel_free(world->wheel);
	event_base_free(world->base);
	free(world);
	return 0;
}

static void start(struct world *world, struct probe *probe, uint64_t ms);

static void fire(void *context)
{
	struct probe *probe = context;

	probe->fired++;
	probe->early |= wheel_now_ms() < probe->wanted;
	assert_false(timer_running(&probe->timer));
	if (probe->victim)
		timer_stop(&probe->victim->timer);
	if (probe->again) {
		probe->again--;
		start(probe->world, probe, 5);
	}
}

static void start(struct world *world, struct probe *probe, uint64_t ms)
{
	probe->world = world;
	probe->wanted = wheel_now_ms() + ms;
	timer_start(world->wheel, &probe->timer, ms, fire, probe);
	assert_true(timer_running(&probe->timer));
}

/* The loop returns by itself when the wheel has nothing left to wait for. */
static void run(struct world *world)
{
	assert_true(event_base_dispatch(world->base) >= 0);
}

static void all_fire_and_none_early(void **state)
{
	enum { MANY = 3000 };
	struct world *world = *state;
	struct probe *probes = calloc(MANY, sizeof(*probes));

	assert_non_null(probes);
	for (unsigned i = 0; i < MANY; i++)
		start(world, &probes[i], i * 7919u % 1500u); /* over the first wheel's end */
	run(world);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(probes[i].fired, 1);
		assert_false(probes[i].early);
	}
	free(probes);
}

static void stopped_ones_never_fire(void **state)
{
	struct world *world = *state;
	struct probe a = {0}, b = {0}, c = {0};

	timer_stop(&a.timer); /* never ran */
	start(world, &a, 20);
	start(world, &b, 20);
	start(world, &c, 20);
	timer_stop(&a.timer);
	assert_false(timer_running(&a.timer));
	b.victim = &c; /* of the same slot: it is already being emptied */
	run(world);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 1);
	assert_int_equal(c.fired, 0);
}

static void one_may_start_itself_again(void **state)
{
	struct world *world = *state;
	struct probe probe = {.again = 5};

	start(world, &probe, 0);
	run(world);
	assert_int_equal(probe.fired, 6);
	assert_false(probe.early);
}

static void starting_again_moves_it(void **state)
{
	struct world *world = *state;
	struct probe probe = {0}, sooner = {0};

	start(world, &probe, 10);
	start(world, &probe, 60);
	start(world, &sooner, 100000);
	start(world, &sooner, 1);
	run(world);
	assert_int_equal(probe.fired, 1);
	assert_int_equal(sooner.fired, 1);
	assert_false(probe.early || sooner.early);
}

/* A wheel that stood still catches up before it takes a new one. */
static void an_idle_wheel_is_as_good(void **state)
{
	struct world *world = *state;
	struct probe first = {0}, second = {0};

	start(world, &first, 1);
	run(world);
	start(world, &second, 30);
	run(world);
	assert_int_equal(second.fired, 1);
	assert_false(second.early);
}

static void ages_are_clipped_not_forgotten(void **state)
{
	struct world *world = *state;
	struct probe probe = {0}, longest = {0};

	start(world, &probe, UINT64_MAX / 2);
	timer_start(world->wheel, &longest.timer, UINT64_MAX, fire, &longest);
	assert_true(timer_running(&probe.timer) && timer_running(&longest.timer));
	assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
	assert_int_equal(probe.fired + longest.fired, 0);
	timer_stop(&probe.timer);
	timer_stop(&longest.timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_fire_and_none_early, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_ones_never_fire, setup, teardown),
		cmocka_unit_test_setup_teardown(one_may_start_itself_again, setup, teardown),
		cmocka_unit_test_setup_teardown(starting_again_moves_it, setup, teardown),
		cmocka_unit_test_setup_teardown(an_idle_wheel_is_as_good, setup, teardown),
		cmocka_unit_test_setup_teardown(ages_are_clipped_not_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
