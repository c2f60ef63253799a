/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the phases hand to each other about one packet. */
#ifndef SEGUE_BPF_CONTEXT_H
#define SEGUE_BPF_CONTEXT_H

#include <stdbool.h>

#include "byteorder.h"
#include "maps.h"
#include "scratch.h"

/*
 * Phases return SG_NONE to hand a packet on, or the reason why it ends here; sg_end_packet() in
 * segue.bpf.c acts on it, in one place. SG_NOT_OURS is a packet for the stack that nobody counts.
 */
#define SG_NOT_OURS SG_REASON_COUNT

/* The values in sg_scratch, and the pointers, which no map can hold. */
struct sg_context {
	struct xdp_md *xdp;
	struct sg_scratch *s;
	const struct sg_meta *meta;
	const struct sg_stream *stream;
	const struct sg_path *in;  /* that the packet came on */
	const struct sg_path *out; /* that it leaves on, when that is one */
	struct sg_path_stat *stat; /* of `in`: what arrives; NULL before admission */
	struct sg_path_stat *side; /* of the side's slot 0: its first window */
};

static SG_INLINE void sg_count(__u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&sg_drop_v1, &reason);

	if (count)
		(*count)++;
}

static SG_INLINE __u32 sg_index(const struct sg_context *c, __u32 side, __u32 slot)
{
	return sg_path_index(c->meta->capacity, c->s->stream_index, side, slot);
}

static SG_INLINE const struct sg_path *sg_path_lookup(const struct sg_context *c, __u32 side,
						      __u32 slot)
{
	__u32 index = sg_index(c, side, slot);

	return bpf_map_lookup_elem(&sg_path_v1, &index);
}

static SG_INLINE struct sg_path_stat *sg_stat_lookup(const struct sg_context *c, __u32 side,
						     __u32 slot)
{
	__u32 index = sg_index(c, side, slot);

	return bpf_map_lookup_elem(&sg_path_stat_v1, &index);
}

static SG_INLINE struct sg_path_rare *sg_rare_lookup(const struct sg_context *c, __u32 side,
						     __u32 slot)
{
	__u32 index = sg_index(c, side, slot);

	return bpf_map_lookup_elem(&sg_path_rare_v1, &index);
}

/* Where this CPU keeps what is known of the packet in hand. */
static SG_INLINE struct sg_scratch *sg_scratch_lookup(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sg_scratch, &zero);
}

/* Starts the read of a cache line whose content is wanted later. */
#define SG_TOUCH(field) ((void)SG_READ_ONCE(field))

/* The half of a next hop that is in force; NULL if there is none. */
static SG_INLINE const struct sg_hop *sg_hop_lookup(__u32 index)
{
	const struct sg_nexthop *nexthop = bpf_map_lookup_elem(&sg_nexthop_v1, &index);

	return nexthop ? &nexthop->half[SG_READ_ONCE(nexthop->current) & 1u] : NULL;
}

/* An event about the packet's path, with what is common to all; NULL when the ring is full. */
static SG_INLINE struct sg_event *sg_event_begin(const struct sg_context *c, __u32 type)
{
	struct sg_event *event = bpf_ringbuf_reserve(&sg_event_v1, sizeof(*event), 0);

	if (!event)
		return NULL;
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = c->s->now_ns;
	event->type = type;
	event->stream = c->s->stream_index;
	event->generation = sg_port_generation(c->s->entry);
	event->side = (__u8)c->s->side;
	event->slot = (__u8)c->s->in_slot;
	event->component = (__u8)c->s->component;
	__builtin_memcpy(event->addr, c->s->packet.src, sizeof(event->addr));
	event->port = c->s->packet.src_port;
	event->ssrc = c->s->ssrc;
	event->sequence = c->s->sequence;
	return event;
}

/* Sources that spray would fill the ring: at most one event or answer per path in this time. */
#define SG_EVENT_GAP_NS 20000000ull

static SG_INLINE bool sg_event_due(const struct sg_context *c)
{
	struct sg_path_rare *rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);

	if (!rare || c->s->now_ns - rare->event_ns < SG_EVENT_GAP_NS)
		return false;
	rare->event_ns = c->s->now_ns;
	return true;
}

#endif
