/* SPDX-License-Identifier: BSD-2-Clause */
/* The token buckets: rate, burst, families, exemption, and a table that stays bounded. */
#include "ops_test.h"

#include "ops/limit.h"

static struct netaddr address(const char *text)
{
	struct netaddr out;

	assert_int_equal(netaddr_parse_host(&out, str_of(text), 5060), 0);
	return out;
}

static bool exempt_ten(void *context, const struct netaddr *source)
{
	const unsigned *bits = context;
	struct netaddr ten = address("10.0.0.0");

	return netaddr_in_prefix(source, &ten, *bits);
}

struct world {
	struct log *log;
	struct limit *limit;
	unsigned bits; /* of 10.0.0.0 that are exempt */
};

static struct world *open_world(size_t sources, unsigned per_second, unsigned burst)
{
	static struct world world;

	world.bits = 8;
	assert_int_equal(log_open(&world.log, LOG_LEVEL_ERROR), 0);
	assert_int_equal(limit_alloc(&world.limit, world.log, sources, exempt_ten, &world.bits), 0);
	limit_set(world.limit, per_second, burst);
	return &world;
}

static void close_world(struct world *world)
{
	limit_free(world->limit);
	log_close(world->log);
}

/* How many of `tries` are let through at that moment. */
static unsigned admitted(struct world *world, const char *source, uint64_t now_ms, unsigned tries)
{
	struct netaddr from = address(source);
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++)
		count += limit_admit(world->limit, &from, now_ms);
	return count;
}

static void burst_then_rate(void **state)
{
	struct world *world = open_world(0, 100, 30);

	(void)state;
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 50), 30);
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 1), 0);
	assert_int_equal(admitted(world, "192.0.2.1", 1009, 1), 0);
	assert_int_equal(admitted(world, "192.0.2.1", 1010, 2), 1);
	assert_int_equal(admitted(world, "192.0.2.1", 1110, 50), 10);
	/* Silence fills the bucket, and no more than that. */
	assert_int_equal(admitted(world, "192.0.2.1", 3600000, 50), 30);
	close_world(world);
}

static void sources_are_apart(void **state)
{
	struct world *world = open_world(0, 10, 5);

	(void)state;
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 9), 5);
	assert_int_equal(admitted(world, "192.0.2.2", 1000, 9), 5);
	/* One subscriber has a whole /64. */
	assert_int_equal(admitted(world, "2001:db8::1", 1000, 9), 5);
	assert_int_equal(admitted(world, "2001:db8::ffff:1", 1000, 9), 0);
	assert_int_equal(admitted(world, "2001:db8:0:1::1", 1000, 9), 5);
	close_world(world);
}

static void trunks_are_exempt(void **state)
{
	struct world *world = open_world(0, 10, 5);

	(void)state;
	assert_int_equal(admitted(world, "10.9.9.9", 1000, 1000), 1000);
	assert_int_equal(admitted(world, "11.0.0.1", 1000, 1000), 5);
	/* Loaded again: no trunk any more. */
	world->bits = 32;
	limit_set(world->limit, 10, 5);
	assert_int_equal(admitted(world, "10.9.9.9", 1000, 1000), 5);
	close_world(world);
}

static void none_is_no_limit(void **state)
{
	struct world *world = open_world(0, 0, 0);
	struct limit_stats stats;

	(void)state;
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 100000), 100000);
	limit_stats(world->limit, &stats);
	assert_int_equal(stats.sources, 0);
	limit_set(world->limit, 1, 0);
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 10), 1);
	close_world(world);
}

/* A smaller burst holds at once; a bucket is not filled by loading again. */
static void reload_keeps_buckets(void **state)
{
	struct world *world = open_world(0, 10, 100);

	(void)state;
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 90), 90);
	limit_set(world->limit, 10, 50);
	assert_int_equal(admitted(world, "192.0.2.1", 1000, 90), 10);
	assert_int_equal(admitted(world, "192.0.2.2", 1000, 90), 50);
	close_world(world);
}

static void table_is_bounded(void **state)
{
	struct world *world = open_world(1000, 10, 5);
	struct limit_stats stats;
	char text[32];

	(void)state;
	admitted(world, "192.0.2.1", 1000, 9);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "172.16.%u.%u", i >> 8, i & 255);
		assert_int_equal(admitted(world, text, 1000, 1), 1);
		/* Heard all the time: never the one that makes room. */
		assert_int_equal(admitted(world, "192.0.2.1", 1000, 1), 0);
	}
	limit_stats(world->limit, &stats);
	assert_int_equal(stats.sources, 1000);
	assert_int_equal(stats.refused, 50004);
	close_world(world);
}

