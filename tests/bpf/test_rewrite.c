// SPDX-License-Identifier: BSD-2-Clause
/* MP-1, MP-4: every byte of what leaves, for each crossing of IPv4, IPv6 and VLAN. */
#include <arpa/inet.h>
#include <string.h>

#include "../model/tap.h"
#include "rig.h"

#define V4 0 /* slots of the rig's paths by family */
#define V6 3

static void route_between(struct rig *rig, unsigned from, unsigned to)
{
	rig_route(rig, rig_make_route(1u << from, 1u << from, 1u << to, 1u << to));
}

static void leaves(struct rig *rig, const struct frame_spec *spec, unsigned to)
{
	struct frame_spec expected = rig_expected(rig, spec, 0, to, SG_RTP);

	rig_leaves(rig, spec, KERNEL_LOOPBACK, &expected);
}

/* All payload lengths, odd ones and those padded on the wire among them. */
static void crossing(struct rig *rig, unsigned from, unsigned to)
{
	route_between(rig, from, to);
	for (size_t length = 12; length < 400; length++) {
		struct frame_spec spec = rig_packet(rig, 0, from);

		spec.length = length;
		leaves(rig, &spec, to);
	}
}

static void mp1_ipv4_to_ipv4(void **state)
{
	crossing(*state, V4, V4);
}

static void mp1_ipv6_to_ipv6(void **state)
{
	crossing(*state, V6, V6);
}

static void mp1_ipv4_to_ipv6(void **state)
{
	crossing(*state, V4, V6);
}

static void mp1_ipv6_to_ipv4(void **state)
{
	crossing(*state, V6, V4);
}

static void mp1_largest_packet(void **state)
{
	static const size_t largest[] = {[V4] = 1500 - 28, [V6] = 1500 - 48};

	for (unsigned from = 0; from <= V6; from += V6) {
		for (unsigned to = 0; to <= V6; to += V6) {
			struct frame_spec spec = rig_packet(*state, 0, from);

			route_between(*state, from, to);
			spec.length = largest[to];
			leaves(*state, &spec, to);
		}
	}
}

/* Every tag on the way in with every tag on the way out. */
static void mp1_vlan(void **state)
{
	static const uint16_t tags[] = {0, 7, 0xe123}; /* none; a VLAN; one with a priority */
	struct rig *rig = *state;

	for (unsigned families = 0; families < 4; families++) {
		unsigned from = families & 1 ? V6 : V4, to = families & 2 ? V6 : V4;

		route_between(rig, from, to);
		for (unsigned pair = 0; pair < 9; pair++) {
			struct frame_spec spec = rig_packet(rig, 0, from);

			spec.vlan = tags[pair / 3];
			rig_hop(rig, 1, to)->vlan = htons(tags[pair % 3]);
			leaves(rig, &spec, to);
		}
	}
}

/* RFC 768: no checksum stays none over IPv4. */
static void mp1_udp_checksum_zero_stays(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, V4);

	spec.no_checksum = true;
	leaves(*state, &spec, V4);
}

/* ... and becomes a whole one over IPv6, where it is mandatory (RFC 8200 section 8.1). */
static void mp1_udp_checksum_is_made_for_ipv6(void **state)
{
	struct rig *rig = *state;

	route_between(rig, V4, V6);
	for (unsigned vlan = 0; vlan < 2; vlan++) {
		rig_hop(rig, 1, V6)->vlan = htons(vlan ? 7 : 0);
		for (size_t length = 12; length <= 1452; length++) {
			struct frame_spec spec = rig_packet(rig, 0, V4), expected;

			spec.length = length;
			spec.no_checksum = true;
			expected = rig_expected(rig, &spec, 0, V6, SG_RTP);
			expected.no_checksum = false;
			rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
		}
	}
}

/*
 * The timestamp takes every value that matters, so the checksum does too: also the one that would
 * be 0 and is sent as 0xffff, before and after.
 */
static void mp1_every_checksum(void **state)
{
	struct rig *rig = *state;

	for (unsigned families = 0; families < 4; families++) {
		unsigned from = families & 1 ? V6 : V4, to = families & 2 ? V6 : V4;

		route_between(rig, from, to);
		for (uint32_t value = 0; value < 65536; value++) {
			struct frame_spec spec = rig_packet(rig, 0, from);

			spec.length = 12;
			frame_put16(rig->payload + 6, (uint16_t)value);
			leaves(rig, &spec, to);
		}
	}
}

