// SPDX-License-Identifier: BSD-2-Clause
/*
 * media-memory OURS OURS PARTY PARTY: the media room and the relay below it, for real, while one
 * allocation after the other fails. Opening fails as a whole; a call that finds no memory comes to
 * nothing, or to less, and neither a port nor a stream is lost with it. Run by memory.sh, in
 * namespaces.
 */
#include <setjmp.h>
#include <stddef.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "../store/oom.h"
#include "base/log.h"
#include "call/media_internal.h"
#include "config.h"

#define LAST_ALLOCATION 2000u
#define LIFE_MS 3000u
#define REST_MS 2500u /* SEGUE_SHORT_TIMES: 1 s, a drain of 0.5, and their grain */

struct world {
	struct netaddr ours[2], party[2];
	struct config_interface interface[2];
	struct config config;
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct media *media;
	int result; /* of what waits; 1: it still does */
};

static struct world world = {
	.config = {.first_port = 30000,
		   .last_port = 39999,
		   .stream_capacity = 4096,
		   .dscp = SG_DSCP_KEEP},
};

static void done(void *context, int result)
{
	struct world *w = context;

	w->result = result;
}

static void turn(struct world *w)
{
	event_base_loop(w->base, EVLOOP_NONBLOCK);
}

/* What a call to the room came to, once it has. */
static int settled(struct world *w, int ret)
{
	uint64_t began = wheel_now_ms();

	if (ret != -EINPROGRESS)
		return ret;
	while (w->result == 1 && wheel_now_ms() < began + LIFE_MS)
		turn(w);
	return w->result;
}

static void on_event(void *context, const struct media_event *event)
{
	(void)context;
	(void)event;
}

/* A further port for side A, and what uses it: a move or a join. The port is given back if nothing
 * did. */
static int with_port(struct world *w, struct media_stream *stream, bool join, unsigned *slot)
{
	struct media_path path = {.remote = w->party[0]};
	int ret = media_reserve(w->media, &w->party[0], &path.local);

	if (ret)
		return ret;
	path.remote.port = join ? 4004 : 4002;
	w->result = 1;
	ret = join ? media_join(stream, SG_SIDE_A, &path, slot, done, w)
		   : media_move(stream, SG_SIDE_A, *slot, &path, slot, done, w);
	if (ret && ret != -EINPROGRESS)
		media_release(w->media, &path.local);
	return settled(w, ret);
}

static int install(struct world *w, struct media_stream **stream)
{
	struct media_spec spec = {.name = "call.0", .direction = SG_DIRECTION_BOTH};
	int ret = 0;

	for (unsigned side = 0; side < 2; side++) {
		int one = media_reserve(w->media, &w->party[side], &spec.side[side].local);

		spec.side[side].remote = w->party[side];
		spec.side[side].remote.port = 4000;
		ret = ret ? ret : one;
	}
	w->result = 1;
	if (!ret)
		ret = media_install(w->media, &spec, done, w, stream);
	for (unsigned side = 0; ret && ret != -EINPROGRESS && side < 2; side++) {
		if (spec.side[side].local.port)
			media_release(w->media, &spec.side[side].local);
	}
	return settled(w, ret);
}

/* 0 if all of it went as it should. */
static int call(struct world *w)
{
	struct media_stream *stream = NULL;
	struct sg_path_info past[16];
	struct sg_stream_info info;
	unsigned slot = 0, second = 0;
	int ret = install(w, &stream), joined;

	if (ret)
		return ret;
	media_watch(stream, on_event, w);
	ret = media_set_direction(stream, SG_DIRECTION_A_TO_B);
	if (!ret)
		ret = media_set_opaque(stream, true);
	if (!ret)
		ret = with_port(w, stream, false, &slot);
	joined = with_port(w, stream, true, &second);
	if (!joined)
		media_leave(stream, SG_SIDE_A, slot);
	media_past(stream, past, sizeof(past) / sizeof(past[0]));
	media_info(stream, &info);
	media_remove(stream);
	turn(w);
	return ret ? ret : joined;
}

static void opening_fails_cleanly(void **state)
{
	struct world *w = &world;
	struct error err = {""};
	unsigned long n;
	int ret = 0;

	(void)state;
	for (n = 1; n < LAST_ALLOCATION; n++) {
		oom_arm(n);
		ret = media_alloc(&w->media, w->base, w->wheel, w->log, &w->config, &err);
		if (!oom_disarm())
			break;
		if (ret)
			assert_string_not_equal(err.text, "");
		else
			media_free(w->media);
	}
	assert_int_equal(ret, 0);
	assert_in_range(n, 10, LAST_ALLOCATION - 1);
}

static void calls_find_no_memory(void **state)
{
	struct world *w = &world;
	size_t ports = media_ports_free(w->media);
	unsigned long n, failed = 0;
	uint64_t began;

	(void)state;
	assert_int_equal(call(w), 0); /* what grows once has grown */
	for (n = 1; n < LAST_ALLOCATION; n++) {
		oom_arm(n);
		failed += call(w) != 0;
		if (!oom_disarm())
			break;
	}
	assert_in_range(n, 5, LAST_ALLOCATION - 1);
	assert_in_range(failed, 3, n);
	assert_int_equal(call(w), 0);
	began = wheel_now_ms();
	while (media_ports_free(w->media) != ports && wheel_now_ms() < began + 2 * REST_MS)
		turn(w);
	assert_int_equal(media_ports_free(w->media), ports);
	assert_true(list_empty(&w->media->streams));
	assert_int_equal(w->media->waiting, 0);
	assert_int_equal(media_collect(w->media), 0);
	media_free(w->media);
}

static bool read_addresses(struct world *w, char **argv)
{
	static char names[2][3] = {"r1", "r2"};

	for (unsigned i = 0; i < 2; i++) {
		if (netaddr_parse_host(&w->ours[i], str_of(argv[1 + i]), 0) ||
		    netaddr_parse_host(&w->party[i], str_of(argv[3 + i]), 0))
			return false;
		w->interface[i] = (struct config_interface){
			.name = names[i], .address = &w->ours[i], .addresses = 1};
	}
	w->config.interface = w->interface;
	w->config.interfaces = 2;
	return true;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_fails_cleanly),
		cmocka_unit_test(calls_find_no_memory),
	};
	int ret;

	if (argc != 5 || !read_addresses(&world, argv))
		return 2;
	world.base = event_base_new();
	if (!world.base || wheel_alloc(&world.wheel, world.base) ||
	    log_open(&world.log, LOG_LEVEL_ERROR))
		return 1;
	ret = cmocka_run_group_tests_name("memory", tests, NULL, NULL);
	log_close(world.log);
	wheel_free(world.wheel);
	event_base_free(world.base);
	return ret;
}
