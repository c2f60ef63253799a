// SPDX-License-Identifier: BSD-2-Clause
#include "base/hash.h"
#include "base/list.h"

#include "base.h"

#define MANY 20000u

struct item {
	struct hash_node node;
	unsigned number;
	bool in;
};

static struct item items[MANY]; /* zeroed before each test */

static int setup(void **state)
{
	static struct hash hash;

	memset(items, 0, sizeof(items));
	for (unsigned i = 0; i < MANY; i++)
		items[i].number = i;
	*state = &hash;
	return hash_init(&hash);
}

static int teardown(void **state)
{
	hash_free(*state);
	return 0;
}

static bool is_there(const struct hash *hash, const struct item *item, uint64_t key)
{
	struct hash_node *node = hash_first(hash, key);

	while (node && node != &item->node)
		node = hash_next(node);
	return node;
}

/* Aumasson's and Bernstein's vector: key 00 .. 0f, text 00 .. 0e. */
static void the_hash_is_siphash(void **state)
{
	const struct hash_seed seed = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	char text[15];

	(void)state;
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	assert_true(hash_text(&seed, (struct str){text, sizeof(text)}) == 0xa129ca6149be45e5ull);
	assert_true(hash_text(&seed, STR_NONE) == 0x726fdb47dd0e0e31ull);
}

static void parts_are_told_apart(void **state)
{
	struct hash_seed seed, other;

	(void)state;
	assert_int_equal(hash_seed_make(&seed), 0);
	assert_int_equal(hash_seed_make(&other), 0);
	assert_true(hash_more(&seed, hash_text(&seed, STR("ab")), STR("c")) !=
		    hash_more(&seed, hash_text(&seed, STR("a")), STR("bc")));
	assert_true(hash_text(&seed, STR("a")) != hash_text(&other, STR("a")));
}

static void all_are_found_while_it_grows(void **state)
{
	struct hash *hash = *state;

	for (unsigned i = 0; i < MANY; i++) {
		hash_add(hash, &items[i].node, (uint64_t)i * 0x9e3779b97f4a7c15ull);
		assert_int_equal(hash->count, i + 1);
		assert_true(is_there(hash, &items[i / 2], items[i / 2].node.key));
		assert_true(is_there(hash, &items[i], items[i].node.key));
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_true(is_there(hash, &items[i], (uint64_t)i * 0x9e3779b97f4a7c15ull));
	assert_null(hash_first(hash, 12345));
}

/* Adds and removes by dice beside a plain array. */
static void it_agrees_with_an_array(void **state)
{
	struct hash *hash = *state;
	uint32_t dice = 1;
	size_t count = 0;

	for (unsigned step = 0; step < 10 * MANY; step++) {
		struct item *item;

		dice = dice * 1664525u + 1013904223u;
		item = &items[dice >> 8 & 0x3fff];
		if (item->in)
			hash_remove(hash, &item->node);
		else
			hash_add(hash, &item->node, item->number % 97); /* few keys: long chains */
		item->in = !item->in;
		count += item->in ? 1 : (size_t)-1;
		assert_int_equal(hash->count, count);
		assert_int_equal(is_there(hash, item, item->number % 97), item->in);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(is_there(hash, &items[i], i % 97), items[i].in);
}

static void removing_twice_does_nothing(void **state)
{
	struct hash *hash = *state;

	hash_remove(hash, &items[0].node); /* never was in it */
	hash_add(hash, &items[1].node, 0);
	hash_remove(hash, &items[0].node);
	assert_int_equal(hash->count, 1);
	hash_remove(hash, &items[1].node);
	hash_remove(hash, &items[1].node);
	assert_int_equal(hash->count, 0);
}

static void a_walk_visits_each_once(void **state)
{
	/* 200: in the middle of moving to a bigger table. */
	static const unsigned sizes[] = {0, 1, 64, 66, 200, 1000};
	struct hash *hash = *state;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t cursor = 0, visited = 0;
		struct hash_node *node, *next;

		for (unsigned i = 0; i < sizes[s]; i++)
			hash_add(hash, &items[i].node, (uint64_t)i * 0x9e3779b97f4a7c15ull);
		for (node = hash_walk(hash, &cursor, NULL); node; node = next) {
			next = node->next;
			container_of(node, struct item, node)->in = true;
			visited++;
			hash_remove(hash, node);
			next = hash_walk(hash, &cursor, next);
		}
		assert_int_equal(visited, sizes[s]);
		assert_int_equal(hash->count, 0);
		for (unsigned i = 0; i < sizes[s]; i++)
			assert_true(items[i].in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_siphash),
		cmocka_unit_test(parts_are_told_apart),
		cmocka_unit_test_setup_teardown(all_are_found_while_it_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(it_agrees_with_an_array, setup, teardown),
		cmocka_unit_test_setup_teardown(removing_twice_does_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_walk_visits_each_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
