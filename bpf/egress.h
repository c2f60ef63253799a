/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * All that leaves a NIC by redirection, just before it does. What is not stamped is ready and goes.
 * Of clones, in native mode one program serves all entries of a device, so it finds out itself
 * which copy it holds: copies of one packet reach a device's queue in order and on one CPU, so
 * counting how often this NIC has seen the stamp's number says it.
 */
#ifndef SEGUE_BPF_EGRESS_H
#define SEGUE_BPF_EGRESS_H

#include "send.h"

/* The NIC slot of `ifindex` among the stamp's copies, or -1. */
static SG_INLINE int sg_egress_nic(const struct sg_meta *meta, __u32 nics, __u32 ifindex)
{
	for (__u32 i = 0; i < SG_PATHS; i++) {
		__u32 nic = (nics >> (i * SG_STAMP_NIC_BITS) & 31u) - 1u;

		if (nic < SG_NICS && meta->nic[nic] == ifindex)
			return (int)nic;
	}
	return -1;
}

/* How many copies of packet `id` this NIC has sent before. */
static SG_INLINE __u32 sg_egress_count(__u32 nic, __u32 id)
{
	struct sg_copy *copy = bpf_map_lookup_elem(&sg_copy_v1, &nic);

	if (!copy)
		return SG_PATHS;
	if (copy->id != id) {
		copy->id = id;
		copy->seen = 0;
	}
	return copy->seen++;
}

/* The slot of the copy that is number `nth` (from 0) on `nic`; SG_PATH_SLOTS if there is none. */
static SG_INLINE __u32 sg_egress_slot(__u32 to, __u32 nic, __u32 nth)
{
	__u32 nics = to >> SG_STAMP_NIC_SHIFT;

	for (__u32 slot = 0; slot < SG_PATH_SLOTS; slot++) {
		if (!(to & 1u << slot))
			continue;
		if ((nics & 31u) == nic + 1 && !nth--)
			return slot;
		nics >>= SG_STAMP_NIC_BITS;
	}
	return SG_PATH_SLOTS;
}

static SG_INLINE __u32 sg_stamp_id(const struct sg_stamp *stamp)
{
	return (__u32)stamp->above << 16 | stamp->id;
}

static SG_INLINE int sg_egress_drop(void)
{
	sg_count(SG_COPY);
	return XDP_DROP;
}

/* Which path of which stream the clone in hand is for; false if it is none of this NIC's. */
static SG_INLINE bool sg_egress_find(struct sg_context *c, const struct sg_stamp *stamp,
				     __u32 ifindex)
{
	int nic = sg_egress_nic(c->meta, stamp->to >> SG_STAMP_NIC_SHIFT, ifindex);

	if (nic < 0)
		return false;
	c->s->out_slot = sg_egress_slot(stamp->to, (__u32)nic,
					sg_egress_count((__u32)nic, sg_stamp_id(stamp)));
	if (c->s->out_slot >= SG_PATH_SLOTS)
		return false;
	c->s->stream_index = stamp->stream;
	c->s->side = stamp->from >> 1 & 1u;
	c->s->port = stamp->from >> 5 & 1u;
	c->in = sg_path_lookup(c, c->s->side, stamp->from >> 2 & 7u);
	c->out = sg_path_lookup(c, c->s->side ^ 1u, c->s->out_slot);
	c->stat = sg_stat_lookup(c, c->s->side, c->s->out_slot);
	return c->in && c->out && c->stat;
}

/* Rewrites the clone in hand for its path. XDP_PASS lets it leave on `ifindex`. */
static SG_INLINE int sg_egress_copy(struct xdp_md *xdp, __u32 ifindex)
{
	const void *data = (const void *)(long)xdp->data;
	const void *end = (const void *)(long)xdp->data_end;
	struct sg_context c = {.xdp = xdp, .s = sg_scratch_lookup()};
	struct sg_rewrite r = {};
	struct sg_stamp stamp;
	__u32 zero = 0;

	c.meta = bpf_map_lookup_elem(&sg_meta_v1, &zero);
	if (!c.meta || !c.s || sg_parse(data, end, &c.s->packet) != SG_PARSED_UDP)
		return sg_egress_drop();
	__builtin_memcpy(&stamp, data, sizeof(stamp));
	if (!sg_egress_find(&c, &stamp, ifindex))
		return sg_egress_drop();
	r.in = c.in;
	r.out = c.out;
	r.port = c.s->port;
	r.hop = sg_hop_lookup(r.out->nexthop);
	if (!r.hop || r.hop->ifindex != ifindex || sg_make_copy(xdp, &c.s->packet, &r))
		return sg_egress_drop();
	/* Only RTP is ever copied, so what leaves here is RTP. */
	sg_measure_tx(&c, c.stat, c.s->out_slot);
	if (stamp.from & SG_STAMP_CAPTURE)
		sg_capture_copy(&c, ifindex, SG_CAPTURE_OUT);
	return XDP_PASS;
}

static SG_INLINE int sg_egress(struct xdp_md *xdp, __u32 ifindex)
{
	const struct sg_stamp *stamp = (const void *)(long)xdp->data;

	if ((const void *)(stamp + 1) > (const void *)(long)xdp->data_end)
		return sg_egress_drop();
	return stamp->from & SG_STAMPED ? sg_egress_copy(xdp, ifindex) : XDP_PASS;
}

#endif
