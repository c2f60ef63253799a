// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "call/portpool.h"

static struct portpool *pool_new(uint16_t first, uint16_t last)
{
	struct portpool *pool;

	assert_int_equal(portpool_alloc(&pool, first, last), 0);
	portpool_open(pool, 42);
	return pool;
}

static void test_range(void **state)
{
	struct portpool *pool;
	uint16_t port;

	(void)state;
	assert_int_equal(portpool_alloc(&pool, 0, 100), -EINVAL);
	assert_int_equal(portpool_alloc(&pool, 30000, 30000), -EINVAL);
	assert_int_equal(portpool_alloc(&pool, 30001, 30002), -EINVAL);
	assert_int_equal(portpool_alloc(&pool, 30010, 30000), -EINVAL);
	pool = pool_new(30001, 30004); /* 30002 and 30003 */
	assert_int_equal(portpool_count_free(pool, 0), 1);
	assert_int_equal(portpool_reserve(pool, 0, &port), 0);
	assert_int_equal(port, 30002);
	assert_int_equal(portpool_reserve(pool, 0, &port), -ENOSPC);
	portpool_free(pool);
	pool = pool_new(65534, 65535);
	assert_int_equal(portpool_reserve(pool, 0, &port), 0);
	assert_int_equal(port, 65534);
	portpool_free(pool);
}

static void test_each_once(void **state)
{
	struct portpool *pool = pool_new(1, 65535);
	bool *seen = calloc(65536, sizeof(*seen));
	unsigned in_order = 0;
	uint16_t port, last = 0;

	(void)state;
	for (unsigned i = 0; i < 32767; i++) {
		assert_int_equal(portpool_reserve(pool, 0, &port), 0);
		assert_true(port >= 2 && port % 2 == 0 && !seen[port]);
		seen[port] = true;
		in_order += port == last + 2;
		last = port;
	}
	assert_int_equal(portpool_reserve(pool, 0, &port), -ENOSPC);
	assert_true(in_order < 100); /* nobody can guess the next one */
	free(seen);
	portpool_free(pool);
}

static void test_rest(void **state)
{
	struct portpool *pool = pool_new(30000, 30003);
	uint16_t first, second, port;

	(void)state;
	portpool_reserve(pool, 0, &first);
	portpool_reserve(pool, 0, &second);
	portpool_hold(pool, first);
	assert_false(portpool_is_reserved(pool, first));
	assert_true(portpool_is_reserved(pool, second));
	assert_false(portpool_is_reserved(pool, (uint16_t)(second + 1)));
	portpool_rest(pool, first, 32000);
	portpool_rest(pool, first, 64000); /* it rests already */
	assert_int_equal(portpool_reserve(pool, 31999, &port), -ENOSPC);
	assert_int_equal(portpool_reserve(pool, 32000, &port), 0);
	assert_int_equal(port, first);
	portpool_free(pool);
}

static void test_release(void **state)
{
	struct portpool *pool = pool_new(30000, 30003);
	uint16_t first, second, port;

	(void)state;
	portpool_reserve(pool, 0, &first);
	portpool_reserve(pool, 0, &second);
	portpool_hold(pool, first);
	portpool_release(pool, first); /* a stream's: stays */
	assert_int_equal(portpool_count_free(pool, 0), 0);
	portpool_release(pool, second);
	portpool_release(pool, second); /* twice does no harm */
	assert_int_equal(portpool_count_free(pool, 0), 1);
	assert_int_equal(portpool_reserve(pool, 0, &port), 0);
	assert_int_equal(port, second);
	portpool_release(pool, 29998);
	portpool_release(pool, 30004);
	portpool_rest(pool, 65535, 1);
	assert_int_equal(portpool_count_free(pool, 0), 0);
	portpool_free(pool);
}

/* What comes back waits for all others to be used. */
static void test_turn(void **state)
{
	struct portpool *pool = pool_new(30000, 30199);
	uint16_t first, port;

	(void)state;
	portpool_reserve(pool, 0, &first);
	portpool_release(pool, first);
	for (unsigned i = 0; i < 99; i++) {
		portpool_reserve(pool, 0, &port);
		assert_int_not_equal(port, first);
	}
	portpool_reserve(pool, 0, &port);
	assert_int_equal(port, first);
	portpool_free(pool);
}

static void test_seed(void **state)
{
	struct portpool *pool;
	uint16_t port;

	(void)state;
	assert_int_equal(portpool_alloc(&pool, 30000, 30007), 0);
	portpool_seed_held(pool, 30000);
	portpool_seed_resting(pool, 30001, 5); /* its pair is held */
	portpool_seed_resting(pool, 30003, 100);
	portpool_seed_held(pool, 29999);
	portpool_open(pool, 7);
	assert_int_equal(portpool_count_free(pool, 0), 2);
	assert_int_equal(portpool_count_free(pool, 100), 3);
	portpool_rest(pool, 30000, 200);
	assert_int_equal(portpool_count_free(pool, 200), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(portpool_reserve(pool, 200, &port), 0);
	portpool_free(pool);
}

/* A second of 4000 calls, for an hour: the rings turn many times and nothing is lost. */
static void test_long_run(void **state)
{
	struct portpool *pool = pool_new(10000, 39999);
	uint16_t live[4000];

	(void)state;
	for (uint64_t second = 0; second < 3600; second++) {
		for (unsigned i = 0; i < 4000; i++) {
			assert_int_equal(portpool_reserve(pool, second * 1000, &live[i]), 0);
			portpool_hold(pool, live[i]);
		}
		for (unsigned i = 0; i < 4000; i++)
			portpool_rest(pool, live[i], second * 1000 + 2000);
	}
	assert_int_equal(portpool_count_free(pool, 3700 * 1000), 15000);
	portpool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),	 cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_rest),	 cmocka_unit_test(test_release),
		cmocka_unit_test(test_turn),	 cmocka_unit_test(test_seed),
		cmocka_unit_test(test_long_run),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
