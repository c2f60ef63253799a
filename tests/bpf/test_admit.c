// SPDX-License-Identifier: BSD-2-Clause
/* Phases 1 to 3: which packets are the relay's, and which may enter. A drop reason each. */
#include <string.h>

#include "../model/generator.h"
#include "../model/tap.h"
#include "rig.h"

static void leaves_normally(struct rig *rig, const struct frame_spec *spec)
{
	struct frame_spec expected = rig_expected(rig, spec, 0, 0, SG_RTP);

	rig_leaves(rig, spec, KERNEL_LOOPBACK, &expected);
}

/* ---- MP-2: not ours -------------------------------------------------------------------------- */

static void mp2_other_port_passes(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.dst.port = 5060;
	rig_ends(*state, &spec, SG_NONE);
}

static void mp2_other_address_passes(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.dst.addr[15]++;
	rig_ends(*state, &spec, SG_NONE);
}

static void mp2_not_udp_passes(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);
	struct frame frame;

	frame_build(&frame, &spec);
	frame.data[14 + 9] = 6;
	rig_frame_ends(*state, &frame, SG_NONE);
	frame.data[12] = 0x08; /* ARP */
	frame.data[13] = 0x06;
	rig_frame_ends(*state, &frame, SG_NONE);
}

/* Cut anywhere, with headers that promise more: malformed, and so the stack's to judge. */
static void mp2_truncated_frames_pass(void **state)
{
	struct rig *rig = *state;

	for (unsigned slot = 0; slot < GENERATOR_PATHS; slot += 3) {
		struct frame_spec spec = rig_packet(rig, 0, slot);
		struct frame frame;

		rig_route(rig, rig_make_route(9, 9, 1, 1));
		frame_build(&frame, &spec);
		while (--frame.length >= 14)
			rig_frame_ends(rig, &frame, SG_NONE);
	}
}

/* ---- MP-1: left to the stack ----------------------------------------------------------------- */

static void mp1_ip_options_pass(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.option_bytes = 8;
	rig_ends(*state, &spec, SG_OPTIONS);
}

static void mp1_ipv6_extension_headers_pass(void **state)
{
	static const uint8_t headers[] = {0, 43, 60};

	for (size_t i = 0; i < sizeof(headers); i++) {
		struct frame_spec spec = rig_packet(*state, 0, 3);

		spec.extension = headers[i];
		/* 0 is hop-by-hop: the builder cannot tell it from none. */
		if (headers[i] == 0) {
			struct frame frame;

			spec.extension = 60;
			frame_build(&frame, &spec);
			frame.data[14 + 6] = 0;
			rig_frame_ends(*state, &frame, SG_OPTIONS);
			continue;
		}
		rig_ends(*state, &spec, SG_OPTIONS);
	}
}

static void mp1_options_of_others_are_not_counted(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.option_bytes = 8;
	spec.dst.addr[15]++;
	rig_ends(*state, &spec, SG_NONE);
}

static void mp1_fragments_pass(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.fragment = FRAME_MF;
	rig_ends(*state, &spec, SG_FRAGMENT);
	for (uint16_t offset = 1; offset < 0x2000; offset = (uint16_t)(offset * 2)) {
		spec.fragment = offset; /* not the first */
		rig_ends(*state, &spec, SG_FRAGMENT);
	}
	spec = rig_packet(*state, 0, 3);
	spec.extension = 44;
	rig_ends(*state, &spec, SG_FRAGMENT);
}

static void mp1_ttl_of_one_passes(void **state)
{
	for (unsigned slot = 0; slot < GENERATOR_PATHS; slot += 3) {
		struct frame_spec spec = rig_packet(*state, 0, slot);

		spec.ttl = 1;
		rig_ends(*state, &spec, SG_TTL);
		spec.ttl = 0;
		rig_ends(*state, &spec, SG_TTL);
	}
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.ttl = 2;
	leaves_normally(*state, &spec);
}

/* ---- MP-2, MP-16: whose port ----------------------------------------------------------------- */

