/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue keeps order, keeps only the latest write of a key, and is bounded. */
#include <errno.h>

#include "store/queue.h"
#include "world.h"

static int setup(void **state)
{
	struct store_queue *queue = calloc(1, sizeof(*queue));

	assert_int_equal(store_queue_init(queue), 0);
	*state = queue;
	return 0;
}

static int teardown(void **state)
{
	store_queue_free(*state);
	free(*state);
	return 0;
}

static int put(struct store_queue *queue, enum store_table table, const char *key,
	       const char *value)
{
	const struct store_write write = {
		.verb = STORE_PUT, .table = table, .key = str_of(key), .value = str_of(value)};

	return store_queue_add(queue, &write);
}

static int drop(struct store_queue *queue, enum store_table table, const char *key)
{
	const struct store_write write = {.verb = STORE_DELETE, .table = table, .key = str_of(key)};

	return store_queue_add(queue, &write);
}

static int cdr(struct store_queue *queue, const char *call_id)
{
	const struct store_write write = {.verb = STORE_CDR, .cdr = {.call_id = str_of(call_id)}};

	return store_queue_add(queue, &write);
}

/* "+key=value", "-key", "cdr id", in order. */
static const char *contents(const struct store_queue *queue)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (struct store_item *item = store_queue_first(queue); item;
	     item = store_queue_next(queue, item)) {
		const struct store_write *w = &item->write;

		if (w->verb == STORE_CDR)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "cdr %.*s ",
						STR_ARG(w->cdr.call_id));
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%.*s=%.*s ",
						w->verb == STORE_PUT ? '+' : '-', STR_ARG(w->key),
						STR_ARG(w->value));
	}
	return text;
}

static void keeps_order(void **state)
{
	struct store_queue *queue = *state;

	put(queue, STORE_CALL, "a", "1");
	drop(queue, STORE_CALL, "b");
	cdr(queue, "x");
	put(queue, STORE_BINDING, "c", "2");
	assert_string_equal(contents(queue), "+a=1 -b= cdr x +c=2 ");
}

static void latest_write_of_a_key_takes_its_place(void **state)
{
	struct store_queue *queue = *state;
	char longer[200];

	memset(longer, 'l', sizeof(longer));
	longer[199] = '\0';
	put(queue, STORE_CALL, "a", "1");
	put(queue, STORE_CALL, "b", "1");
	put(queue, STORE_CALL, "a", longer); /* does not fit into the first one's room */
	put(queue, STORE_CALL, "a", "22");
	assert_int_equal(queue->count, 2);
	assert_string_equal(contents(queue), "+a=22 +b=1 ");
}

static void put_and_delete_become_one_delete(void **state)
{
	struct store_queue *queue = *state;

	put(queue, STORE_CALL, "a", "1");
	drop(queue, STORE_CALL, "a");
	assert_string_equal(contents(queue), "-a= ");
	put(queue, STORE_CALL, "a", "2");
	assert_string_equal(contents(queue), "+a=2 ");
}

static void tables_do_not_mix(void **state)
{
	struct store_queue *queue = *state;

	put(queue, STORE_CALL, "a", "1");
	put(queue, STORE_BINDING, "a", "2");
	assert_string_equal(contents(queue), "+a=1 +a=2 ");
}

static void cdrs_are_all_kept(void **state)
{
	struct store_queue *queue = *state;

	cdr(queue, "x");
	cdr(queue, "x");
	assert_int_equal(queue->count, 2);
}

static void number_is_bounded(void **state)
{
	struct store_queue *queue = *state;
	char key[16];

	for (unsigned i = 0; i < STORE_QUEUE_WRITES; i++) {
		snprintf(key, sizeof(key), "%u", i);
		assert_int_equal(put(queue, STORE_CALL, key, ""), 0);
	}
	assert_int_equal(put(queue, STORE_CALL, "new", ""), -ENOBUFS);
	assert_int_equal(cdr(queue, "new"), -ENOBUFS);
	assert_int_equal(put(queue, STORE_CALL, "7", "a known key still may change"), 0);
	assert_int_equal(queue->count, STORE_QUEUE_WRITES);
	store_queue_drop(queue, store_queue_first(queue));
	assert_int_equal(put(queue, STORE_CALL, "new", ""), 0);
}

static void bytes_are_bounded(void **state)
{
	struct store_queue *queue = *state;
	char *big = malloc(STORE_QUEUE_BYTES / 4);

	memset(big, 'b', STORE_QUEUE_BYTES / 4);
	big[STORE_QUEUE_BYTES / 4 - 1] = '\0';
	assert_int_equal(put(queue, STORE_CALL, "a", big), 0);
	assert_int_equal(put(queue, STORE_CALL, "b", big), 0);
	assert_int_equal(put(queue, STORE_CALL, "c", big), 0);
	assert_int_equal(put(queue, STORE_CALL, "d", big), -ENOBUFS);
	assert_int_equal(put(queue, STORE_CALL, "e", "small"), 0);
	free(big);
	while (queue->count)
		store_queue_drop(queue, store_queue_first(queue));
	assert_int_equal(queue->bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_order, setup, teardown),
		cmocka_unit_test_setup_teardown(latest_write_of_a_key_takes_its_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(put_and_delete_become_one_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(cdrs_are_all_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(number_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_are_bounded, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
