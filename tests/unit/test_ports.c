/* SPDX-License-Identifier: BSD-2-Clause */
/* The word of a port, and the life of a port: free, live, resting, free again. */
#include <errno.h>

#include "unit.h"

#define SECOND 1000000000ull

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

/* ---- the word ------------------------------------------------------------------------------- */

static void check_word(uint32_t stream, uint32_t side, uint32_t path, uint32_t component,
		       uint32_t generation)
{
	uint64_t word = sg_port_live(stream, side, path, component, generation);

	assert_true(word & SG_PORT_LIVE);
	assert_false(word & SG_PORT_RESTING);
	assert_int_equal(sg_port_stream(word), stream);
	assert_int_equal(sg_port_side(word), side);
	assert_int_equal(sg_port_path(word), path);
	assert_int_equal(sg_port_component(word), component);
	assert_int_equal(sg_port_generation(word), generation);
}

static void a_live_word_holds_every_field(void **state)
{
	(void)state;
	check_word(0, 0, 0, SG_RTP, 0);
	check_word(0xffffff, 0, 0, SG_RTP, 0);
	check_word(0, 1, 0, SG_RTP, 0);
	check_word(0, 0, SG_PATH_SLOTS - 1, SG_RTP, 0);
	check_word(0, 0, 0, SG_MUX, 0);
	check_word(0, 0, 0, SG_RTP, 0xffff);
	check_word(0xffffff, 1, SG_PATH_SLOTS - 1, SG_MUX, 0xffff);
	check_word(SG_STREAM_CAPACITY - 1, 1, 3, SG_RTCP, 0x1234);
}

static void a_generation_is_cut_to_16_bits(void **state)
{
	uint64_t word = sg_port_live(1, 0, 0, SG_RTP, 0x12345);

	(void)state;
	assert_int_equal(sg_port_generation(word), 0x2345);
	assert_int_equal(sg_port_stream(word), 1);
}

static void a_resting_word_holds_its_end(void **state)
{
	uint64_t word = sg_port_resting(0xfedcba98u);

	(void)state;
	assert_true(word & SG_PORT_RESTING);
	assert_false(word & SG_PORT_LIVE);
	assert_int_equal(sg_port_until_second(word), 0xfedcba98u);
}

/* ---- the life ------------------------------------------------------------------------------- */

static uint64_t *word_of(struct sg_relay *relay, const struct sg_endpoint *local)
{
	int slot = sg_address_slot(relay, local->addr, false);

	assert_true(slot >= 0);
	return &relay->port[(uint32_t)slot * SG_PORTS_PER_ADDRESS + local->port];
}

static void an_unknown_address_is_free(void **state)
{
	struct sg_endpoint local = unit_endpoint("192.0.2.1:30000");

	assert_int_equal(sg_port_check(*state, &local, 1, 0, NULL), 0);
	assert_int_equal(sg_address_slot(*state, local.addr, false), -ENOENT);
}

static void a_live_port_belongs_to_its_side(void **state)
{
	struct sg_endpoint local = unit_endpoint("192.0.2.1:65535");
	struct sg_relay *relay = *state;
	struct sg_error err;

	strcpy(relay->record[5].name, "call-7");
	sg_port_install(relay, &local, sg_port_live(5, 1, 2, SG_RTP, 9));
	assert_int_equal(sg_port_check(relay, &local, 5, 1, &err), 0);
	assert_int_equal(sg_port_check(relay, &local, 5, 0, &err), -EEXIST);
	assert_int_equal(sg_port_check(relay, &local, 6, 1, &err), -EEXIST);
	assert_non_null(strstr(err.text, "192.0.2.1:65535"));
	assert_non_null(strstr(err.text, "side b"));
	assert_non_null(strstr(err.text, "call-7"));
}

static void the_neighbours_stay_free(void **state)
{
	struct sg_endpoint local = unit_endpoint("192.0.2.1:30000");
	struct sg_endpoint above = unit_endpoint("192.0.2.1:30001");
	struct sg_endpoint elsewhere = unit_endpoint("192.0.2.2:30000");

	sg_port_install(*state, &local, sg_port_live(1, 0, 0, SG_RTP, 1));
	assert_int_equal(sg_port_check(*state, &above, 2, 0, NULL), 0);
	assert_int_equal(sg_port_check(*state, &elsewhere, 2, 0, NULL), 0);
}

/* MP-16: the port is nobody's until its rest is over, not even the stream's that had it. */
static void a_rested_port_returns(void **state)
{
	struct sg_endpoint local = unit_endpoint("[2001:db8::1]:30000");
	struct sg_relay *relay = *state;
	uint64_t now_ns = sg_now_ns();
	struct sg_error err;

	sg_port_install(relay, &local, sg_port_live(1, 0, 0, SG_RTP, 1));
	sg_port_rest(relay, &local, now_ns + 32 * SECOND);
	assert_true(*word_of(relay, &local) & SG_PORT_RESTING);
	assert_int_equal(sg_port_check(relay, &local, 1, 0, &err), -EEXIST);
	assert_non_null(strstr(err.text, "rests for another 3"));
	*word_of(relay, &local) = sg_port_resting((uint32_t)(now_ns / SECOND));
	assert_int_equal(sg_port_check(relay, &local, 1, 0, &err), 0);
}