static void mp2_forged_source_is_dropped(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.src.addr[15]++;
	rig_ends(*state, &spec, SG_SOURCE);
	spec = rig_packet(*state, 0, 0);
	spec.src.port++;
	rig_ends(*state, &spec, SG_SOURCE);
	assert_int_equal(rig_rare(*state, 0, 0)->reason[SG_SOURCE], 2);
}

/* The source of one path does not open another path's port. */
static void mp2_right_source_at_another_path_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig_route(rig, rig_make_route(3, 3, 1, 1));
	spec.dst = rig->stream.path[0][1].local[SG_RTP];
	rig_ends(rig, &spec, SG_SOURCE);
}

/* ... nor another of our addresses, where the port has the same number. */
static void mp2_right_source_at_another_address_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct model_path *paths = rig->stream.path[0];
	struct frame_spec spec = rig_packet(rig, 0, 0);

	paths[1].local[SG_RTP] = paths[0].local[SG_RTP];
	paths[1].local[SG_RTP].addr[15] = 9;
	rig->stream.route = rig_make_route(3, 3, 1, 1);
	rig_install(rig);
	spec.dst = paths[1].local[SG_RTP];
	rig_ends(rig, &spec, SG_SOURCE);
}

static void mp16_path_not_listened_to_is_standby(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 1);

	rig_ends(*state, &spec, SG_STANDBY);
	assert_int_equal(rig_rare(*state, 0, 1)->reason[SG_STANDBY], 1);
	rig_route(*state, rig_make_route(1, 3, 1, 1)); /* not sent to, but listened to: a drain */
	leaves_normally(*state, &spec);
}

/* A party that moved while we kept our port: both of its addresses are paths of the one port. */
static void mp16_two_paths_share_a_port(void **state)
{
	struct rig *rig = *state;
	struct model_path *paths = rig->stream.path[0];
	struct frame_spec first, second;

	memcpy(paths[1].local, paths[0].local, sizeof(paths[0].local));
	rig_install(rig); /* the port now names path 1 */
	rig_route(rig, rig_make_route(2, 3, 1, 1));
	first = rig_packet(rig, 0, 0);
	leaves_normally(rig, &first);
	second = rig_packet(rig, 0, 1);
	leaves_normally(rig, &second);
	assert_int_equal(rig_stat(rig, 0, 0)->rx_packets, 1);
	assert_int_equal(rig_stat(rig, 0, 1)->rx_packets, 1);
}

static void mp16_closed_route(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	rig_route(*state, 0);
	rig_ends(*state, &spec, SG_CLOSED);
	spec.src.port++; /* closed is closed to everybody */
	rig_ends(*state, &spec, SG_CLOSED);
}

static void mp16_stale_port(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	*rig_port(*state, 0, 0, SG_RTP) =
		sg_port_live(RIG_STREAM, 0, 0, SG_RTP, RIG_GENERATION - 1);
	rig_ends(*state, &spec, SG_STALE);
	*rig_port(*state, 0, 0, SG_RTP) =
		sg_port_live(KERNEL_CAPACITY, 0, 0, SG_RTP, RIG_GENERATION);
	rig_ends(*state, &spec, SG_STALE);
}

static void mp16_resting_port(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	*rig_port(*state, 0, 0, SG_RTP) = sg_port_resting(1);
	rig_ends(*state, &spec, SG_RESTING);
}

/* ---- MP-3: what kind ------------------------------------------------------------------------- */

static void mp3_first_byte(void **state)
{
	struct rig *rig = *state;

	for (unsigned byte = 0; byte < 256; byte++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		rig->payload[0] = (uint8_t)byte;
		if (byte >= 128 && byte <= 191)
			leaves_normally(rig, &spec);
		else
			rig_ends(rig, &spec, SG_NOT_MEDIA);
	}
}

static void mp3_empty_payload_is_not_media(void **state)
{
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.length = 0;
	rig_ends(*state, &spec, SG_NOT_MEDIA);
}

/* STUN from a stranger must not reach user space through the relay's port. */
static void mp3_not_media_of_a_forged_source_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig->payload[0] = 0;
	spec.src.port++;
	rig_ends(rig, &spec, SG_SOURCE);
}

