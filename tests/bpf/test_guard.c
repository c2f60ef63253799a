// SPDX-License-Identifier: BSD-2-Clause
/* The guard: who is banned reaches no port that the guard stands at, and nothing else of him, and
 * nobody else, is touched. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../model/tap.h"
#include "rig.h"

#define SIP_PORT 5060
#define IP_AT 14 /* of a frame without a VLAN */
#define NEVER UINT64_MAX

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* ---- maps ------------------------------------------------------------------------------------ */

static void clear(int fd, void *key)
{
	while (bpf_map_get_next_key(fd, NULL, key) == 0)
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

static void guard_port(struct rig *rig, const struct model_endpoint *at, uint8_t protocol)
{
	struct sg_guard_port_key key = {.port = htons(at->port), .protocol = protocol};
	uint32_t one = 1;

	memcpy(key.addr, at->addr, 16);
	assert_int_equal(bpf_map_update_elem(kernel_map(rig->kernel, "sg_guard"), &key, &one, 0),
			 0);
}

/* As relay/guard.c: the key of an IPv6 source is its /64. */
static struct sg_ban_key ban_key(const uint8_t addr[16])
{
	struct sg_ban_key key;

	memcpy(key.addr, addr, 16);
	if (!frame_is_v4(addr))
		memset(&key.addr[2], 0, 8);
	return key;
}

static void ban(struct rig *rig, const uint8_t addr[16], uint64_t until_ns)
{
	struct sg_ban_key key = ban_key(addr);
	struct sg_ban value = {.until_ns = until_ns, .cause = "test"};

	assert_int_equal(bpf_map_update_elem(kernel_map(rig->kernel, "sg_ban"), &key, &value, 0),
			 0);
}

static uint64_t dropped(struct rig *rig, const uint8_t addr[16])
{
	struct sg_ban_key key = ban_key(addr);
	struct sg_ban value;

	assert_int_equal(bpf_map_lookup_elem(kernel_map(rig->kernel, "sg_ban"), &key, &value), 0);
	return value.dropped;
}

static void allow(struct rig *rig, const uint8_t addr[16], uint32_t bits)
{
	struct sg_guard_allow_key key = {.bits = bits};
	uint32_t one = 1;

	memcpy(key.addr, addr, 16);
	assert_int_equal(bpf_map_update_elem(kernel_map(rig->kernel, "sg_allow"), &key, &one, 0),
			 0);
}

/* A SIP datagram from a path's remote address; slot 0 is IPv4, slot 3 IPv6. */
static struct frame_spec visit(struct rig *rig, unsigned slot)
{
	struct frame_spec spec = rig_packet(rig, 0, slot);

	spec.dst.port = SIP_PORT;
	spec.src.port = 40000;
	return spec;
}

static int setup(void **state)
{
	struct rig *rig;
	struct sg_guard_port_key port;
	struct sg_guard_allow_key network;
	struct sg_ban_key source;
	int ret = rig_reset(state);

	rig = *state;
	clear(kernel_map(rig->kernel, "sg_guard"), &port);
	clear(kernel_map(rig->kernel, "sg_allow"), &network);
	clear(kernel_map(rig->kernel, "sg_ban"), &source);
	for (unsigned slot = 0; slot < 4; slot += 3) {
		struct frame_spec spec = visit(rig, slot);
		struct model_endpoint whole = spec.dst;

		guard_port(rig, &spec.dst, IPPROTO_UDP);
		guard_port(rig, &spec.dst, IPPROTO_TCP);
		whole.port = 0;
		guard_port(rig, &whole, 0);
	}
	return ret;
}

/* ---- who is refused -------------------------------------------------------------------------- */

static void a_ban_ends_at_its_time(void **state)
{
	for (unsigned slot = 0; slot < 4; slot += 3) {
		struct frame_spec spec = visit(*state, slot);

		rig_ends(*state, &spec, SG_NONE);
		ban(*state, spec.src.addr, NEVER);
		rig_ends(*state, &spec, SG_BANNED);
		rig_ends(*state, &spec, SG_BANNED);
		assert_int_equal(dropped(*state, spec.src.addr), 2);
		ban(*state, spec.src.addr, now_ns() + 3600000000000ull);
		rig_ends(*state, &spec, SG_BANNED);
		ban(*state, spec.src.addr, now_ns());
		rig_ends(*state, &spec, SG_NONE);
		assert_int_equal(dropped(*state, spec.src.addr), 0);
	}
}

static void only_what_is_guarded_is_refused(void **state)
{
	for (unsigned slot = 0; slot < 4; slot += 3) {
		struct frame_spec spec = visit(*state, slot), other = spec;

		ban(*state, spec.src.addr, NEVER);
		rig_ends(*state, &spec, SG_BANNED);
		other.dst.port++;
		rig_ends(*state, &other, SG_NONE);
		other = spec;
		other.dst.addr[15] ^= 0x40;
		rig_ends(*state, &other, SG_NONE);
		other = spec;
		other.src.port++;
		rig_ends(*state, &other, SG_BANNED);
	}
}

static void an_ipv4_source_is_one_address(void **state)
{
	struct frame_spec spec = visit(*state, 0);

	ban(*state, spec.src.addr, NEVER);
	spec.src.addr[15] ^= 1;
	rig_ends(*state, &spec, SG_NONE);
}

static void an_ipv6_source_is_its_network(void **state)
{
	struct frame_spec spec = visit(*state, 3);

	ban(*state, spec.src.addr, NEVER);
	spec.src.addr[15] ^= 0xff;
	spec.src.addr[8] ^= 0xff;
	rig_ends(*state, &spec, SG_BANNED);
	spec.src.addr[7] ^= 1;
	rig_ends(*state, &spec, SG_NONE);
}

static void tcp_is_refused_too(void **state)
{
	static const size_t protocol_at[] = {IP_AT + 9, IP_AT + 6};

	for (unsigned i = 0; i < 2; i++) {
		struct frame_spec spec = visit(*state, i * 3);
		struct frame frame;

		ban(*state, spec.src.addr, NEVER);
		frame_build(&frame, &spec);
		frame.data[protocol_at[i]] = IPPROTO_TCP;
		rig_frame_ends(*state, &frame, SG_BANNED);
		/* neither of them has ports there */
		frame.data[protocol_at[i]] = 50; /* ESP */
		rig_frame_ends(*state, &frame, SG_NONE);
	}
}

static void a_vlan_does_not_hide(void **state)
{
	struct frame_spec spec = visit(*state, 0);

	spec.vlan = 7;
	rig_ends(*state, &spec, SG_NONE);
	ban(*state, spec.src.addr, NEVER);
	rig_ends(*state, &spec, SG_BANNED);
}

/* Else a banned source would go on in fragments, whose port nobody reads here. */
static void fragments_and_options_do_not_hide(void **state)
{
	struct frame_spec first = visit(*state, 0), rest = first, options = first;
	struct frame_spec v6 = visit(*state, 3);

	first.fragment = FRAME_MF;
	rest.fragment = 100;
	options.option_bytes = 8;
	v6.extension = 44;
	rig_ends(*state, &first, SG_FRAGMENT);
	rig_ends(*state, &options, SG_OPTIONS);
	rig_ends(*state, &v6, SG_FRAGMENT);
	ban(*state, first.src.addr, NEVER);
	ban(*state, v6.src.addr, NEVER);
	rig_ends(*state, &first, SG_BANNED);
	rig_ends(*state, &rest, SG_BANNED);
	rig_ends(*state, &options, SG_BANNED);
	rig_ends(*state, &v6, SG_BANNED);
	v6.extension = 60;
	rig_ends(*state, &v6, SG_BANNED);
	v6.dst.addr[15] ^= 0x40; /* an address of somebody else */
	rig_ends(*state, &v6, SG_NONE);
}

static void icmp_passes(void **state)
{
	static const struct {
		unsigned slot;
		size_t at;
		uint8_t protocol;
	} icmp[] = {{0, IP_AT + 9, IPPROTO_ICMP}, {3, IP_AT + 6, IPPROTO_ICMPV6}};

	for (unsigned i = 0; i < 2; i++) {
		struct frame_spec spec = visit(*state, icmp[i].slot);
		struct frame frame;

		ban(*state, spec.src.addr, NEVER);
		frame_build(&frame, &spec);
		frame.data[icmp[i].at] = icmp[i].protocol;
		rig_frame_ends(*state, &frame, SG_NONE);
	}
}

static void truncated_frames_pass(void **state)
{
	for (unsigned slot = 0; slot < 4; slot += 3) {
		struct frame_spec spec = visit(*state, slot);
		size_t ports = IP_AT + (slot ? 40 : 20) + 4;
		struct frame frame;

		ban(*state, spec.src.addr, NEVER);
		frame_build(&frame, &spec);
		while (--frame.length >= ports)
			rig_frame_ends(*state, &frame, SG_BANNED);
		for (; frame.length >= 14; frame.length--)
			rig_frame_ends(*state, &frame, SG_NONE);
	}
}

/* ---- who is not ------------------------------------------------------------------------------ */

static void an_allowed_source_is_heard(void **state)
{
	for (unsigned slot = 0; slot < 4; slot += 3) {
		struct frame_spec spec = visit(*state, slot);

		ban(*state, spec.src.addr, NEVER);
		rig_ends(*state, &spec, SG_BANNED);
		allow(*state, spec.src.addr, slot ? 56 : 96 + 24);
		rig_ends(*state, &spec, SG_NONE);
		assert_int_equal(dropped(*state, spec.src.addr), 1);
	}
}

static void another_allowed_network_does_not_help(void **state)
{
	struct frame_spec spec = visit(*state, 0);
	uint8_t other[16];

	memcpy(other, spec.src.addr, 16);
	other[15] ^= 1;
	ban(*state, spec.src.addr, NEVER);
	allow(*state, other, 128);
	rig_ends(*state, &spec, SG_BANNED);
}

static void media_of_a_banned_source_goes_on(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct frame_spec expected = rig_expected(rig, &spec, 0, 0, SG_RTP);
	struct model_endpoint at = spec.dst;

	ban(rig, spec.src.addr, NEVER);
	guard_port(rig, &at, IPPROTO_UDP); /* even then */
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
	assert_int_equal(dropped(rig, spec.src.addr), 0);
}

/* ---- its bounds ------------------------------------------------------------------------------ */

/* More sources than there is room for: none is refused a place, and who goes on sending keeps his.
 */
static void a_flood_of_bans_keeps_the_active_ones(void **state)
{
	struct frame_spec spec = visit(*state, 0);
	uint8_t other[16];

	ban(*state, spec.src.addr, NEVER);
	memcpy(other, spec.src.addr, 16);
	other[12] = 11;
	for (uint32_t i = 0; i < 2 * SG_BANS; i++) {
		uint32_t number = htonl(i);

		memcpy(other + 13, (uint8_t *)&number + 1, 3);
		ban(*state, other, NEVER);
		if (i % 64 == 0)
			rig_ends(*state, &spec, SG_BANNED);
	}
	rig_ends(*state, &spec, SG_BANNED);
}

static unsigned cost(struct rig *rig, const struct frame_spec *spec)
{
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .repeat = 200000);

	frame_build(&frame, spec);
	opts.data_size_in = (uint32_t)frame.length;
	assert_int_equal(bpf_prog_test_run_opts(rig->kernel->main_fd, &opts), 0);
	return opts.duration;
}

