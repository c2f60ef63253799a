// SPDX-License-Identifier: BSD-2-Clause
/* Phase 6: which paths a packet leaves on, and its copies (MP-4, MP-10). */
#include <arpa/inet.h>

#include "../model/tap.h"
#include "copies.h"

static const enum kernel_nic one_nic[] = {KERNEL_LOOPBACK, KERNEL_LOOPBACK, KERNEL_LOOPBACK,
					  KERNEL_LOOPBACK};

static void mp4_no_path_to_send_to(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	rig_route(*state, rig_make_route(1, 1, 0, 1));
	rig_ends(*state, &spec, SG_NO_PATH);
	assert_int_equal(rig_rare(*state, 0, 0)->reason[SG_NO_PATH], 1);
}

static void mp4_next_hop_down(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig->stream.path[1][0].hop_usable = false;
	rig_install(rig);
	rig_ends(rig, &spec, SG_NEXT_HOP);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_NEXT_HOP], 1);
}

/* A path without a next hop names entry 0, which is nobody's. */
static void mp4_no_next_hop(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	rig_path(*state, 1, 0)->nexthop = 0;
	rig_ends(*state, &spec, SG_NEXT_HOP);
}

/* The other half of a next hop is in force from the store of `current` on. */
static void mp12_next_hop_moves_by_one_store(void **state)
{
	struct rig *rig = *state;
	struct sg_nexthop *nexthop = &rig->kernel->nexthop[rig_path(rig, 1, 0)->nexthop];
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;

	nexthop->half[0] = nexthop->half[1];
	nexthop->half[0].dst[5] = 0x77;
	nexthop->current = 0;
	expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
	assert_int_equal(expected.eth_dst[5], 0x77);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
}

static void mp4_two_copies_on_one_nic(void **state)
{
	struct rig *rig = *state;

	rig_fanout(rig, one_nic, 2);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	for (int i = 0; i < 10; i++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		copies_check(rig, &spec, 0, 3);
	}
}

static void mp4_two_copies_on_two_nics(void **state)
{
	static const enum kernel_nic nics[] = {KERNEL_VETH, KERNEL_OTHER_VETH};
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig_fanout(rig, nics, 2);
	rig_move(rig, 1, 0, KERNEL_OTHER_VETH);
	rig_move(rig, 1, 1, KERNEL_VETH);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	copies_check(rig, &spec, 0, 3);
}

/* Two share a NIC, the third (IPv6, tagged) has another. */
static void mp4_three_copies_mixed(void **state)
{
	static const enum kernel_nic nics[] = {KERNEL_VETH, KERNEL_LOOPBACK, KERNEL_VETH};
	struct rig *rig = *state;

	rig_fanout(rig, nics, 3);
	rig_move(rig, 1, 0, KERNEL_VETH);
	rig_move(rig, 1, 3, KERNEL_VETH);
	rig_hop(rig, 1, 3)->vlan = htons(9);
	rig_route(rig, rig_make_route(1, 1, 0xd, 0xd)); /* paths 0, 2, 3 */
	for (int i = 0; i < 10; i++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		copies_check(rig, &spec, 0, 0xd);
	}
}

static void mp4_four_copies(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 1, 3);

	rig_fanout(rig, one_nic, 4);
	rig_route(rig, rig_make_route(0xf, 0xf, 8, 8));
	copies_check(rig, &spec, 1, 0xf);
}

/* Copies without an IPv4 UDP checksum: it stays 0 on one, and is made for the other. */
static void mp1_copies_of_a_packet_without_checksum(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;
	struct frame stamped, out, wanted;

	spec.no_checksum = true;
	rig_fanout(rig, one_nic, 2);
	rig_route(rig, rig_make_route(1, 1, 9, 9));
	copies_stamp(rig, &spec, &stamped);
	expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
	frame_build(&wanted, &expected);
	assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_PASS);
	rig_same_frame(&out, &wanted);
	expected = rig_expected(rig, &spec, 0, 3, SG_RTP);
	expected.no_checksum = false;
	frame_build(&wanted, &expected);
	assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_PASS);
	rig_same_frame(&out, &wanted);
}