/* Offences of that kind up to and with the one that was too many; 0: none was. */
static unsigned offends(struct world *world, const char *source, enum limit_offence offence,
			uint64_t now_ms, unsigned tries)
{
	struct netaddr from = address(source);

	for (unsigned i = 1; i <= tries; i++) {
		if (limit_offend(world->limit, &from, offence, now_ms))
			return i;
	}
	return 0;
}

static void too_many_offences(void **state)
{
	struct world *world = open_world(0, 10, 5);

	(void)state;
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 1000), 0);
	limit_set_offences(world->limit, 20, 60000);
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 100), 20);
	/* It begins anew. */
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 19), 0);
	assert_int_equal(offends(world, "192.0.2.2", LIMIT_WRONG, 1000, 19), 0);
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 1), 1);
	/* Half of the window, half of the offences. */
	assert_int_equal(offends(world, "192.0.2.2", LIMIT_WRONG, 31000, 100), 11);
	/* One every 3 s is what may be. */
	for (uint64_t ms = 1000000; ms < 2000000; ms += 3000)
		assert_int_equal(offends(world, "192.0.2.3", LIMIT_WRONG, ms, 1), 0);
	close_world(world);
}

static void overrun_counts_once_a_second(void **state)
{
	struct world *world = open_world(0, 10, 5);

	(void)state;
	limit_set_offences(world->limit, 5, 60000);
	for (uint64_t ms = 1000; ms < 5000; ms += 10)
		assert_int_equal(offends(world, "192.0.2.1", LIMIT_OVERRUN, ms, 50), 0);
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_OVERRUN, 5000, 1), 1);
	close_world(world);
}

static void proof_is_remembered_in_a_flood(void **state)
{
	struct world *world = open_world(1000, 10, 5);
	struct netaddr phone = address("192.0.2.1"), other = address("192.0.2.2");
	char text[32];

	(void)state;
	limit_set_offences(world->limit, 20, 60000);
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 19), 0);
	assert_false(limit_is_known(world->limit, &phone, 1000));
	limit_prove(world->limit, &phone, 1000, 500000);
	assert_int_equal(offends(world, "192.0.2.1", LIMIT_WRONG, 1000, 19), 0);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "172.16.%u.%u", i >> 8, i & 255);
		assert_int_equal(admitted(world, text, 2000, 1), 1);
	}
	assert_true(limit_is_known(world->limit, &phone, 500999));
	assert_false(limit_is_known(world->limit, &phone, 501000));
	assert_false(limit_is_known(world->limit, &other, 1000));
	close_world(world);
}

/* Of `count` sources, one message each. */
static unsigned strangers(struct world *world, uint64_t now_ms, unsigned count)
{
	unsigned admitted_of_all = 0;
	char text[32];

	for (unsigned i = 0; i < count; i++) {
		struct netaddr from;

		snprintf(text, sizeof(text), "172.16.%u.%u", i >> 8 & 255, i & 255);
		from = address(text);
		if (limit_admit(world->limit, &from, now_ms))
			admitted_of_all += limit_admit_stranger(world->limit, &from, now_ms);
	}
	return admitted_of_all;
}

static void strangers_share_a_limit(void **state)
{
	struct world *world = open_world(0, 1000, 1000);
	struct netaddr phone = address("192.0.2.1"), trunk = address("10.1.2.3");
	struct limit_stats stats;

	(void)state;
	assert_int_equal(strangers(world, 1000, 5000), 5000);
	limit_set_strangers(world->limit, 100);
	limit_prove(world->limit, &phone, 1000, 100000);
	assert_int_equal(strangers(world, 1000, 5000), 100);
	assert_true(limit_admit_stranger(world->limit, &phone, 1000));
	assert_true(limit_admit_stranger(world->limit, &trunk, 1000));
	assert_int_equal(strangers(world, 1500, 5000), 50);
	assert_int_equal(strangers(world, 100000, 5000), 100);
	assert_true(limit_admit_stranger(world->limit, &phone, 100999));
	limit_stats(world->limit, &stats);
	assert_int_equal(stats.crowded, 4900 + 4950 + 4900);
	close_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_rate),
		cmocka_unit_test(sources_are_apart),
		cmocka_unit_test(trunks_are_exempt),
		cmocka_unit_test(none_is_no_limit),
		cmocka_unit_test(reload_keeps_buckets),
		cmocka_unit_test(table_is_bounded),
		cmocka_unit_test(strangers_share_a_limit),
		cmocka_unit_test(too_many_offences),
		cmocka_unit_test(overrun_counts_once_a_second),
		cmocka_unit_test(proof_is_remembered_in_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
