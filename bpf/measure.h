/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Phase 4: counters, loss and jitter of a path (RFC 3550 A.3, A.8). The first CPU that counts on a
 * path owns its plain counters; any other adds atomically elsewhere (abi.h, sg_path_stat).
 */
#ifndef SEGUE_BPF_MEASURE_H
#define SEGUE_BPF_MEASURE_H

#include "context.h"

/* A jump of more than this is a new start of the source, not a loss (RFC 3550 A.1). */
#define SG_MEASURE_JUMP 3000

/* Is this CPU the owner? Becomes it if nobody is. */
static SG_INLINE bool sg_owner(__u32 *owner)
{
	__u32 me = bpf_get_smp_processor_id() + 1;
	__u32 now = SG_READ_ONCE(*owner);

	return now == me || (!now && !__sync_val_compare_and_swap(owner, 0u, me));
}

static SG_INLINE void sg_measure_start(struct sg_path_stat *stat, const struct sg_context *c)
{
	__s32 lost = (__s32)(stat->highest - stat->base + 1 - stat->received);

	if (stat->received && lost > 0)
		stat->lost_before += (__u32)lost;
	stat->ssrc = c->s->ssrc;
	/* One cycle up, so that a packet before the first one does not go below zero. */
	stat->base = 65536u + c->s->sequence;
	stat->highest = stat->base;
	stat->received = 1;
	stat->timed_ns = 0;
}

/* J += (|D| - J) / 16, between packets that were both timed precisely. */
static SG_INLINE void sg_measure_jitter(struct sg_path_stat *stat, const struct sg_context *c)
{
	__s64 sent = (__s64)(__s32)(c->s->timestamp - stat->timestamp) * c->stream->tick_q8 >> 8;
	__s64 distance = (__s64)(c->s->now_ns - stat->timed_ns) - sent;

	if (stat->timed_ns) {
		if (distance < 0)
			distance = -distance;
		if (distance > 0x7fffffff)
			distance = 0x7fffffff;
		stat->jitter_ns = (__u32)((__s64)stat->jitter_ns +
					  ((distance - (__s64)stat->jitter_ns) >> 4));
	}
	stat->timestamp = c->s->timestamp;
	stat->timed_ns = c->s->now_ns;
}

static SG_INLINE void sg_report_path(const struct sg_context *c, __u32 type, __u32 old_ssrc)
{
	struct sg_event *event = sg_event_begin(c, type);

	if (!event)
		return;
	event->old_ssrc = old_ssrc;
	bpf_ringbuf_submit(event, 0);
}

static SG_INLINE void sg_measure_first(const struct sg_context *c)
{
	struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

	if (rare && !rare->first_ns)
		rare->first_ns = c->s->now_ns;
}

static SG_INLINE void sg_measure_sequence(struct sg_path_stat *stat, const struct sg_context *c)
{
	__s32 ahead = (__s16)(c->s->sequence - (__u16)stat->highest);

	if (!stat->received || stat->ssrc != c->s->ssrc) {
		__u32 old = stat->ssrc;
		bool first = !stat->received;

		sg_measure_start(stat, c);
		if (first)
			sg_measure_first(c);
		sg_report_path(c, first ? SG_EVENT_FIRST_PACKET : SG_EVENT_SSRC_CHANGE, old);
		return;
	}
	if (ahead >= SG_MEASURE_JUMP || ahead <= -SG_MEASURE_JUMP) {
		sg_measure_start(stat, c);
		return;
	}
	stat->received++;
	if (ahead > 0)
		stat->highest += (__u32)ahead;
}

/* What is not numbered is only counted. */
static SG_INLINE void sg_measure_opaque(const struct sg_context *c)
{
	struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

	if (!rare || rare->first_ns)
		return;
	rare->first_ns = c->s->now_ns;
	sg_report_path(c, SG_EVENT_FIRST_PACKET, 0);
}

/* A packet was admitted on c->in, no RTCP: whatever becomes of it, it arrived. */
static SG_INLINE void sg_measure_rx(const struct sg_context *c)
{
	struct sg_path_stat *stat = c->stat;
	__u64 octets = c->s->packet.udp_len - SG_UDP_HLEN;

	if (sg_owner(&stat->rx_owner)) {
		stat->rx_packets++;
		stat->rx_octets += octets;
	} else {
		struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

		if (rare) {
			__sync_fetch_and_add(&rare->other_rx_packets, 1);
			__sync_fetch_and_add(&rare->other_rx_octets, octets);
		}
	}
	stat->last_ns = c->s->now_ns;
	if (c->s->component == SG_OPAQUE) {
		sg_measure_opaque(c);
		return;
	}
	sg_measure_sequence(stat, c);
	if (c->s->precise)
		sg_measure_jitter(stat, c);
}

/* A copy leaves on the other side's `slot`; `stat` is this side's of the same slot. */
static SG_INLINE void sg_measure_tx(const struct sg_context *c, struct sg_path_stat *stat,
				    __u32 slot)
{
	__u64 octets = c->s->packet.udp_len - SG_UDP_HLEN;

	if (sg_owner(&stat->tx_owner)) {
		stat->tx_packets++;
		stat->tx_octets += octets;
	} else {
		struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side ^ 1u, slot);

		if (rare) {
			__sync_fetch_and_add(&rare->other_tx_packets, 1);
			__sync_fetch_and_add(&rare->other_tx_octets, octets);
		}
	}
}

#endif
