// SPDX-License-Identifier: BSD-2-Clause
/*
 * What waits for a next hop, with a relay and a clock of the test's own: when it is tried again,
 * how it ends, who is told and whose the ports are then.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "call/media_internal.h"

#define STREAMS 20000u

/* ---- the clock ------------------------------------------------------------------------------ */

static uint64_t clock_ms;
static struct list timers = {&timers, &timers};

uint64_t wheel_now_ms(void)
{
	return clock_ms;
}

void timer_start(struct wheel *wheel, struct timer *timer, uint64_t ms, timer_fn *fn, void *context)
{
	(void)wheel;
	timer_stop(timer);
	timer->due = clock_ms + ms;
	timer->fn = fn;
	timer->context = context;
	list_append(&timers, &timer->node);
}

void timer_stop(struct timer *timer)
{
	list_remove(&timer->node);
}

bool timer_running(const struct timer *timer)
{
	return !list_empty(&timer->node);
}

static void take_due(struct list *into)
{
	list_init(into);
	list_for_each(node, after, &timers)
	{
		if (container_of(node, struct timer, node)->due > clock_ms)
			continue;
		list_remove(node);
		list_append(into, node);
	}
}

/* In steps of a grain, as the wheel turns. */
static void pass(uint64_t ms)
{
	for (uint64_t end = clock_ms + ms; clock_ms < end;) {
		struct list now;

		clock_ms += TIMER_GRAIN_MS;
		take_due(&now);
		while (!list_empty(&now)) {
			struct timer *timer = container_of(now.next, struct timer, node);

			list_remove(&timer->node);
			timer->fn(timer->context);
		}
	}
}

/* ---- the relay ------------------------------------------------------------------------------ */

static int answer;	/* what the next tries come to */
static unsigned tries;	/* how many there were */
static uint64_t at[64]; /* and when */
static uint32_t next_number;
static unsigned removed;
static struct sg_endpoint moved_to;

static int tried(void)
{
	if (tries < 64)
		at[tries] = clock_ms;
	tries++;
	return answer;
}

int sg_stream_add(struct sg_relay *relay, const struct sg_stream_spec *spec, uint32_t *stream,
		  struct sg_error *err)
{
	int ret = tried();

	(void)relay;
	(void)err;
	assert_int_equal(spec->resolve_ms, SG_RESOLVE_NOWAIT);
	if (!ret)
		*stream = next_number++;
	return ret;
}

int sg_path_add(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *slot,
		struct sg_error *err)
{
	(void)relay;
	(void)stream;
	(void)side;
	(void)spec;
	(void)slot;
	(void)err;
	assert_int_equal(resolve_ms, SG_RESOLVE_NOWAIT);
	return tried();
}

int sg_path_move(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		 const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *new_slot,
		 struct sg_error *err)
{
	int ret = sg_path_add(relay, stream, side, spec, resolve_ms, new_slot, err);

	(void)slot;
	if (!ret)
		moved_to = spec->remote;
	return ret;
}

int sg_stream_remove(struct sg_relay *relay, uint32_t stream, struct sg_error *err)
{
	(void)relay;
	(void)stream;
	(void)err;
	removed++;
	return 0;
}

bool sg_port_get(struct sg_relay *relay, const struct sg_endpoint *local, struct sg_port_info *out)
{
	(void)relay;
	(void)local;
	*out = (struct sg_port_info){.stream = next_number - 1, .side = SG_SIDE_A};
	return true;
}

/* Called by media_stream.c only in what is not tested here. */
int sg_path_remove(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		   struct sg_error *err)
{
	(void)relay;
	(void)stream;
	(void)side;
	(void)slot;
	(void)err;
	return -ENOSYS;
}

int sg_path_set(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		const struct sg_path_change *change, struct sg_error *err)
{
	(void)change;
	return sg_path_remove(relay, stream, side, slot, err);
}

