// SPDX-License-Identifier: BSD-2-Clause
/* Path MTU: too large a packet is answered (RFC 1191, RFC 8201); an answer to us is reported. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../model/tap.h"
#include "copies.h"

#define V4 0
#define V6 3
#define QUOTE 128 /* bytes of the offending packet that the answer carries */

static size_t copy_ethernet(uint8_t *to, const struct frame *in, bool back)
{
	size_t length = frame_get16(in->data + 12) == 0x8100 ? 18 : 14;

	memcpy(to, in->data, length);
	if (back) {
		memcpy(to, in->data + 6, 6);
		memcpy(to + 6, in->data, 6);
	}
	return length;
}

/* "Fragmentation needed" about an IPv4 packet: from its destination to its source. */
static void answer_v4(struct frame *out, const struct frame *in, uint16_t mtu)
{
	size_t l2 = copy_ethernet(out->data, in, true);
	const uint8_t *packet = in->data + l2;
	uint8_t *ip = out->data + l2, *icmp = ip + 20;

	memset(ip, 0, 28);
	ip[0] = 0x45;
	frame_put16(ip + 2, 28 + QUOTE);
	ip[8] = 64;
	ip[9] = 1;
	memcpy(ip + 12, packet + 16, 4);
	memcpy(ip + 16, packet + 12, 4);
	frame_put16(ip + 10, frame_checksum(0, ip, 20));
	icmp[0] = 3;
	icmp[1] = 4;
	frame_put16(icmp + 6, mtu);
	memcpy(icmp + 8, packet, QUOTE);
	frame_put16(icmp + 2, frame_checksum(0, icmp, 8 + QUOTE));
	out->length = l2 + 28 + QUOTE;
}

/* "Packet too big" about an IPv6 packet. */
static void answer_v6(struct frame *out, const struct frame *in, uint16_t mtu)
{
	size_t l2 = copy_ethernet(out->data, in, true);
	const uint8_t *packet = in->data + l2;
	uint8_t *ip = out->data + l2, *icmp = ip + 40;

	memset(ip, 0, 48);
	ip[0] = 0x60;
	frame_put16(ip + 4, 8 + QUOTE);
	ip[6] = 58;
	ip[7] = 64;
	memcpy(ip + 8, packet + 24, 16);
	memcpy(ip + 24, packet + 8, 16);
	icmp[0] = 2;
	frame_put16(icmp + 6, mtu);
	memcpy(icmp + 8, packet, QUOTE);
	frame_put16(icmp + 2, frame_checksum(frame_pseudo_v6(ip + 8, ip + 24, 8 + QUOTE, 58), icmp,
					     8 + QUOTE));
	out->length = l2 + 48 + QUOTE;
}

/* `mtu`: what the sender must be told. */
static void is_answered(struct rig *rig, unsigned from, uint16_t vlan, uint16_t mtu)
{
	struct frame_spec spec = rig_packet(rig, 0, from);
	struct frame in, out, wanted;
	uint64_t before = kernel_drops(rig->kernel, SG_TOO_BIG);

	spec.length = 1000;
	spec.vlan = vlan;
	frame_build(&in, &spec);
	if (from == V6)
		answer_v6(&wanted, &in, mtu);
	else
		answer_v4(&wanted, &in, mtu);
	rig_rare(rig, 0, from)->event_ns = 0; /* answers are limited in their rate */
	assert_int_equal(kernel_run(rig->kernel->main_fd, &in, &out), XDP_TX);
	rig_same_frame(&out, &wanted);
	assert_int_equal(kernel_drops(rig->kernel, SG_TOO_BIG) - before, 1);
}

static void route_between(struct rig *rig, unsigned from, unsigned to)
{
	rig_route(rig, rig_make_route(1u << from, 1u << from, 1u << to, 1u << to));
}

/* An IPv4 header has 20 bytes less than one of IPv6: the sender's limit differs from the path's. */
static void mp1_too_big_is_answered(void **state)
{
	struct rig *rig = *state;

	for (unsigned families = 0; families < 4; families++) {
		unsigned from = families & 1 ? V6 : V4, to = families & 2 ? V6 : V4;
		int difference = (from == V6 ? 20 : 0) - (to == V6 ? 20 : 0);

		route_between(rig, from, to);
		rig_hop(rig, 1, to)->mtu = 900;
		is_answered(rig, from, 0, (uint16_t)(900 + difference));
		is_answered(rig, from, 0x2007, (uint16_t)(900 + difference));
		rig_path(rig, 1, to)->mtu = 800; /* the smaller counts */
		is_answered(rig, from, 0, (uint16_t)(800 + difference));
		rig_hop(rig, 1, to)->mtu = 700;
		is_answered(rig, from, 0, (uint16_t)(700 + difference));
		rig_hop(rig, 1, to)->mtu = 1500;
		rig_path(rig, 1, to)->mtu = 0;
	}
}

static void mp1_exactly_the_mtu_leaves(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, V4), expected;

	spec.length = 1000;
	rig_hop(rig, 1, V4)->mtu = 1028;
	expected = rig_expected(rig, &spec, 0, V4, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	spec = rig_packet(rig, 0, V4);
	spec.length = 1000;
	rig_path(rig, 1, V4)->mtu = 1027;
	rig_ends(rig, &spec, SG_TOO_BIG);
	assert_int_equal(rig_rare(rig, 0, V4)->reason[SG_TOO_BIG], 1);
}

