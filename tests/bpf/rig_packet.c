/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of the rig's stream, and what must become of them. */
#include <arpa/inet.h>
#include <string.h>

#include "../model/tap.h"
#include "rig.h"

const uint8_t rig_our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
const uint8_t rig_router_mac[6] = {0x02, 0, 0, 0, 0, 0x02};

/* ---- packets --------------------------------------------------------------------------------- */

static struct frame_spec packet(struct rig *rig, unsigned side, unsigned slot, unsigned component)
{
	const struct model_path *path = &rig->stream.path[side][slot];
	struct frame_spec spec = {
		.src = path->remote[component],
		.dst = path->local[component],
		.tos = 0xb9, /* expedited forwarding, ECT(1) */
		.ttl = 61,
		.id = 0x1234,
		.fragment = FRAME_DF,
		.flow_label = 0x54321,
		.payload = rig->payload,
		.length = 172,
	};

	memcpy(spec.eth_dst, rig_our_mac, 6);
	memcpy(spec.eth_src, rig_router_mac, 6);
	return spec;
}

struct frame_spec rig_packet(struct rig *rig, unsigned side, unsigned slot)
{
	for (size_t i = 0; i < sizeof(rig->payload); i++)
		rig->payload[i] = (uint8_t)(i * 7 + rig->sequence);
	rig->payload[0] = 0x80;
	rig->payload[1] = 0x88;
	frame_put16(rig->payload + 2, rig->sequence++);
	frame_put16(rig->payload + 4, 0);
	frame_put16(rig->payload + 6, (uint16_t)(rig->sequence * 160));
	frame_put16(rig->payload + 8, 0xfeed);
	frame_put16(rig->payload + 10, (uint16_t)(0xbe00 + side));
	return packet(rig, side, slot, SG_RTP);
}

struct frame_spec rig_rtcp(struct rig *rig, unsigned side, unsigned slot)
{
	struct frame_spec spec = packet(rig, side, slot, rig->mux ? SG_RTP : SG_RTCP);
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0xfe, 0xed, 0xbe, 0xef};

	memcpy(rig->payload, report, sizeof(report));
	spec.length = sizeof(report);
	return spec;
}

struct frame_spec rig_expected(struct rig *rig, const struct frame_spec *in, unsigned side,
			       unsigned slot, unsigned component)
{
	const struct model_path *out = &rig->stream.path[!side][slot];
	const struct sg_path *path = rig_path(rig, !side, slot);
	const struct sg_hop *hop = rig_hop(rig, !side, slot);
	struct frame_spec spec = *in;

	memcpy(spec.eth_dst, hop->dst, 6);
	memcpy(spec.eth_src, hop->src, 6);
	spec.vlan = ntohs(hop->vlan);
	spec.src = out->local[component];
	spec.dst = out->remote[component];
	spec.ttl--;
	spec.flow_label = 0;
	if (!(path->flags & SG_PATH_KEEP_DSCP))
		spec.tos = (uint8_t)(path->dscp << 2 | (in->tos & 3));
	if (!frame_is_v4(in->src.addr)) {
		spec.id = 0;
		spec.fragment = FRAME_DF;
	}
	return spec;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static int action_of(enum sg_reason reason)
{
	enum { drop = XDP_DROP, pass = XDP_PASS, answer = XDP_TX };
	static const int actions[] = {
#define ACTION(symbol, name, fate, text) fate,
		SG_REASONS(ACTION)
#undef ACTION
	};

	return actions[reason];
}

void rig_same_frame(const struct frame *got, const struct frame *wanted)
{
	assert_int_equal(got->length, wanted->length);
	assert_memory_equal(got->data, wanted->data, wanted->length);
}

void rig_frame_ends(struct rig *rig, const struct frame *frame, enum sg_reason reason)
{
	uint64_t before[SG_REASON_COUNT];
	struct frame out;
	int action;

	for (int i = 0; i < SG_REASON_COUNT; i++)
		before[i] = kernel_drops(rig->kernel, i);
	action = kernel_run(rig->kernel->main_fd, frame, &out);
	for (int i = 0; i < SG_REASON_COUNT; i++) {
		uint64_t more = kernel_drops(rig->kernel, i) - before[i];

		if (more != (reason != SG_NONE && i == (int)reason))
			fail_msg("reason %d was counted %lu times, wanted reason %d", i, more,
				 reason);
	}
	assert_int_equal(action, action_of(reason));
	if (action == XDP_PASS)
		rig_same_frame(&out, frame);
}

void rig_ends(struct rig *rig, const struct frame_spec *spec, enum sg_reason reason)
{
	struct frame frame;

	frame_build(&frame, spec);
	rig_frame_ends(rig, &frame, reason);
}

void rig_leaves(struct rig *rig, const struct frame_spec *spec, enum kernel_nic nic,
		const struct frame_spec *expected)
{
	struct frame in, out, wanted;
	struct frame_spec read;
	int action;

	frame_build(&in, spec);
	frame_build(&wanted, expected);
	action = kernel_run(rig->kernel->main_fd, &in, &out);
	assert_int_equal(action, nic == KERNEL_LOOPBACK ? XDP_TX : XDP_REDIRECT);
	assert_null(frame_read(&out, &read));
	rig_same_frame(&out, &wanted);
}