int sg_stream_set_opaque(struct sg_relay *relay, uint32_t stream, bool opaque, struct sg_error *err)
{
	return sg_path_remove(relay, stream, opaque ? SG_SIDE_B : SG_SIDE_A, 0, err);
}

int sg_stream_set_direction(struct sg_relay *relay, uint32_t stream, enum sg_direction direction,
			    struct sg_error *err)
{
	return sg_path_remove(relay, stream, (enum sg_side)direction, 0, err);
}

int sg_stream_info(struct sg_relay *relay, uint32_t stream, struct sg_stream_info *out)
{
	(void)relay;
	(void)stream;
	(void)out;
	return -ENOSYS;
}

/* ---- the ports ------------------------------------------------------------------------------ */

enum port_state { PORT_RESERVED, PORT_HELD, PORT_RESTING };
static enum port_state port[65536];

bool media_is_reserved(struct media *media, const struct sg_endpoint *local)
{
	(void)media;
	return local->port && port[local->port] == PORT_RESERVED;
}

void media_hold(struct media *media, const struct sg_endpoint *local)
{
	if (media_is_reserved(media, local))
		port[local->port] = PORT_HELD;
}

void media_rest(struct media *media, const struct sg_endpoint *local)
{
	(void)media;
	if (local->port)
		port[local->port] = PORT_RESTING;
}

/* ---- what is over --------------------------------------------------------------------------- */

static unsigned pasts;

void media_past_add(struct media_stream *stream, unsigned side, unsigned place, unsigned slot)
{
	(void)stream;
	(void)side;
	(void)place;
	(void)slot;
	pasts++;
}

void media_past_forget(struct media_stream *stream)
{
	(void)stream;
}

/* ---- the rig -------------------------------------------------------------------------------- */

static struct config config;
static struct media media;
static struct media_stream *table[2 * STREAMS];
static int results[8];
static unsigned told;
static struct media_stream *remove_when_told;

static void on_done(void *context, int result)
{
	(void)context;
	if (told < 8)
		results[told] = result;
	told++;
	media_remove(remove_when_told);
	remove_when_told = NULL;
}

static int set_up(void **state)
{
	(void)state;
	memset(port, 0, sizeof(port));
	memset(table, 0, sizeof(table));
	media = (struct media){
		.config = &config, .capacity = 2 * STREAMS, .by_number = table, .log = media.log};
	list_init(&media.streams);
	list_init(&timers);
	clock_ms = 1000000;
	answer = -EINPROGRESS;
	tries = told = removed = pasts = 0;
	next_number = 0;
	remove_when_told = NULL;
	return media.log ? 0 : log_open(&media.log, LOG_LEVEL_ERROR);
}

static int tear_down(void **state)
{
	(void)state;
	while (!list_empty(&media.streams))
		media_remove(container_of(media.streams.next, struct media_stream, node));
	assert_true(list_empty(&timers));
	assert_int_equal(media.waiting, 0);
	return 0;
}

static struct media_path path(uint16_t local, uint16_t remote)
{
	return (struct media_path){.local = {.addr = {1}, .port = local},
				   .remote = {.addr = {2}, .port = remote}};
}

static int install(struct media_stream **out, uint16_t first)
{
	const struct media_spec spec = {
		.name = "call.0",
		.side = {path(first, 5000), path((uint16_t)(first + 2), 6000)},
		.direction = SG_DIRECTION_BOTH,
	};

	return media_install(&media, &spec, on_done, NULL, out);
}

static struct media_stream *installed(uint16_t first)
{
	struct media_stream *stream;

