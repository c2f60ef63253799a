/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop, a wheel and a store in a directory of its own: what the registrar stands on. */
#ifndef SEGUE_TESTS_REGISTRAR_WORLD_H
#define SEGUE_TESTS_REGISTRAR_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "../store/scratch.h"
#include "registrar/registrar.h"

struct world {
	char directory[64], url[112];
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct store *store;
	struct location *location;
};

static inline void world_open(struct world *w)
{
	struct error err;

	if (store_open(&w->store, w->url, w->log, &err))
		fail_msg("%s", err.text);
	assert_int_equal(location_alloc(&w->location, w->wheel, w->store, w->log), 0);
	if (location_load(w->location, &err))
		fail_msg("%s", err.text);
}

static inline void world_close(struct world *w)
{
	location_free(w->location);
	store_close(w->store);
	w->location = NULL;
	w->store = NULL;
}

static inline void world_init(struct world *w)
{
	assert_true(scratch_make(w->directory, sizeof(w->directory)));
	snprintf(w->url, sizeof(w->url), "sqlite:%s/segue.db", w->directory);
	assert_int_equal(log_open(&w->log, LOG_LEVEL_ERROR), 0);
	w->base = event_base_new();
	assert_non_null(w->base);
	assert_int_equal(wheel_alloc(&w->wheel, w->base), 0);
	world_open(w);
}

static inline void world_fini(struct world *w)
{

	world_close(w);
	wheel_free(w->wheel);
	event_base_free(w->base);
	log_close(w->log);
	assert_int_equal(scratch_remove(w->directory), 0);
}

#endif