/* RFC 1812 section 4.3.2.8: errors are limited in rate; the packet is dropped all the same. */
static void mp1_answers_are_limited(void **state)
{
	struct rig *rig = *state;
	struct frame in, out;
	int answered = 0;

	rig_hop(rig, 1, V4)->mtu = 900;
	for (int i = 0; i < 20; i++) {
		struct frame_spec spec = rig_packet(rig, 0, V4);
		int action;

		spec.length = 1000;
		frame_build(&in, &spec);
		action = kernel_run(rig->kernel->main_fd, &in, &out);
		assert_true(action == XDP_TX || action == XDP_DROP);
		answered += action == XDP_TX;
	}
	assert_in_range(answered, 1, 3);
}

/* One path too narrow: the other still gets its copy (MP-4). */
static void mp4_too_big_for_one_of_two(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;

	rig_route(rig, rig_make_route(1, 1, 3, 3));
	rig_hop(rig, 1, 0)->mtu = 150;
	expected = rig_expected(rig, &spec, 0, 1, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
}

/* Too large for each of them: the sender must learn it, or it is a black hole. */
static void mp1_too_big_for_all_is_answered(void **state)
{
	struct rig *rig = *state;

	rig_route(rig, rig_make_route(1, 1, 3, 3));
	rig_hop(rig, 1, 0)->mtu = 900;
	rig_hop(rig, 1, 1)->mtu = 900;
	is_answered(rig, V4, 0, 900);
}

/* ---- ICMP about a packet of ours ------------------------------------------------------------- */

/* The packet that path `slot` of side B got from us, as a router behind it quotes it to us. */
static void quote_ours(struct rig *rig, unsigned slot, struct frame *out)
{
	struct frame_spec spec = rig_packet(rig, 1, slot);
	struct model_endpoint ours = spec.dst;
	struct frame sent;

	spec.dst = spec.src;
	spec.src = ours;
	frame_build(&sent, &spec);
	if (slot == V6)
		answer_v6(out, &sent, 1300);
	else
		answer_v4(out, &sent, 1300);
}

static void mp1_icmp_about_us_is_counted_and_passed(void **state)
{
	struct rig *rig = *state;
	struct frame frame;

	quote_ours(rig, V4, &frame);
	rig_frame_ends(rig, &frame, SG_ICMP);
	rig_route(rig, rig_make_route(1, 1, 8, 8));
	quote_ours(rig, V6, &frame);
	rig_frame_ends(rig, &frame, SG_ICMP);
}

/* A message that quotes no packet that we can have sent is the stack's alone. */
static void mp1_icmp_about_others_passes(void **state)
{
	struct rig *rig = *state;
	struct frame frame;

	quote_ours(rig, V4, &frame);
	frame.data[14 + 28 + 20 + 3]++; /* port of the party in the quoted UDP header */
	rig_frame_ends(rig, &frame, SG_NONE);
	quote_ours(rig, V4, &frame);
	frame.data[14 + 28 + 12]++; /* our address in the quoted IP header */
	rig_frame_ends(rig, &frame, SG_NONE);
	quote_ours(rig, V4, &frame);
	frame.data[14 + 20 + 1] = 3; /* port unreachable */
	rig_frame_ends(rig, &frame, SG_NONE);
	quote_ours(rig, V4, &frame);
	frame.length = 14 + 28 + 27; /* cut in the quoted UDP header */
	rig_frame_ends(rig, &frame, SG_NONE);
}

/* ---- no room --------------------------------------------------------------------------------- */

/* IPv6 needs 20 bytes more than IPv4 in front: where metadata leaves so much, the packet leaves. */
static void mp1_room_in_front(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, V4), expected;
	struct frame in, out, wanted;

	route_between(rig, V4, V6);
	frame_build(&in, &spec);
	expected = rig_expected(rig, &spec, 0, V6, SG_RTP);
	frame_build(&wanted, &expected);
	assert_int_equal(kernel_run_meta(rig->kernel->main_fd, &in, 32, &out), XDP_TX);
	rig_same_frame(&out, &wanted);
}

/* A driver that left so much metadata that they do not fit makes the packet undeliverable. */
static void mp1_no_room_in_front(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, V4);
	struct frame in, out;
	uint64_t before = kernel_drops(rig->kernel, SG_NO_ROOM);
	int action;

	route_between(rig, V4, V6);
	frame_build(&in, &spec);
	action = kernel_run_meta(rig->kernel->main_fd, &in, 216, &out);
	if (action == -EINVAL) {
		diag("test runs of this kernel take no more than 32 bytes of metadata");
		skip();
	}
	assert_int_equal(action, XDP_DROP);
	assert_int_equal(kernel_drops(rig->kernel, SG_NO_ROOM) - before, 1);
	assert_int_equal(rig_rare(rig, 0, V4)->reason[SG_NO_ROOM], 1);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mp1_too_big_is_answered),
		T(mp1_exactly_the_mtu_leaves),
		T(mp1_answers_are_limited),
		T(mp4_too_big_for_one_of_two),
		T(mp1_too_big_for_all_is_answered),
		T(mp1_icmp_about_us_is_counted_and_passed),
		T(mp1_icmp_about_others_passes),
		T(mp1_room_in_front),
		T(mp1_no_room_in_front),
	};

	return cmocka_run_group_tests_name("path MTU", tests, rig_setup, rig_teardown);
}
