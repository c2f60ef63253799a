/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of sg_fanout: the kernel computes them from NIC slots in whatever order the paths have. */
#include "unit.h"

#define BASE SG_FANOUT_BASE

static uint32_t key2(uint8_t a, uint8_t b)
{
	const uint8_t nic[] = {a, b};

	return sg_fanout_key(nic, 2);
}

static void digits_are_slots_plus_one_largest_first(void **state)
{
	const uint8_t four[] = {0, 15, 3, 3};
	const uint8_t three[] = {1, 0, 2};

	(void)state;
	assert_int_equal(key2(0, 0), (1 * BASE + 1) * BASE * BASE);
	assert_int_equal(key2(1, 0), (2 * BASE + 1) * BASE * BASE);
	assert_int_equal(sg_fanout_key(three, 3), ((3 * BASE + 2) * BASE + 1) * BASE);
	assert_int_equal(sg_fanout_key(four, 4), ((16 * BASE + 4) * BASE + 4) * BASE + 1);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	for (unsigned n = 0; n < SG_NICS * SG_NICS * SG_NICS * SG_NICS; n++) {
		const uint8_t nic[] = {n & 15, n >> 4 & 15, n >> 8 & 15, (uint8_t)(n >> 12 & 15)};
		const uint8_t back[] = {nic[3], nic[2], nic[1], nic[0]};
		const uint8_t mixed[] = {nic[2], nic[0], nic[3], nic[1]};
		uint32_t key = sg_fanout_key(nic, 4);

		if (key != sg_fanout_key(back, 4) || key != sg_fanout_key(mixed, 4))
			fail_msg("slots %u %u %u %u", nic[0], nic[1], nic[2], nic[3]);
	}
}

/* C(16 + n - 1, n) multisets of n slots, for 2, 3 and 4 copies: all different, all in the map. */
static void different_sets_have_different_keys(void **state)
{
	static uint8_t seen[BASE * BASE * BASE * BASE];
	unsigned sets = 0;

	(void)state;
	for (unsigned count = 2; count <= SG_PATHS; count++) {
		for (unsigned n = 0; n < 1u << (4 * count); n++) {
			const uint8_t nic[] = {n & 15, n >> 4 & 15, n >> 8 & 15,
					       (uint8_t)(n >> 12 & 15)};
			uint32_t key = sg_fanout_key(nic, count);

			assert_true(key < sizeof(seen));
			assert_true(seen[key] == 0 || seen[key] == count);
			sets += !seen[key];
			seen[key] = (uint8_t)count;
		}
	}
	assert_int_equal(sets, 136 + 816 + 3876);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_slots_plus_one_largest_first),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(different_sets_have_different_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
