/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of the store fails in turn: it says so, leaks nothing, and goes on. */
#include <errno.h>

#include "oom.h"
#include "world.h"

static void opening_fails_cleanly(void **state)
{
	struct world *w = *state;
	struct error err = {""};
	unsigned long n;
	int error;

	for (n = 1; n < 1000; n++) {
		oom_arm(n);
		error = store_open(&w->store, w->url, w->log, &err);
		if (!oom_disarm())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_string_not_equal(err.text, "");
	}
	assert_int_equal(error, 0);
	assert_in_range(n, 3, 999);
}

static void writes_that_find_no_memory_are_lost_and_counted(void **state)
{
	struct world *w = *state;
	const struct store_cdr cdr = {.call_id = STR("x"), .reason = STR("y")};
	struct store_stats stats;
	struct world_rows rows;
	struct world_log l;
	char longer[500];

	memset(longer, 'l', sizeof(longer));
	world_open(w);
	oom_arm(1);
	assert_int_equal(store_put(w->store, "call", STR("a"), STR("1")), -ENOMEM);
	oom_arm(1);
	world_log_begin(&l);
	assert_int_equal(store_add_cdr(w->store, &cdr), -ENOMEM);
	oom_disarm();
	assert_int_equal(world_log_count(&l, "x: record lost: "), 1);
	world_log_end(&l);
	assert_int_equal(store_put(w->store, "call", STR("a"), STR("2")), 0);
	oom_arm(1);
	store_put(w->store, "call", STR("a"), (struct str){longer, sizeof(longer)});
	oom_disarm();
	assert_int_equal(store_flush(w->store), 0);
	store_stats(w->store, &stats);
	assert_int_equal(stats.lost, 3);
	assert_true(stats.healthy);
	assert_string_equal(world_read(w, &rows, "call"), "a=2;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening_fails_cleanly),
		TEST(writes_that_find_no_memory_are_lost_and_counted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
