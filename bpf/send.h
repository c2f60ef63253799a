/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Phase 6: the other side's part of the route. One copy is rewritten here and leaves; for more, the
 * packet is stamped with what it was decided on, the kernel clones it to a device map, and
 * egress.h rewrites each clone from that stamp.
 */
#ifndef SEGUE_BPF_SEND_H
#define SEGUE_BPF_SEND_H

#include "capture.h"
#include "admit.h"
#include "measure.h"
#include "rewrite.h"

/*
 * Takes the place of the 12 bytes of Ethernet addresses, which egress overwrites anyway and which,
 * unlike metadata, survive the clone in generic mode too. `from` lies on the first byte of the
 * source address, whose group bit no frame of a NIC has set: by it egress tells what is stamped
 * from what was rewritten where it came in.
 */
struct sg_stamp {
	__u32 to;  /* bits 0-7 mask of the other side's slots; 5 bits a copy from bit 8: its NIC + 1
		    */
	__u16 id;  /* numbers the broadcast packets of this CPU: the lower bits */
	__u8 from; /* SG_STAMPED; bit 1 side, 2-4 path slot that it came on, 5 port index,
		    * SG_STAMP_CAPTURE */
	__u8 above; /* the next eight bits of id */
	__u32 stream;
};

#define SG_STAMPED 1u	       /* the group bit */
#define SG_STAMP_CAPTURE 0x40u /* the stream is captured: egress need not look */
#define SG_STAMP_ID 0xffffffu
#define SG_STAMP_NIC_BITS 5u
#define SG_STAMP_NIC_SHIFT 8u

_Static_assert(sizeof(struct sg_stamp) == 2 * ETH_ALEN, "the stamp covers the MAC addresses");
_Static_assert(__builtin_offsetof(struct sg_stamp, from) == ETH_ALEN, "the source's first byte");

static SG_INLINE void sg_stamp_write(void *frame, const struct sg_stamp *stamp)
{
	__builtin_memcpy(frame, stamp, sizeof(*stamp));
}

/* May the packet leave on `out`? SG_NONE and *hop, or the reason why not. */
static SG_INLINE enum sg_reason sg_check_path(struct sg_context *c, const struct sg_path *out,
					      const struct sg_hop **hop)
{
	__u32 header = sg_l3_len(out);
	__u32 in_header = c->s->packet.ipv6 ? SG_IPV6_HLEN : SG_IPV4_HLEN;
	__u32 mtu;

	*hop = sg_hop_lookup(out->nexthop);
	if (!*hop || !((*hop)->flags & SG_NEXTHOP_USABLE))
		return SG_NEXT_HOP;
	mtu = (*hop)->mtu;
	if (out->mtu && out->mtu < mtu)
		mtu = out->mtu;
	if (header + c->s->packet.udp_len <= mtu)
		return SG_NONE;
	c->s->mtu = mtu - header + in_header;
	return SG_TOO_BIG;
}

#define SG_FRAME_MASK 4095u /* a native XDP frame is at most a page; longer ones are refused */

struct sg_summing {
	struct xdp_md *xdp;
	__u32 offset; /* of the UDP header */
	__u32 length; /* of header and payload */
	__u32 sum;
};

/* Adds the 16-bit word `i` behind the ports to the sum; 1 ends the loop. */
static long sg_sum_word(__u32 i, struct sg_summing *s)
{
	const char *end = (const char *)(long)s->xdp->data_end;
	__u32 at = 4 + 2 * i;
	const __u8 *byte = (const void *)((const char *)(long)s->xdp->data +
					  ((s->offset + at) & SG_FRAME_MASK));

	if (at >= s->length || (const char *)(byte + 1) > end)
		return 1;
	if (at + 1 == s->length) {
		s->sum += sg_htons((__u16)(*byte << 8));
		return 1;
	}
	if ((const char *)(byte + 2) > end)
		return 1;
	s->sum += *(const __u16 *)byte;
	return 0;
}

/*
 * IPv6 wants a UDP checksum (RFC 8200 section 8.1, MP-1): computes it in full for a packet that
 * came as IPv4 without one. Addresses and ports come in as the path's sum. Not inlined: it is rare.
 */