	answer = 0;
	assert_int_equal(install(&stream, first), 0);
	tries = 0;
	return stream;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_at_once(void **state)
{
	struct media_stream *stream = installed(100);

	(void)state;
	assert_int_equal(port[100], PORT_HELD);
	assert_int_equal(port[102], PORT_HELD);
	pass(5000);
	assert_int_equal(told, 0);
	assert_int_equal(tries, 0);
	media_remove(stream);
	assert_int_equal(removed, 1);
	assert_int_equal(port[100], PORT_RESTING);
}

static void test_refused(void **state)
{
	struct media_stream *stream = NULL;

	(void)state;
	answer = -ENODEV;
	assert_int_equal(install(&stream, 100), -ENODEV);
	assert_null(stream);
	assert_int_equal(port[100], PORT_RESERVED); /* the caller's */
	assert_true(list_empty(&media.streams));
}

static void test_not_reserved(void **state)
{
	struct media_stream *stream = NULL;

	(void)state;
	port[102] = PORT_HELD;
	assert_int_equal(install(&stream, 100), -EINVAL);
	assert_int_equal(tries, 0);
}

/* Soon at first, then after longer; for 2.5 s and not much more. */
static void test_tried_again(void **state)
{
	struct media_stream *stream;

	(void)state;
	assert_int_equal(install(&stream, 100), -EINPROGRESS);
	assert_int_equal(port[100], PORT_HELD);
	pass(2400);
	assert_int_equal(told, 0);
	assert_true(tries > 20 && tries < 60);
	for (unsigned i = 1; i < tries; i++)
		assert_true(at[i] - at[i - 1] >= 10 && at[i] - at[i - 1] <= 110);
	assert_true(at[3] - at[0] <= 40);
	pass(300);
	assert_int_equal(told, 1);
	assert_int_equal(results[0], -EHOSTUNREACH);
	assert_int_equal(port[100], PORT_RESTING);
	assert_true(list_empty(&media.streams));
}

static void test_comes_right(void **state)
{
	struct media_stream *stream;

	(void)state;
	assert_int_equal(install(&stream, 100), -EINPROGRESS);
	pass(100);
	answer = 0;
	pass(100);
	assert_int_equal(told, 1);
	assert_int_equal(results[0], 0);
	assert_ptr_equal(media.by_number[0], stream);
	assert_int_equal(port[102], PORT_HELD);
}

static void test_fails_later(void **state)
{
	struct media_stream *stream;

	(void)state;
	assert_int_equal(install(&stream, 100), -EINPROGRESS);
	answer = -ENOSPC;
	pass(50);
	assert_int_equal(told, 1);
	assert_int_equal(results[0], -ENOSPC);
	assert_true(list_empty(&media.streams));
}

static void test_removed(void **state)
{
	struct media_stream *stream;

	(void)state;
	assert_int_equal(install(&stream, 100), -EINPROGRESS);
	media_remove(stream);
	pass(5000);
	assert_int_equal(told, 0);
	assert_int_equal(removed, 0);
	assert_int_equal(port[100], PORT_RESTING);
}

static void test_removed_when_told(void **state)
{
	(void)state;
	assert_int_equal(install(&remove_when_told, 100), -EINPROGRESS);
	answer = 0;
	pass(50);
	assert_int_equal(told, 1);
	assert_int_equal(removed, 1);
	assert_true(list_empty(&media.streams));
}

static void test_move(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path there = path(200, 5100);
	unsigned slot = 99;

	(void)state;
	answer = -EINPROGRESS;
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &there, &slot, on_done, NULL),
			 -EINPROGRESS);
	assert_int_equal(port[100], PORT_HELD);
	assert_int_equal(slot, 99);
	answer = 0;
	pass(50);
	assert_int_equal(results[0], 0);
	assert_int_equal(slot, 0);
	assert_int_equal(port[100], PORT_RESTING);
	assert_int_equal(port[200], PORT_HELD);
	assert_int_equal(pasts, 1);
}

/* The port is the path's own, before and after, whatever comes of it. */
static void test_move_keeps_port(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path there = path(100, 5100);

	(void)state;
	answer = -EINPROGRESS;
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &there, NULL, on_done, NULL),
			 -EINPROGRESS);
	pass(3000);
	assert_int_equal(results[0], -EHOSTUNREACH);
	assert_int_equal(port[100], PORT_HELD);
}