static void mp4_a_failed_leg_leaves_the_others(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;

	rig_route(rig, rig_make_route(1, 1, 3, 3));
	rig->stream.path[1][0].hop_usable = false;
	rig_install(rig);
	expected = rig_expected(rig, &spec, 0, 1, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	assert_int_equal(kernel_drops(rig->kernel, SG_NEXT_HOP) > 0, 1);

	rig_fanout(rig, one_nic, 2);
	rig_route(rig, rig_make_route(1, 1, 7, 7));
	spec = rig_packet(rig, 0, 0);
	copies_check(rig, &spec, 0, 6);
}

/* One packet, one count, however many paths it could not take. */
static void mp4_all_legs_failed(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig_route(rig, rig_make_route(1, 1, 3, 3));
	rig->stream.path[1][0].hop_usable = false;
	rig->stream.path[1][1].hop_usable = false;
	rig_install(rig);
	rig_ends(rig, &spec, SG_NEXT_HOP);
}

static void mp4_no_device_map(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	rig_route(*state, rig_make_route(1, 1, 3, 3));
	rig_ends(*state, &spec, SG_FAN_OUT);
	assert_int_equal(rig_rare(*state, 0, 0)->reason[SG_FAN_OUT], 1);
}

/* What was rewritten where it came in leaves as it is: the queue of a NIC has one program for all.
 */
static void mp4_single_copies_pass_egress(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct frame in, single, out;

	rig_route(rig, rig_make_route(1, 1, 1, 1));
	rig_move(rig, 1, 0, KERNEL_VETH);
	frame_build(&in, &spec);
	assert_int_equal(kernel_run(rig->kernel->main_fd, &in, &single), XDP_REDIRECT);
	assert_int_equal(copies_leave(rig, &single, KERNEL_VETH, &out), XDP_PASS);
	rig_same_frame(&out, &single);
}

/* What a NIC gets beyond its copies, or with a stamp that cannot be, ends there. */
static void mp4_copy_without_a_path(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct frame stamped, out;
	uint64_t before;

	rig_fanout(rig, one_nic, 2);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	copies_stamp(rig, &spec, &stamped);
	before = kernel_drops(rig->kernel, SG_COPY);
	assert_int_equal(copies_leave(rig, &stamped, KERNEL_VETH, &out), XDP_DROP);
	for (int i = 0; i < 2; i++)
		assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_PASS);
	assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_DROP);
	stamped.data[12] = 0x08; /* ARP */
	stamped.data[13] = 0x06;
	assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_DROP);
	assert_int_equal(kernel_drops(rig->kernel, SG_COPY) - before, 3);
}

/* A copy is written from what the packet saw on arrival, whatever the route has become (MP-12). */
static void mp12_copies_follow_the_stamp_not_the_route(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;
	struct frame stamped, out, wanted;

	rig_fanout(rig, one_nic, 2);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	copies_stamp(rig, &spec, &stamped);
	rig_route(rig, rig_make_route(1, 1, 4, 4));
	for (unsigned slot = 0; slot < 2; slot++) {
		expected = rig_expected(rig, &spec, 0, slot, SG_RTP);
		frame_build(&wanted, &expected);
		assert_int_equal(copies_leave(rig, &stamped, KERNEL_LOOPBACK, &out), XDP_PASS);
		rig_same_frame(&out, &wanted);
	}
}

static void mp10_rtcp_leaves_on_the_active_path_only(void **state)
{
	struct rig *rig = *state;

	rig_fanout(rig, one_nic, 4);
	for (uint64_t active = 0; active < 4; active++) {
		struct frame_spec spec = rig_rtcp(rig, 0, 0), expected;

		rig_route(rig, rig_make_route(1, 1, 0xf, 0xf) | active << 36);
		expected = rig_expected(rig, &spec, 0, (unsigned)active, SG_RTCP);
		rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	}
}

static void mp10_rtcp_to_a_path_that_is_down(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_rtcp(rig, 0, 0);

	rig->stream.path[1][1].hop_usable = false;
	rig->stream.route = rig_make_route(1, 1, 3, 3) | 1ull << 36;
	rig_install(rig);
	rig_ends(rig, &spec, SG_NEXT_HOP);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mp4_no_path_to_send_to),
		T(mp4_next_hop_down),
		T(mp4_no_next_hop),
		T(mp12_next_hop_moves_by_one_store),
		T(mp4_two_copies_on_one_nic),
		T(mp4_two_copies_on_two_nics),
		T(mp4_three_copies_mixed),
		T(mp4_four_copies),
		T(mp1_copies_of_a_packet_without_checksum),
		T(mp4_a_failed_leg_leaves_the_others),
		T(mp4_all_legs_failed),
		T(mp4_no_device_map),
		T(mp4_copy_without_a_path),
		T(mp4_single_copies_pass_egress),
		T(mp12_copies_follow_the_stamp_not_the_route),
		T(mp10_rtcp_leaves_on_the_active_path_only),
		T(mp10_rtcp_to_a_path_that_is_down),
	};

	return cmocka_run_group_tests_name("sending", tests, rig_setup, rig_teardown);
}