static SG_NOINLINE int sg_full_check(struct xdp_md *xdp, __u32 l2_len, __u32 path_sum)
{
	struct sg_summing s = {.xdp = xdp, .offset = l2_len + SG_IPV6_HLEN};
	char *end = (char *)(long)xdp->data_end;
	struct udphdr *udp = (void *)((char *)(long)xdp->data + (s.offset & SG_HEADERS_MASK));
	__u16 check;

	if ((char *)(udp + 1) > end)
		return -1;
	udp->check = 0;
	s.length = sg_ntohs(udp->len);
	if (s.offset + s.length > SG_FRAME_MASK)
		return -1;
	s.sum = path_sum + (__u32)sg_htons(IPPROTO_UDP) + (__u32)udp->len;
	bpf_loop((SG_FRAME_MASK + 1) / 2, sg_sum_word, &s, 0);
	check = (__u16)~sg_fold(s.sum);
	udp = (void *)((char *)(long)xdp->data + (s.offset & SG_HEADERS_MASK));
	if ((char *)(udp + 1) > (char *)(long)xdp->data_end)
		return -1;
	udp->check = check ? check : 0xffffu;
	return 0;
}

/* Makes the frame in hand the copy that leaves on r->out. SG_NONE, or SG_NO_ROOM. */
static SG_INLINE enum sg_reason sg_make_copy(struct xdp_md *xdp, const struct sg_packet *packet,
					     struct sg_rewrite *r)
{
	int grow = (int)(sg_l2_len(r->hop) + sg_l3_len(r->out)) - packet->l4;
	struct udphdr *udp;

	if (!sg_keep_frame((const char *)(long)xdp->data, (const char *)(long)xdp->data_end, packet,
			   r->out, &r->kept))
		return SG_NO_ROOM;
	if (grow && bpf_xdp_adjust_head(xdp, -grow))
		return SG_NO_ROOM;
	udp = sg_write_frame((char *)(long)xdp->data, (const char *)(long)xdp->data_end, r);
	if (!udp)
		return SG_NO_ROOM;
	if (!udp->check && r->out->flags & SG_PATH_IPV6 &&
	    sg_full_check(xdp, sg_l2_len(r->hop), r->out->sum[r->port & 1u]))
		return SG_NO_ROOM;
	return SG_NONE;
}

/*
 * Never by the device's number: what one poll sends to a NIC waits in one queue, and the first of
 * it says which egress program all of it goes through. So single copies go through the same one as
 * clones do, or one of the two kinds would leave with the other's treatment.
 */
static SG_INLINE enum sg_reason sg_redirect(const struct sg_hop *hop, int *action)
{
	__u32 key = (hop->nic + 1u) * SG_FANOUT_BASE * SG_FANOUT_BASE * SG_FANOUT_BASE;
	void *device = bpf_map_lookup_elem(&sg_fanout_v1, &key);

	if (!device)
		return SG_FAN_OUT;
	*action = (int)bpf_redirect_map(device, 0, 0);
	return SG_NONE;
}

/* One copy: rewritten here, and out. */
static SG_INLINE enum sg_reason sg_send_one(struct sg_context *c, __u32 slot, int *action)
{
	struct sg_rewrite r = {.in = c->in, .port = c->s->port};
	struct sg_path_stat *stat = c->side;
	enum sg_reason reason;

	if (slot) {
		c->out = sg_path_lookup(c, c->s->side ^ 1u, slot);
		stat = sg_stat_lookup(c, c->s->side, slot);
	}
	if (!c->out || !stat)
		return SG_NO_PATH;
	r.out = c->out;
	reason = sg_check_path(c, r.out, &r.hop);
	if (!reason)
		reason = sg_make_copy(c->xdp, &c->s->packet, &r);
	if (reason)
		return reason;
	sg_capture_out(c, r.hop->ifindex);
	if (c->s->component != SG_RTCP)
		sg_measure_tx(c, stat, slot);
	*action = XDP_TX;
	return r.hop->ifindex == c->xdp->ingress_ifindex ? SG_NONE : sg_redirect(r.hop, action);
}

/* The key of sg_fanout for up to four digits (nic + 1, 0 = no copy): sorted, largest first. */
static SG_INLINE __u32 sg_fanout_sorted(__u32 a, __u32 b, __u32 c, __u32 d)
{
#define SG_ORDER(x, y)                                                                             \
	if (x < y) {                                                                               \
		__u32 swap = x;                                                                    \
		x = y;                                                                             \
		y = swap;                                                                          \
	}
	SG_ORDER(a, b)
	SG_ORDER(c, d)
	SG_ORDER(a, c)
	SG_ORDER(b, d)
	SG_ORDER(b, c)
#undef SG_ORDER
	return ((a * SG_FANOUT_BASE + b) * SG_FANOUT_BASE + c) * SG_FANOUT_BASE + d;
}

