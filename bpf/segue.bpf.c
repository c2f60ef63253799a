/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The relay's ingress program: the way of a packet, in phases. Section "xdp", so that
 * `ip link set dev X xdpdrv|xdpgeneric obj segue.bpf.o sec xdp` and bpftool load it as well.
 */
#include "admit.h"
#include "capture.h"
#include "clock.h"
#include "guard.h"
#include "icmp.h"
#include "measure.h"
#include "once.h"
#include "send.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static SG_INLINE void sg_count_rtcp(const struct sg_context *c)
{
	struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

	if (rare)
		__sync_fetch_and_add(&rare->rtcp_packets, 1);
}

/* Phases 4 and 5 for RTP: what arrived is measured, whether or not it is a first copy; RTCP is
 * neither measured for loss nor de-duplicated (MP-10), and what is no RTP only counted. */
static SG_INLINE enum sg_reason sg_media(const struct sg_context *c)
{
	if (c->s->component == SG_RTCP) {
		sg_count_rtcp(c);
		return SG_NONE;
	}
	sg_measure_rx(c);
	if (!sg_route_open(c->s->route, c->s->side))
		return SG_DIRECTION;
	return c->s->component == SG_RTP ? sg_once(c) : SG_NONE;
}

static SG_INLINE enum sg_reason sg_udp(struct sg_context *c, int *action)
{
	enum sg_reason reason = sg_find(c);

	if (reason)
		return reason;
	sg_capture_in(c);
	sg_clock_read(c->s);
	reason = sg_admit(c);
	if (!reason)
		reason = sg_media(c);
	return reason ? reason : sg_send(c, action);
}

static SG_INLINE enum sg_reason sg_judge(struct sg_context *c, int *action)
{
	const void *data = (const void *)(long)c->xdp->data;
	const void *end = (const void *)(long)c->xdp->data_end;

	switch (sg_parse(data, end, &c->s->packet)) {
	case SG_PARSED_UDP:
		return sg_udp(c, action);
	case SG_PARSED_ICMP:
		return sg_icmp_in(c);
	case SG_PARSED_OPTIONS:
		return sg_find_address(c->s->packet.dst) < 0 ? SG_NOT_OURS : SG_OPTIONS;
	case SG_PARSED_FRAGMENT:
		return sg_find_address(c->s->packet.dst) < 0 ? SG_NOT_OURS : SG_FRAGMENT;
	default:
		return SG_NOT_OURS;
	}
}

static SG_INLINE bool sg_passes(enum sg_reason reason)
{
	switch (reason) {
#define SG_FATE_pass XDP_PASS
#define SG_FATE_drop XDP_DROP
#define SG_FATE_answer XDP_DROP
#define SG_REASON_FATE(symbol, name, fate, text)                                                   \
	case SG_##symbol:                                                                          \
		return SG_FATE_##fate == XDP_PASS;
		SG_REASONS(SG_REASON_FATE)
#undef SG_REASON_FATE
	default:
		return true;
	}
}

/* Counts the reason for the path too; from admission on there is one. */
static SG_INLINE void sg_count_path(const struct sg_context *c, enum sg_reason reason)
{
	struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

	if (rare && reason < SG_STAT_REASONS)
		__sync_fetch_and_add(&rare->reason[reason], 1);
}

/* Goes to the host and to no media port: it may be for a port that the guard stands at. */
static SG_INLINE bool sg_is_visit(enum sg_reason reason)
{
	return reason == SG_NOT_OURS || reason == SG_OPTIONS || reason == SG_FRAGMENT;
}

/* A packet that is not forwarded: counted, and told to whom it concerns. */
static SG_INLINE int sg_end_packet(const struct sg_context *c, enum sg_reason reason)
{
	if (sg_is_visit(reason) && sg_guard_refuses(c->xdp))
		reason = SG_BANNED;
	if (reason == SG_NOT_OURS)
		return XDP_PASS;
	sg_count(reason);
	if (reason < SG_STAT_REASONS && c->stat) {
		sg_count_path(c, reason);
		if (reason == SG_NEXT_HOP && sg_event_due(c))
			sg_report_path(c, SG_EVENT_NEXT_HOP, 0);
		if (reason == SG_TOO_BIG && sg_event_due(c))
			return sg_answer_too_big(c->xdp, c->s->packet.l3, c->s->packet.ipv6,
						 c->s->mtu);
	}
	return sg_passes(reason) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int segue(struct xdp_md *xdp)
{
	struct sg_context c = {.xdp = xdp, .s = sg_scratch_lookup()};
	int action = XDP_PASS;
	__u32 zero = 0;

	c.meta = bpf_map_lookup_elem(&sg_meta_v1, &zero);
	if (!c.meta || !c.s)
		return XDP_PASS;
	c.s->reason = sg_judge(&c, &action);
	return c.s->reason ? sg_end_packet(&c, SG_READ_ONCE(c.s->reason)) : action;
}
