/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stream, described as the reference model's, installed in the kernel's maps: the fixture of
 * the tests beside this file.
 */
#ifndef SEGUE_TESTS_RIG_H
#define SEGUE_TESTS_RIG_H

#include "kernel.h"

#define RIG_STREAM 5u
#define RIG_GENERATION 7u
#define RIG_NEVER_NS (1ull << 62) /* a time that never comes */

struct rig {
	struct kernel *kernel;
	struct model_stream stream;
	bool mux;
	uint16_t sequence; /* of rig_packet's next packet */
	uint8_t payload[FRAME_MAX];
};

/* Ethernet addresses of ours and of every neighbour, whose next hops differ in bytes 3 and 4. */
extern const uint8_t rig_our_mac[6], rig_router_mac[6];

/* A cmocka group set-up and tear-down: *state is a rig. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* For each test: paths 0..3 of both sides as the trace generator has them (0..2 IPv4, 3 IPv6); path
 * 0 of each side routed, next hops on loopback; counters, windows and device maps empty. */
int rig_reset(void **state);

/* Stores the rig's stream, its addresses, ports, paths and next hops. Run-time state stays. */
void rig_install(struct rig *rig);
void rig_route(struct rig *rig, uint64_t route);
/* The route of these masks, media open both ways, active path 0. */
uint64_t rig_make_route(uint32_t send_a, uint32_t listen_a, uint32_t send_b, uint32_t listen_b);

struct sg_path *rig_path(struct rig *rig, unsigned side, unsigned slot);
struct sg_hop *rig_hop(struct rig *rig, unsigned side, unsigned slot);
struct sg_path_stat *rig_stat(struct rig *rig, unsigned side, unsigned slot);
/* The element whose tx_ fields are about the path. */
struct sg_path_stat *rig_sent(struct rig *rig, unsigned side, unsigned slot);
struct sg_path_rare *rig_rare(struct rig *rig, unsigned side, unsigned slot);
uint64_t *rig_port(struct rig *rig, unsigned side, unsigned slot, unsigned component);
/* The next hop of a path leaves through another NIC. */
void rig_move(struct rig *rig, unsigned side, unsigned slot, enum kernel_nic nic);
/* A device map for copies to these NICs. */
void rig_fanout(struct rig *rig, const enum kernel_nic *nic, unsigned count);

/* The next RTP packet in order from a path, 160 bytes of media; the payload is the rig's. */
struct frame_spec rig_packet(struct rig *rig, unsigned side, unsigned slot);
/* An RTCP packet to the RTCP port, or the RTP port with mux. */
struct frame_spec rig_rtcp(struct rig *rig, unsigned side, unsigned slot);
/* What must leave on a path of the other side for a packet that came to `side`. */
struct frame_spec rig_expected(struct rig *rig, const struct frame_spec *in, unsigned side,
			       unsigned slot, unsigned component);

/* Sends a packet that must end for `reason`, and checks its action and every counter of sg_drop. */
void rig_ends(struct rig *rig, const struct frame_spec *spec, enum sg_reason reason);
/* Sends a packet that must leave through `nic` as `expected`, byte by byte. */
void rig_leaves(struct rig *rig, const struct frame_spec *spec, enum kernel_nic nic,
		const struct frame_spec *expected);
/* The same on frames. */
void rig_frame_ends(struct rig *rig, const struct frame *frame, enum sg_reason reason);
void rig_same_frame(const struct frame *got, const struct frame *wanted);

#endif