static void test_move_repeated(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path same = path(100, 5000);
	unsigned slot = 99;

	(void)state;
	answer = -EIO;
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &same, &slot, on_done, NULL), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(tries, 0);
}

static void test_newer_move(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path first = path(200, 5100), second = path(200, 5200);

	(void)state;
	answer = -EINPROGRESS;
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &first, NULL, on_done, NULL),
			 -EINPROGRESS);
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &second, NULL, on_done, NULL),
			 -EINPROGRESS);
	assert_int_equal(told, 0); /* never from inside */
	answer = 0;
	pass(50);
	assert_int_equal(told, 2);
	assert_true((results[0] == -ECANCELED && !results[1]) ||
		    (results[1] == -ECANCELED && !results[0]));
	assert_int_equal(moved_to.port, 5200);
	assert_int_equal(port[200], PORT_HELD);
}

static void test_move_of_waiting(void **state)
{
	struct media_path there = path(100, 5100);
	struct media_stream *stream;

	(void)state;
	assert_int_equal(install(&stream, 100), -EINPROGRESS);
	assert_int_equal(media_move(stream, SG_SIDE_A, 0, &there, NULL, on_done, NULL),
			 -EINPROGRESS);
	answer = 0;
	pass(100);
	assert_int_equal(told, 2);
	assert_int_equal(results[0] | results[1], 0);
	assert_int_equal(moved_to.port, 5100);
	assert_int_equal(port[100], PORT_HELD);
}

static void test_no_such_path(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path there = path(200, 5100);

	(void)state;
	assert_int_equal(media_move(stream, SG_SIDE_A, 1, &there, NULL, on_done, NULL), -ENOENT);
	assert_int_equal(media_move(stream, SG_SIDE_A, 9, &there, NULL, on_done, NULL), -ENOENT);
	assert_int_equal(port[200], PORT_RESERVED);
}

static void test_join(void **state)
{
	struct media_stream *stream = installed(100);

	(void)state;
	for (uint16_t i = 1; i < SG_PATHS; i++) {
		struct media_path more = path((uint16_t)(200 + 2 * i), 5100);
		unsigned slot = 99;

		assert_int_equal(media_join(stream, SG_SIDE_A, &more, &slot, on_done, NULL), 0);
		assert_int_equal(slot, i);
	}
	struct media_path last = path(300, 5100);

	assert_int_equal(media_join(stream, SG_SIDE_A, &last, NULL, on_done, NULL), -ENOSPC);
	assert_int_equal(port[300], PORT_RESERVED);
}

/* The slots of paths that left rest for a second and a half. */
static void test_slots_rest(void **state)
{
	struct media_stream *stream = installed(100);
	struct media_path more = path(200, 5100);

	(void)state;
	answer = -EAGAIN;
	assert_int_equal(media_join(stream, SG_SIDE_A, &more, NULL, on_done, NULL), -EINPROGRESS);
	pass(1500);
	answer = 0;
	pass(200);
	assert_int_equal(told, 1);
	assert_int_equal(results[0], 0);
}

/* A flood of calls to silent neighbours: a hundred tries in 10 ms, whatever their number. */
static void test_flood(void **state)
{
	struct media_stream *stream;
	unsigned most = 0, accepted = 0;

	(void)state;
	for (uint32_t i = 0; i < STREAMS; i++) {
		port[100] = port[102] = PORT_RESERVED;
		accepted += install(&stream, 100) == -EINPROGRESS;
	}
	assert_true(accepted < STREAMS && accepted > 10000);
	assert_int_equal(media.waiting, accepted);
	for (unsigned i = 0; i < 500; i++) {
		tries = 0;
		pass(10);
		most = tries > most ? tries : most;
	}
	assert_true(most <= 100);
	pass(3000);
	assert_int_equal(told, accepted);
	assert_int_equal(media.waiting, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_reserved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tried_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fails_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed_when_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move_keeps_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_newer_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move_of_waiting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slots_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	log_close(media.log);
	return failed;
}
