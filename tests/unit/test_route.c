/* SPDX-License-Identifier: BSD-2-Clause */
/* The route word of a stream and the indices of its paths, as abi.h lays them down. */
#include "unit.h"

#define BIT(n) (1ull << (n))

static void an_empty_route_is_closed(void **state)
{
	(void)state;
	for (uint32_t side = 0; side < SG_SIDES; side++) {
		assert_int_equal(sg_route_send(0, side), 0);
		assert_int_equal(sg_route_listen(0, side), 0);
		assert_int_equal(sg_route_active(0, side), 0);
		assert_false(sg_route_open(0, side));
	}
}

/* Each field of each side alone: it is read, and nothing else is. */
static void check_field(uint64_t route, uint32_t side, uint32_t send, uint32_t listen,
			uint32_t active)
{
	assert_int_equal(sg_route_send(route, side), send);
	assert_int_equal(sg_route_listen(route, side), listen);
	assert_int_equal(sg_route_active(route, side), active);
	assert_int_equal(sg_route_send(route, !side), 0);
	assert_int_equal(sg_route_listen(route, !side), 0);
	assert_int_equal(sg_route_active(route, !side), 0);
	assert_false(sg_route_open(route, 0));
	assert_false(sg_route_open(route, 1));
}

static void each_field_has_its_own_bits(void **state)
{
	(void)state;
	check_field(0xffull << 0, SG_SIDE_A, 0xff, 0, 0);
	check_field(0xffull << 8, SG_SIDE_A, 0, 0xff, 0);
	check_field(0xffull << 16, SG_SIDE_B, 0xff, 0, 0);
	check_field(0xffull << 24, SG_SIDE_B, 0, 0xff, 0);
	check_field(7ull << 32, SG_SIDE_A, 0, 0, 7);
	check_field(7ull << 36, SG_SIDE_B, 0, 0, 7);
	check_field(0xffffull << SG_ROUTE_VERSION_SHIFT, SG_SIDE_A, 0, 0, 0);
}

/* What arrives from a side goes to the other one: A's direction is A to B. */
static void a_direction_opens_one_way(void **state)
{
	(void)state;
	assert_true(sg_route_open(SG_ROUTE_OPEN_AB, SG_SIDE_A));
	assert_false(sg_route_open(SG_ROUTE_OPEN_AB, SG_SIDE_B));
	assert_false(sg_route_open(SG_ROUTE_OPEN_BA, SG_SIDE_A));
	assert_true(sg_route_open(SG_ROUTE_OPEN_BA, SG_SIDE_B));
	assert_true(SG_ROUTE_OPEN_AB == BIT(40));
	assert_true(SG_ROUTE_OPEN_BA == BIT(41));
}

static void every_slot_fits_the_route(void **state)
{
	(void)state;
	assert_true(SG_PATH_SLOTS <= 8); /* bits of a mask, and values of the 3-bit active path */
	assert_true(SG_PATHS < SG_PATH_SLOTS);
}

/* No two paths share an entry, and none lies outside of the map. */
static void every_path_has_its_own_index(void **state)
{
	const uint32_t capacity = 37, entries = capacity * SG_SIDES * SG_PATH_SLOTS;
	uint8_t seen[37 * SG_SIDES * SG_PATH_SLOTS] = {0};

	(void)state;
	for (uint32_t stream = 0; stream < capacity; stream++)
		for (uint32_t side = 0; side < SG_SIDES; side++)
			for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
				uint32_t index = sg_path_index(capacity, stream, side, slot);

				assert_true(index < entries);
				assert_int_equal(seen[index]++, 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_route_is_closed),
		cmocka_unit_test(each_field_has_its_own_bits),
		cmocka_unit_test(a_direction_opens_one_way),
		cmocka_unit_test(every_slot_fits_the_route),
		cmocka_unit_test(every_path_has_its_own_index),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