/* What of a send mask can leave now. */
struct sg_fan {
	__u32 mask;
	__u32 count;
	__u32 nics; /* 5 bits a copy, in the order of the slots */
	__u32 last; /* slot of the last copy */
};

/*
 * A path that cannot take the packet never keeps it from the others (MP-4). Returns why the last
 * one could not.
 */
static SG_INLINE enum sg_reason sg_fan_collect(struct sg_context *c, __u32 send, struct sg_fan *fan)
{
	enum sg_reason refused = SG_NO_PATH;

	for (__u32 slot = 0; slot < SG_PATH_SLOTS; slot++) {
		const struct sg_path *out;
		const struct sg_hop *hop;
		enum sg_reason reason;

		if (!(send & 1u << slot) || fan->count >= SG_PATHS)
			continue;
		out = sg_path_lookup(c, c->s->side ^ 1u, slot);
		if (!out)
			continue;
		reason = sg_check_path(c, out, &hop);
		if (reason) {
			refused = reason;
			continue;
		}
		fan->mask |= 1u << slot;
		fan->nics |= (hop->nic + 1u) << (fan->count * SG_STAMP_NIC_BITS);
		fan->count++;
		fan->last = slot;
	}
	return refused;
}

static SG_INLINE enum sg_reason sg_broadcast(struct sg_context *c, const struct sg_fan *fan,
					     int *action)
{
	char *frame = (char *)(long)c->xdp->data;
	__u32 digit = (1u << SG_STAMP_NIC_BITS) - 1;
	__u32 key = sg_fanout_sorted(fan->nics & digit, fan->nics >> 5 & digit,
				     fan->nics >> 10 & digit, fan->nics >> 15 & digit);
	__u32 number = SG_NICS;
	struct sg_copy *copy = bpf_map_lookup_elem(&sg_copy_v1, &number);
	void *devices = bpf_map_lookup_elem(&sg_fanout_v1, &key);
	struct sg_stamp stamp;
	__u32 id;

	if (!devices || !copy || frame + sizeof(stamp) > (char *)(long)c->xdp->data_end)
		return SG_FAN_OUT;
	id = ++copy->id;
	stamp.id = (__u16)id;
	stamp.above = (__u8)(id >> 16);
	stamp.from = (__u8)(SG_STAMPED | c->s->side << 1 | c->s->in_slot << 2 | c->s->port << 5);
	if (sg_captured(c))
		stamp.from |= SG_STAMP_CAPTURE;
	stamp.stream = c->s->stream_index;
	stamp.to = fan->mask | fan->nics << SG_STAMP_NIC_SHIFT;
	sg_stamp_write(frame, &stamp);
	*action = (int)bpf_redirect_map(devices, 0, BPF_F_BROADCAST);
	return SG_NONE;
}

/* The place of the only bit that is set among the first eight. */
static SG_INLINE __u32 sg_only_bit(__u32 mask)
{
	return (mask & 0xaau ? 1u : 0u) | (mask & 0xccu ? 2u : 0u) | (mask & 0xf0u ? 4u : 0u);
}

/* Phase 6. SG_NONE: *action is what becomes of the packet. */
static SG_INLINE enum sg_reason sg_send(struct sg_context *c, int *action)
{
	__u32 other = c->s->side ^ 1u;
	__u32 send = sg_route_send(c->s->route, other);
	struct sg_fan fan = {};

	/* RTCP is never duplicated (MP-10), nor is what nobody could tell the copies of apart. */
	if (c->s->component != SG_RTP)
		send &= 1u << sg_route_active(c->s->route, other);
	if (!send)
		return SG_NO_PATH;
	if (send & (send - 1)) {
		enum sg_reason refused = sg_fan_collect(c, send, &fan);

		if (fan.count > 1)
			return sg_broadcast(c, &fan, action);
		if (!fan.count)
			return refused;
		send = 1u << fan.last;
	}
	return sg_send_one(c, sg_only_bit(send), action);
}

#endif