static void what_it_costs(void **state)
{
	struct frame_spec spec = visit(*state, 0), other = spec, media = rig_packet(*state, 0, 0);
	struct sg_guard_port_key port;

	other.dst.port++;
	diag("a packet to another port of the host: %u ns", cost(*state, &other));
	diag("a packet to a guarded port: %u ns", cost(*state, &spec));
	ban(*state, spec.src.addr, NEVER);
	diag("a packet from a banned source: %u ns", cost(*state, &spec));
	assert_int_equal(dropped(*state, spec.src.addr), 200000);
	/* After the first one, which leaves, all are copies of it and end at the window, as they
	 * came. */
	cost(*state, &media);
	diag("a media packet of that source, up to the window, with the guard: %u ns",
	     cost(*state, &media));
	clear(kernel_map(((struct rig *)*state)->kernel, "sg_guard"), &port);
	diag("and without: %u ns", cost(*state, &media));
	assert_int_equal(dropped(*state, spec.src.addr), 200000);
}

#define T(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_ban_ends_at_its_time),
		T(only_what_is_guarded_is_refused),
		T(an_ipv4_source_is_one_address),
		T(an_ipv6_source_is_its_network),
		T(tcp_is_refused_too),
		T(a_vlan_does_not_hide),
		T(fragments_and_options_do_not_hide),
		T(icmp_passes),
		T(truncated_frames_pass),
		T(an_allowed_source_is_heard),
		T(another_allowed_network_does_not_help),
		T(media_of_a_banned_source_goes_on),
		T(a_flood_of_bans_keeps_the_active_ones),
		T(what_it_costs),
	};

	return cmocka_run_group_tests_name("the guard", tests, rig_setup, rig_teardown);
}