static void mp3_short_rtp(void **state)
{
	for (size_t length = 1; length < 12; length++) {
		struct frame_spec spec = rig_packet(*state, 0, 0);

		spec.length = length;
		rig_ends(*state, &spec, SG_BAD_RTP);
	}
	assert_int_equal(rig_rare(*state, 0, 0)->reason[SG_BAD_RTP], 11);
	struct frame_spec spec = rig_packet(*state, 0, 0);

	spec.length = 12;
	leaves_normally(*state, &spec);
}

static void mp3_short_rtcp(void **state)
{
	for (size_t length = 1; length < 8; length++) {
		struct frame_spec spec = rig_rtcp(*state, 0, 0);

		spec.length = length;
		rig_ends(*state, &spec, SG_BAD_RTP);
	}
}

/* With mux the packet type decides; without, the port does. */
static void mp3_rtcp_by_packet_type(void **state)
{
	struct rig *rig = *state;

	rig->mux = true;
	for (unsigned type = 0; type < 256; type++) {
		struct frame_spec spec, expected;
		bool rtcp = type >= 192 && type <= 223;

		rig_install(rig);
		spec = rig_packet(rig, 0, 0);
		rig->payload[1] = (uint8_t)type;
		spec.length = 11; /* enough for RTCP only */
		expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
		if (rtcp)
			rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
		else
			rig_ends(rig, &spec, SG_BAD_RTP);
	}
	assert_int_equal(rig_rare(rig, 0, 0)->rtcp_packets, 32);
	assert_int_equal(rig_stat(rig, 0, 0)->rx_packets, 0);
}

static void mp3_any_type_on_the_rtp_port_is_rtp(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig->payload[1] = 200;
	leaves_normally(rig, &spec);
	assert_int_equal(rig_rare(rig, 0, 0)->rtcp_packets, 0);
}

/* ---- MP-13: direction ------------------------------------------------------------------------ */

static void mp13_hold(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0), expected;
	uint64_t route = rig->stream.route;

	rig_route(rig, route & ~SG_ROUTE_OPEN_AB);
	rig_ends(rig, &spec, SG_DIRECTION);
	rig_route(rig, route); /* it did not enter the window: the same packet passes */
	leaves_normally(rig, &spec);

	rig_route(rig, route & ~SG_ROUTE_OPEN_AB);
	spec = rig_packet(rig, 1, 0); /* the other direction is open */
	expected = rig_expected(rig, &spec, 1, 0, SG_RTP);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_DIRECTION], 1);
}

static void mp13_rtcp_flows_during_hold(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_rtcp(rig, 0, 0);
	struct frame_spec expected = rig_expected(rig, &spec, 0, 0, SG_RTCP);

	rig_route(rig, rig->stream.route & ~(SG_ROUTE_OPEN_AB | SG_ROUTE_OPEN_BA));
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mp2_other_port_passes),
		T(mp2_other_address_passes),
		T(mp2_not_udp_passes),
		T(mp2_truncated_frames_pass),
		T(mp1_ip_options_pass),
		T(mp1_ipv6_extension_headers_pass),
		T(mp1_options_of_others_are_not_counted),
		T(mp1_fragments_pass),
		T(mp1_ttl_of_one_passes),
		T(mp2_forged_source_is_dropped),
		T(mp2_right_source_at_another_path_is_dropped),
		T(mp2_right_source_at_another_address_is_dropped),
		T(mp16_path_not_listened_to_is_standby),
		T(mp16_two_paths_share_a_port),
		T(mp16_closed_route),
		T(mp16_stale_port),
		T(mp16_resting_port),
		T(mp3_first_byte),
		T(mp3_empty_payload_is_not_media),
		T(mp3_not_media_of_a_forged_source_is_dropped),
		T(mp3_short_rtp),
		T(mp3_short_rtcp),
		T(mp3_rtcp_by_packet_type),
		T(mp3_any_type_on_the_rtp_port_is_rtp),
		T(mp13_hold),
		T(mp13_rtcp_flows_during_hold),
	};

	return cmocka_run_group_tests_name("admission", tests, rig_setup, rig_teardown);
}
