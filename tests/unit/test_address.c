/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of media addresses: slots are found, kept, and limited; the kernel's search agrees. */
#include <errno.h>

#include "unit.h"

static int setup(void **state)
{
	*state = unit_relay();
	return 0;
}

static int teardown(void **state)
{
	unit_relay_free(*state);
	return 0;
}

static void address_number(uint32_t n, uint8_t addr[16])
{
	static const uint8_t prefix[16] = {0x20, 0x01, 0x0d, 0xb8};

	memcpy(addr, prefix, 16);
	memcpy(addr + 12, &n, sizeof(n));
}

/* The search as the abi.h contract describes it to the kernel program. */
static int search_as_kernel(const struct sg_address *table, const uint8_t addr[16])
{
	__be32 key[4];

	memcpy(key, addr, sizeof(key));
	for (uint32_t i = 0; i < SG_ADDRESS_PROBES; i++) {
		const struct sg_address *entry =
			&table[(sg_address_hash(key) + i) % SG_ADDRESS_BUCKETS];

		if (!entry->used)
			return -ENOENT;
		if (memcmp(entry->addr, key, sizeof(key)) == 0)
			return (int)entry->slot;
	}
	return -ENOENT;
}

static void unknown_addresses_have_no_slot(void **state)
{
	struct sg_relay *relay = *state;
	uint8_t addr[16];

	address_number(1, addr);
	assert_int_equal(sg_address_slot(relay, addr, false), -ENOENT);
	assert_false(sg_address_of_slot(relay, 0, addr));
}

static void looking_changes_nothing(void **state)
{
	struct sg_relay *relay = *state;
	uint8_t addr[16];

	address_number(1, addr);
	sg_address_slot(relay, addr, false);
	for (unsigned i = 0; i < SG_ADDRESS_BUCKETS; i++)
		assert_int_equal(relay->address[i].used, 0);
}

static void an_address_keeps_its_slot(void **state)
{
	struct sg_relay *relay = *state;
	uint8_t one[16], two[16], back[16];
	int slot;

	address_number(1, one);
	address_number(2, two);
	slot = sg_address_slot(relay, one, true);
	assert_in_range(slot, 0, SG_ADDRESS_SLOTS - 1);
	assert_int_not_equal(sg_address_slot(relay, two, true), slot);
	assert_int_equal(sg_address_slot(relay, one, true), slot);
	assert_int_equal(sg_address_slot(relay, one, false), slot);
	assert_true(sg_address_of_slot(relay, (uint32_t)slot, back));
	assert_memory_equal(back, one, 16);
}

static void an_ipv4_address_is_its_own(void **state)
{
	struct sg_relay *relay = *state;
	struct sg_endpoint v4 = unit_endpoint("192.0.2.1:1"), v6 = unit_endpoint("[::192.0.2.1]:1");

	assert_int_not_equal(sg_address_slot(relay, v4.addr, true),
			     sg_address_slot(relay, v6.addr, true));
}

/* 32 slots in 256 buckets: every slot is given once, the kernel finds each, one more is refused. */
static void all_slots_are_given_once(void **state)
{
	struct sg_relay *relay = *state;
	uint32_t given = 0;
	uint8_t addr[16];

	for (uint32_t n = 0; n < SG_ADDRESS_SLOTS; n++) {
		address_number(n, addr);
		int slot = sg_address_slot(relay, addr, true);

		assert_in_range(slot, 0, SG_ADDRESS_SLOTS - 1);
		assert_false(given & 1u << slot);
		given |= 1u << slot;
	}
	for (uint32_t n = 0; n < SG_ADDRESS_SLOTS; n++) {
		address_number(n, addr);
		assert_int_equal(search_as_kernel(relay->address, addr),
				 sg_address_slot(relay, addr, false));
	}
	address_number(SG_ADDRESS_SLOTS, addr);
	assert_int_equal(sg_address_slot(relay, addr, true), -ENOSPC);
	assert_int_equal(search_as_kernel(relay->address, addr), -ENOENT);
}

/* The n-th address, counted from *n, whose hash is `hash`. */
static void address_with_hash(uint32_t hash, uint32_t *n, uint8_t addr[16])
{
	__be32 key[4];

	do {
		address_number((*n)++, addr);
		memcpy(key, addr, sizeof(key));
	} while (sg_address_hash(key) != hash);
}

/* From the last bucket probing goes on at the first; beyond SG_ADDRESS_PROBES there is no place. */
static void collisions_wrap_and_end(void **state)
{
	struct sg_relay *relay = *state;
	uint32_t n = 0;
	uint8_t addr[16];

	for (unsigned i = 0; i < SG_ADDRESS_PROBES; i++) {
		address_with_hash(SG_ADDRESS_BUCKETS - 2, &n, addr);
		assert_int_equal(sg_address_slot(relay, addr, true), i);
		assert_int_equal(search_as_kernel(relay->address, addr), i);
	}
	assert_int_equal(relay->address[SG_ADDRESS_BUCKETS - 1].used, 1);
	assert_int_equal(relay->address[SG_ADDRESS_PROBES - 3].used, 1);
	address_with_hash(SG_ADDRESS_BUCKETS - 2, &n, addr);
	assert_int_equal(sg_address_slot(relay, addr, true), -ENOSPC);
	assert_int_equal(sg_address_slot(relay, addr, false), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_addresses_have_no_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(looking_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_keeps_its_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ipv4_address_is_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(all_slots_are_given_once, setup, teardown),
		cmocka_unit_test_setup_teardown(collisions_wrap_and_end, setup, teardown),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
