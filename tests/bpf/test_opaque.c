/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams that are no RTP: any datagram of the party passes, is counted, and is never copied. */
#include <arpa/inet.h>

#include "../model/tap.h"
#include "rig.h"

/* T.38 over UDPTL (T.38 9.1): a sequence number, one packet of the fax, no older ones. */
static const uint8_t udptl[] = {0x00, 0x07, 0x01, 0x04, 0x00, 0x00};

static void make_opaque(struct rig *rig)
{
	for (unsigned side = 0; side < SG_SIDES; side++)
		*rig_port(rig, side, 0, SG_RTP) =
			sg_port_live(RIG_STREAM, side, 0, SG_OPAQUE, RIG_GENERATION);
}

static struct frame_spec fax(struct rig *rig)
{
	struct frame_spec spec = rig_packet(rig, 0, 0);

	spec.payload = udptl;
	spec.length = sizeof(udptl);
	return spec;
}

static void it_takes_a_port_of_its_kind(void **state)
{
	struct frame_spec spec = fax(*state);

	rig_ends(*state, &spec, SG_NOT_MEDIA);
}

static void anything_passes_as_often_as_it_comes(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = fax(rig), expected;
	static const size_t lengths[] = {sizeof(udptl), 1, 0};

	make_opaque(rig);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]) * 2; i++) {
		spec.length = lengths[i / 2];
		expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
		rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	}
	spec = rig_packet(rig, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
		rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	}
	assert_int_equal(rig_stat(rig, 0, 0)->rx_packets, 8);
	assert_int_equal(rig_sent(rig, 1, 0)->tx_packets, 8);
	assert_int_not_equal(rig_stat(rig, 0, 0)->last_ns, 0);
	assert_int_not_equal(rig_rare(rig, 0, 0)->first_ns, 0);
	assert_int_equal(rig_stat(rig, 0, 0)->received, 0); /* nothing that loss could be told by */
	assert_int_equal(rig_rare(rig, 0, 0)->rtcp_packets, 0);
}

static void only_on_the_active_path(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = fax(rig), expected;
	uint64_t route = rig_make_route(1, 1, 3, 3);

	make_opaque(rig);
	rig_route(rig, route);
	expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	rig_route(rig, route | 1ull << 36);
	expected = rig_expected(rig, &spec, 0, 1, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
}

static void strangers_and_closed_directions_end_it(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = fax(rig);

	make_opaque(rig);
	rig_route(rig, rig_make_route(1, 1, 1, 1) & ~SG_ROUTE_OPEN_AB);
	rig_ends(rig, &spec, SG_DIRECTION);
	rig_route(rig, rig_make_route(1, 1, 1, 1));
	spec.src.port ^= 1;
	rig_ends(rig, &spec, SG_SOURCE);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_takes_a_port_of_its_kind),
		T(anything_passes_as_often_as_it_comes),
		T(only_on_the_active_path),
		T(strangers_and_closed_directions_end_it),
	};

	return cmocka_run_group_tests_name("opaque", tests, rig_setup, rig_teardown);
}