/* A rest is kept in whole seconds: never shorter than asked for. */
static void a_rest_is_rounded_up(void **state)
{
	struct sg_endpoint local = unit_endpoint("192.0.2.1:30000");
	struct sg_relay *relay = *state;

	sg_port_install(relay, &local, sg_port_live(1, 0, 0, SG_RTP, 1));
	sg_port_rest(relay, &local, 100 * SECOND + 1);
	assert_int_equal(sg_port_until_second(*word_of(relay, &local)), 101);
	sg_port_install(relay, &local, sg_port_live(1, 0, 0, SG_RTP, 1));
	sg_port_rest(relay, &local, 100 * SECOND);
	assert_int_equal(sg_port_until_second(*word_of(relay, &local)), 100);
}

static void only_a_live_port_goes_to_rest(void **state)
{
	struct sg_endpoint local = unit_endpoint("192.0.2.1:30000");
	struct sg_relay *relay = *state;

	assert_true(sg_address_slot(relay, local.addr, true) >= 0);
	sg_port_rest(relay, &local, sg_now_ns() + 32 * SECOND);
	assert_int_equal(*word_of(relay, &local), 0);
	*word_of(relay, &local) = sg_port_resting(77);
	sg_port_rest(relay, &local, 99 * SECOND);
	assert_int_equal(sg_port_until_second(*word_of(relay, &local)), 77);
}

static void sweeping_frees_what_is_due(void **state)
{
	struct sg_endpoint due = unit_endpoint("192.0.2.1:30000");
	struct sg_endpoint later = unit_endpoint("192.0.2.2:30000");
	struct sg_endpoint live = unit_endpoint("192.0.2.2:30002");
	uint64_t live_word = sg_port_live(3, 0, 0, SG_RTP, 1);
	struct sg_relay *relay = *state;
	uint64_t next_ns;

	sg_port_install(relay, &due, sg_port_resting(100));
	sg_port_install(relay, &later, sg_port_resting(103));
	sg_port_install(relay, &live, live_word);
	sg_port_sweep(relay, 100 * SECOND - 1, &next_ns);
	assert_true(next_ns == 100 * SECOND);
	sg_port_sweep(relay, 100 * SECOND, &next_ns);
	assert_true(next_ns == 103 * SECOND);
	assert_int_equal(*word_of(relay, &due), 0);
	assert_int_equal(sg_port_until_second(*word_of(relay, &later)), 103);
	sg_port_sweep(relay, 103 * SECOND, &next_ns);
	assert_int_equal(next_ns, 0);
	assert_true(*word_of(relay, &live) == live_word);
}

/* ---- the list ------------------------------------------------------------------------------- */

static void lists_live_and_resting_ports(void **state)
{
	struct sg_endpoint first = unit_endpoint("192.0.2.1:1");
	struct sg_endpoint last = unit_endpoint("192.0.2.1:65535");
	struct sg_endpoint other = unit_endpoint("[2001:db8::1]:30001");
	struct sg_endpoint over = unit_endpoint("[2001:db8::1]:30002");
	struct sg_relay *relay = *state;
	struct sg_port_info info;
	uint32_t cursor = 0;

	sg_port_install(relay, &first, sg_port_live(7, 1, 3, SG_RTCP, 1));
	sg_port_install(relay, &last, sg_port_live(8, 0, 0, SG_MUX, 1));
	sg_port_install(relay, &other, sg_port_resting((uint32_t)(sg_now_ns() / SECOND) + 30));
	sg_port_install(relay, &over, sg_port_resting(0));

	assert_true(sg_port_next(relay, &cursor, &info));
	assert_memory_equal(&info.local, &first, sizeof(first));
	assert_false(info.resting);
	assert_int_equal(info.stream, 7);
	assert_int_equal(info.side, SG_SIDE_B);
	assert_int_equal(info.slot, 3);
	assert_int_equal(info.component, SG_RTCP);

	assert_true(sg_port_next(relay, &cursor, &info));
	assert_memory_equal(&info.local, &last, sizeof(last));
	assert_int_equal(info.stream, 8);
	assert_int_equal(info.component, SG_MUX);

	assert_true(sg_port_next(relay, &cursor, &info));
	assert_memory_equal(&info.local, &other, sizeof(other));
	assert_true(info.resting);
	assert_in_range(info.rest_left_ms, 28000, 30000);

	assert_false(sg_port_next(relay, &cursor, &info));
	assert_false(sg_port_next(relay, &cursor, &info));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_live_word_holds_every_field),
		cmocka_unit_test(a_generation_is_cut_to_16_bits),
		cmocka_unit_test(a_resting_word_holds_its_end),
		cmocka_unit_test_setup_teardown(an_unknown_address_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_live_port_belongs_to_its_side, setup, teardown),
		cmocka_unit_test_setup_teardown(the_neighbours_stay_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rested_port_returns, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rest_is_rounded_up, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_live_port_goes_to_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(sweeping_frees_what_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_live_and_resting_ports, setup, teardown),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
