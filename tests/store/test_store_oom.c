/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of the store fails in turn: it says so, leaks nothing, and goes on. */
#include <errno.h>

#include "oom_sqlite.h"
#include "world.h"

#define MOST 5000ul

static char details[20000]; /* several pages of the file */

static struct store_cdr record(void)
{
	snprintf(details, sizeof(details), "{\"z\":\"%0*d\"}", (int)sizeof(details) - 10, 1);
	return (struct store_cdr){.call_id = STR("x"),
				  .caller = STR("sip:a@example.net"),
				  .callee = STR("sip:b@example.net"),
				  .reason = STR("y"),
				  .details = str_of(details)};
}

static void fill(struct world *w)
{
	const struct store_cdr cdr = record();

	world_open(w);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(store_add_cdr(w->store, &cdr), 0);
	assert_int_equal(store_put(w->store, "call", STR("a"), STR("1")), 0);
	assert_int_equal(store_put(w->store, "call", STR("b"), STR("2")), 0);
	assert_int_equal(store_flush(w->store), 0);
}

/* What the file holds stays in it: it is not taken for damaged. */
static void opening_fails_cleanly(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	struct error err = {""};
	unsigned long n;
	bool hit = true;
	int error;

	fill(w);
	/* There are some thousands; OOM_EACH=1: each of them. */
	for (n = 1; n < MOST && hit; n += n < 100 || getenv("OOM_EACH") ? 1 : 7) {
		store_close(w->store);
		w->store = NULL;
		oom_arm(n);
		error = store_open(&w->store, w->url, w->log, &err);
		hit = oom_disarm();
		if (error) {
			assert_true(hit);
			assert_int_equal(error, -ENOMEM);
			assert_string_not_equal(err.text, "");
		} else {
			assert_string_equal(world_read(w, &rows, "call"), "a=1;b=2;");
		}
	}
	assert_int_equal(error, 0);
	assert_in_range(n, 100, MOST - 1);
}

static int count_whole(void *context, const struct store_cdr *cdr)
{
	*(unsigned *)context +=
		str_eq(cdr->call_id, STR("x")) && str_eq(cdr->caller, STR("sip:a@example.net")) &&
		str_eq(cdr->callee, STR("sip:b@example.net")) && str_eq(cdr->reason, STR("y")) &&
		str_eq(cdr->details, str_of(details));
	return 0;
}

/* All that was asked for, as it is, or an error. */
static void reading_fails_cleanly(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	struct error err = {""};
	unsigned long n;
	unsigned count;
	bool hit = true;
	int error;

	fill(w);
	for (n = 1; n < MOST && hit; n++) {
		rows = (struct world_rows){0};
		count = 0;
		oom_arm(n);
		error = store_each(w->store, "call", world_row, &rows, &err);
		hit = oom_disarm();
		if (error || strcmp(rows.text, "a=1;b=2;"))
			assert_int_equal(error, -ENOMEM);
		assert_true(hit || !error);
		oom_arm(n);
		error = store_cdrs(w->store, STR("x"), 10, count_whole, &count, &err);
		hit |= oom_disarm();
		if (error || count != 3)
			assert_int_equal(error, -ENOMEM);
	}
	assert_int_equal(error, 0);
	assert_int_equal(count, 3);
	assert_in_range(n, 20, MOST - 1);
}

/* The writer's thread finds none: what it was to write it writes later, once, in the same order. */
static void the_writer_tries_again(void **state)
{
	const struct store_cdr cdr = record();
	struct world *w = *state;
	struct store_stats stats;
	struct world_rows rows;
	struct error err;
	unsigned long n;
	unsigned count = 0, failed = 0;
	char value[16];
	bool hit = true;

	world_open(w);
	for (n = 1; n < MOST && hit; n++) {
		snprintf(value, sizeof(value), "%lu", n);
		oom_sqlite_arm(n);
		assert_int_equal(store_put(w->store, "call", STR("a"), str_of(value)), 0);
		assert_int_equal(store_add_cdr(w->store, &cdr), 0);
		for (unsigned tries = 0; store_flush(w->store); tries++) {
			assert_true(tries < 5);
			failed++;
		}
		hit = oom_sqlite_disarm();
	}
	assert_in_range(failed, 3, n);
	assert_in_range(n, 5, MOST - 1);
	store_stats(w->store, &stats);
	assert_int_equal(stats.lost, 0);
	assert_true(stats.healthy);
	assert_int_equal(store_cdrs(w->store, STR("x"), 10000, count_whole, &count, &err), 0);
	assert_int_equal(count, n - 1);
	world_read(w, &rows, "call");
	snprintf(rows.text + 100, 100, "a=%lu;", n - 1);
	assert_string_equal(rows.text, rows.text + 100);
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
		TEST(reading_fails_cleanly),
		TEST(the_writer_tries_again),
		TEST(writes_that_find_no_memory_are_lost_and_counted),
	};

	if (!oom_sqlite_reach())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