/* Frames shorter than 60 bytes are padded on the wire: the padding is no part of the checksum. */
static void mp1_padded_frame(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, V4), expected;
	struct frame in, out, wanted;

	route_between(rig, V4, V6);
	spec.length = 12;
	spec.no_checksum = true;
	frame_build(&in, &spec);
	memset(in.data + in.length, 0xa5, 60 - in.length);
	in.length = 60;
	expected = rig_expected(rig, &spec, 0, V6, SG_RTP);
	expected.no_checksum = false;
	frame_build(&wanted, &expected);
	assert_int_equal(kernel_run(rig->kernel->main_fd, &in, &out), XDP_TX);
	assert_true(out.length >= wanted.length);
	assert_memory_equal(out.data, wanted.data, wanted.length);
}

static void mp1_ttl_and_hop_limit(void **state)
{
	for (unsigned ttl = 2; ttl < 256; ttl++) {
		struct frame_spec spec = rig_packet(*state, 0, V4);

		route_between(*state, V4, V4);
		spec.ttl = (uint8_t)ttl;
		leaves(*state, &spec, V4);
		route_between(*state, V6, V6);
		spec = rig_packet(*state, 0, V6);
		spec.ttl = (uint8_t)ttl;
		leaves(*state, &spec, V6);
	}
}

/* The path's DSCP, or the one that came in; the ECN bits are the network's (RFC 3168). */
static void mp1_dscp(void **state)
{
	struct rig *rig = *state;

	for (unsigned families = 0; families < 4; families++) {
		unsigned from = families & 1 ? V6 : V4, to = families & 2 ? V6 : V4;

		route_between(rig, from, to);
		for (unsigned tos = 0; tos < 256; tos++) {
			struct frame_spec spec = rig_packet(rig, 0, from);
			struct sg_path *path = rig_path(rig, 1, to);

			spec.tos = (uint8_t)tos;
			path->dscp = 46;
			path->flags &= (uint16_t)~SG_PATH_KEEP_DSCP;
			leaves(rig, &spec, to);
			path->flags |= SG_PATH_KEEP_DSCP;
			spec = rig_packet(rig, 0, from);
			spec.tos = (uint8_t)tos;
			leaves(rig, &spec, to);
		}
	}
}

/* RFC 791: the identification and "don't fragment" belong to the packet, not to us. */
static void mp1_identification_and_df(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, V4);

	spec.fragment = 0;
	spec.id = 0xbeef;
	leaves(*state, &spec, V4);
}

/* MP-4, MP-11: extension, CSRCs, padding, encryption: no byte above UDP is ours. */
static void mp11_payload_is_opaque(void **state)
{
	struct rig *rig = *state;

	for (unsigned first = 128; first < 192; first++) {
		struct frame_spec spec = rig_packet(rig, 0, V4);

		rig->payload[0] = (uint8_t)first;
		leaves(rig, &spec, V4);
	}
}

static void mp1_rtcp_ports(void **state)
{
	struct frame_spec spec = rig_rtcp(*state, 0, V4);
	struct frame_spec expected = rig_expected(*state, &spec, 0, V4, SG_RTCP);

	rig_leaves(*state, &spec, KERNEL_LOOPBACK, &expected);
	assert_int_not_equal(expected.src.port, rig_packet(*state, 0, V4).dst.port);
}

static void mp1_both_directions_and_nics(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 1, 0);
	struct frame_spec expected = rig_expected(rig, &spec, 1, 0, SG_RTP);

	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	rig_move(rig, 0, 0, KERNEL_VETH);
	spec = rig_packet(rig, 1, 0);
	expected = rig_expected(rig, &spec, 1, 0, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_VETH, &expected);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mp1_ipv4_to_ipv4),
		T(mp1_ipv6_to_ipv6),
		T(mp1_ipv4_to_ipv6),
		T(mp1_ipv6_to_ipv4),
		T(mp1_largest_packet),
		T(mp1_vlan),
		T(mp1_udp_checksum_zero_stays),
		T(mp1_udp_checksum_is_made_for_ipv6),
		T(mp1_every_checksum),
		T(mp1_padded_frame),
		T(mp1_ttl_and_hop_limit),
		T(mp1_dscp),
		T(mp1_identification_and_df),
		T(mp11_payload_is_opaque),
		T(mp1_rtcp_ports),
		T(mp1_both_directions_and_nics),
	};

	return cmocka_run_group_tests_name("rewriting", tests, rig_setup, rig_teardown);
}
