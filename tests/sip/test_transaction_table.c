// SPDX-License-Identifier: BSD-2-Clause
/* The table of transactions against a plain list, and what keys tell apart. */
#include "stack_rig.h"

#include "sip/transaction.h"

#define NODES 20000u

struct item {
	struct tx_node node;
	struct tx_key key;
	bool in;
};

static uint64_t dice(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void check_all(const struct tx_table *table, struct item *items)
{
	size_t cursor = 0, count = 0, in = 0;

	for (unsigned i = 0; i < NODES; i++) {
		struct tx_node *found = tx_find(table, items[i].key);

		in += items[i].in;
		if (found != (items[i].in ? &items[i].node : NULL))
			fail_msg("item %u is %s", i, items[i].in ? "missing" : "still there");
	}
	while (tx_walk(table, &cursor))
		count++;
	assert_int_equal(count, in);
	assert_int_equal(table->count, in);
}

/* `bits`: so many of the bucket's bits differ, the fewer the more they crowd. */
static void compare(unsigned bits)
{
	struct item *items = calloc(NODES, sizeof(*items));
	uint64_t random = 88172645463325252ull;
	struct tx_table table;

	assert_non_null(items);
	assert_int_equal(tx_table_init(&table), 0);
	for (unsigned i = 0; i < NODES; i++)
		items[i].key = (struct tx_key){dice(&random) >> (64 - bits), dice(&random)};
	for (unsigned i = 0; i < 6 * NODES; i++) {
		struct item *item = &items[dice(&random) % NODES];
		/* Mostly in, then mostly out, so that it grows and empties while it moves. */
		bool add = dice(&random) % 4 < (i < 3 * NODES ? 3u : 1u);

		if (add && !item->in) {
			assert_int_equal(tx_add(&table, &item->node, item->key), 0);
			item->in = true;
		} else if (!add && item->in) {
			tx_remove(&table, &item->node);
			item->in = false;
		}
		if (!(i % (NODES / 2)))
			check_all(&table, items);
	}
	check_all(&table, items);
	tx_table_free(&table);
	free(items);
}

static void it_holds_what_it_should(void **state)
{
	(void)state;
	compare(64);
}

static void it_holds_what_it_should_when_crowded(void **state)
{
	(void)state;
	compare(12);
}

static void two_of_one_key_are_two(void **state)
{
	const struct tx_key key = {1, 2};
	struct tx_node a, b;
	struct tx_table table;

	(void)state;
	assert_int_equal(tx_table_init(&table), 0);
	assert_int_equal(tx_add(&table, &a, key), 0);
	assert_int_equal(tx_add(&table, &b, key), 0);
	tx_remove(&table, &a);
	assert_ptr_equal(tx_find(&table, key), &b);
	tx_remove(&table, &a);
	assert_int_equal(table.count, 1);
	tx_remove(&table, &b);
	assert_null(tx_find(&table, key));
	tx_table_free(&table);
}

static bool same(struct tx_key a, struct tx_key b)
{
	return a.bucket == b.bucket && a.check == b.check;
}

static void keys_tell_transactions_apart(void **state)
{
	const struct tx_seeds seeds = {{1, 2}, {3, 4}};
	struct sip_message message = {.via = {.host = STR("192.0.2.1"), .port = 5060}}, other;
	struct tx_table table;
	struct tx_key key;
	char longer[200];

	(void)state;
	assert_int_equal(tx_table_init(&table), 0);
	message.via.branch = STR("z9hG4bKabc");
	key = tx_key_server(&seeds, &table, &message, STR("INVITE"));
	assert_true(same(key, tx_key_server(&seeds, &table, &message, STR("INVITE"))));
	assert_false(same(key, tx_key_server(&seeds, &table, &message, STR("CANCEL"))));
	other = message;
	other.via.port = 5061;
	assert_false(same(key, tx_key_server(&seeds, &table, &other, STR("INVITE"))));
	other = message;
	other.via.branch = STR("z9hG4bKabc1");
	other.via.host = STR("92.0.2.1"); /* the same letters, cut elsewhere */
	assert_false(same(key, tx_key_server(&seeds, &table, &other, STR("INVITE"))));
	/* With the cookie nothing else counts; without it, the rest does. */
	other = message;
	other.call_id = STR("x");
	assert_true(same(key, tx_key_server(&seeds, &table, &other, STR("INVITE"))));
	message.via.branch = other.via.branch = STR("abc");
	key = tx_key_server(&seeds, &table, &message, STR("INVITE"));
	assert_false(same(key, tx_key_server(&seeds, &table, &other, STR("INVITE"))));
	/* Long parts count to their ends. */
	memset(longer, 'z', sizeof(longer));
	memcpy(longer, "z9hG4bK", 7);
	message.via.branch = (struct str){longer, 200};
	other = message;
	other.via.branch.n = 199;
	key = tx_key_server(&seeds, &table, &message, STR("INVITE"));
	assert_false(same(key, tx_key_server(&seeds, &table, &other, STR("INVITE"))));
	tx_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_what_it_should),
		cmocka_unit_test(it_holds_what_it_should_when_crowded),
		cmocka_unit_test(two_of_one_key_are_two),
		cmocka_unit_test(keys_tell_transactions_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("transaction table", tests, NULL, NULL);
}
