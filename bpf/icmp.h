/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Path MTU in both directions. A packet that is larger than its way out is answered with
 * "fragmentation needed" (RFC 1191) or "packet too big" (RFC 8201), as a router would. Such a
 * message about a packet that we sent goes to the stack, and user space is told, which lowers the
 * path's MTU.
 */
#ifndef SEGUE_BPF_ICMP_H
#define SEGUE_BPF_ICMP_H

#include "admit.h"
#include "rewrite.h"

#define SG_ICMP_QUOTE 128u /* bytes of the offending packet, its IP header included */
#define SG_ICMP_HLEN 8u
#define SG_ICMP_TTL 64u
#define SG_ICMP_UNREACHABLE 3u /* RFC 792 */
#define SG_ICMP_FRAG_NEEDED 4u /* its code, RFC 1191 */
#define SG_ICMPV6_TOO_BIG 2u   /* RFC 4443 section 3.2 */

/* One shape for both: the kernel's own headers pull in libc's. */
struct sg_icmp {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 mtu; /* ICMPv4: only its low 16 bits */
};

static SG_INLINE __u16 sg_csum(void *from, __u32 length, __u32 seed)
{
	__s64 sum = bpf_csum_diff(NULL, 0, from, length, seed);

	return (__u16)~sg_fold((__u32)sum);
}

static SG_INLINE void sg_icmp_ipv4(struct iphdr *ip, __u32 mtu)
{
	struct sg_icmp *icmp = (void *)(ip + 1);
	const struct iphdr *quoted = (const void *)(icmp + 1);

	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(*icmp));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = sg_htons(SG_IPV4_HLEN + SG_ICMP_HLEN + SG_ICMP_QUOTE);
	ip->ttl = SG_ICMP_TTL;
	ip->protocol = IPPROTO_ICMP;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	ip->check = sg_csum(ip, SG_IPV4_HLEN, 0);
	icmp->type = SG_ICMP_UNREACHABLE;
	icmp->code = SG_ICMP_FRAG_NEEDED;
	icmp->mtu = sg_htonl(mtu & 0xffffu);
	icmp->check = sg_csum(icmp, SG_ICMP_HLEN + SG_ICMP_QUOTE, 0);
}

static SG_INLINE void sg_icmp_ipv6(struct ipv6hdr *ip, __u32 mtu)
{
	struct sg_icmp *icmp = (void *)(ip + 1);
	const struct ipv6hdr *quoted = (const void *)(icmp + 1);
	__u32 pseudo;

	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(*icmp));
	ip->version = 6;
	ip->payload_len = sg_htons(SG_ICMP_HLEN + SG_ICMP_QUOTE);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = SG_ICMP_TTL;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	icmp->type = SG_ICMPV6_TOO_BIG;
	icmp->mtu = sg_htonl(mtu);
	pseudo = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&ip->saddr, 32,
				      (__u32)sg_htons(SG_ICMP_HLEN + SG_ICMP_QUOTE) +
					      (__u32)sg_htons(IPPROTO_ICMPV6));
	icmp->check = sg_csum(icmp, SG_ICMP_HLEN + SG_ICMP_QUOTE, sg_fold(pseudo));
}

/* Swaps source and destination of the frame that came and puts its Ethernet header `grow` bytes
 * earlier, in front of the new IP header. l2_len is a constant where this is called. */
static SG_INLINE int sg_icmp_write(struct xdp_md *xdp, __u32 l2_len, bool ipv6, __u32 mtu)
{
	__u32 grow = SG_ICMP_HLEN + (ipv6 ? SG_IPV6_HLEN : SG_IPV4_HLEN);
	struct ethhdr eth;
	struct sg_vlan vlan = {};
	char *frame = (char *)(long)xdp->data;
	char *end = (char *)(long)xdp->data_end;

	if (frame + l2_len + grow + SG_ICMP_QUOTE > end)
		return XDP_DROP;
	__builtin_memcpy(eth.h_dest, frame + grow + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(eth.h_source, frame + grow, ETH_ALEN);
	eth.h_proto = *(__be16 *)(frame + grow + 2 * ETH_ALEN);
	if (l2_len > ETH_HLEN)
		__builtin_memcpy(&vlan, frame + grow + ETH_HLEN, sizeof(vlan));
	__builtin_memcpy(frame, &eth, sizeof(eth));
	if (l2_len > ETH_HLEN)
		__builtin_memcpy(frame + ETH_HLEN, &vlan, sizeof(vlan));
	if (ipv6)
		sg_icmp_ipv6((void *)(frame + l2_len), mtu);
	else
		sg_icmp_ipv4((void *)(frame + l2_len), mtu);
	return XDP_TX;
}

/* Turns the packet in hand into the ICMP error about itself; `mtu` as its sender should see it. */
static SG_NOINLINE int sg_answer_too_big(struct xdp_md *xdp, __u32 l3, __u32 ipv6, __u32 mtu)
{
	int length = (int)(xdp->data_end - xdp->data);
	int grow = SG_ICMP_HLEN + (ipv6 ? SG_IPV6_HLEN : SG_IPV4_HLEN);

	if (length < (int)(l3 + SG_ICMP_QUOTE) ||
	    bpf_xdp_adjust_tail(xdp, (int)(l3 + SG_ICMP_QUOTE) - length) ||
	    bpf_xdp_adjust_head(xdp, -grow))
		return XDP_DROP;
	if (l3 > ETH_HLEN)
		return ipv6 ? sg_icmp_write(xdp, ETH_HLEN + SG_VLAN_HLEN, true, mtu)
			    : sg_icmp_write(xdp, ETH_HLEN + SG_VLAN_HLEN, false, mtu);
	return ipv6 ? sg_icmp_write(xdp, ETH_HLEN, true, mtu)
		    : sg_icmp_write(xdp, ETH_HLEN, false, mtu);
}

/* What an ICMP error quotes of a packet that we sent: our endpoint is its source. */
struct sg_quoted {
	__be32 local[4];
	__be32 remote[4];
	__be16 local_port;
	__be16 remote_port;
	__u16 mtu; /* host order */
};

static SG_INLINE bool sg_icmp_quoted_ipv4(const char *icmp, const char *end, struct sg_quoted *q)
{
	const struct sg_icmp *header = (const void *)icmp;
	const struct iphdr *ip = (const void *)(header + 1);
	const struct udphdr *udp = (const void *)(ip + 1);

	if ((const char *)(udp + 1) > end || header->type != SG_ICMP_UNREACHABLE ||
	    header->code != SG_ICMP_FRAG_NEEDED || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return false;
	q->local[2] = SG_IPV4_MAPPED;
	q->local[3] = ip->saddr;
	q->remote[2] = SG_IPV4_MAPPED;
	q->remote[3] = ip->daddr;
	q->local_port = udp->source;
	q->remote_port = udp->dest;
	q->mtu = (__u16)sg_ntohl(header->mtu);
	return true;
}

static SG_INLINE bool sg_icmp_quoted_ipv6(const char *icmp, const char *end, struct sg_quoted *q)
{
	const struct sg_icmp *header = (const void *)icmp;
	const struct ipv6hdr *ip = (const void *)(header + 1);
	const struct udphdr *udp = (const void *)(ip + 1);
	__u32 mtu;

	if ((const char *)(udp + 1) > end || header->type != SG_ICMPV6_TOO_BIG ||
	    ip->nexthdr != IPPROTO_UDP)
		return false;
	__builtin_memcpy(q->local, &ip->saddr, sizeof(q->local));
	__builtin_memcpy(q->remote, &ip->daddr, sizeof(q->remote));
	q->local_port = udp->source;
	q->remote_port = udp->dest;
	mtu = sg_ntohl(header->mtu);
	q->mtu = mtu > 0xffffu ? 0xffffu : (__u16)mtu;
	return true;
}

static SG_INLINE bool sg_icmp_quoted(const struct sg_context *c, struct sg_quoted *q)
{
	const char *frame = (const char *)(long)c->xdp->data;
	const char *end = (const char *)(long)c->xdp->data_end;
	bool vlan = c->s->packet.l3 > ETH_HLEN;

	if (c->s->packet.ipv6)
		return sg_icmp_quoted_ipv6(
			frame + SG_IPV6_HLEN + (vlan ? ETH_HLEN + SG_VLAN_HLEN : ETH_HLEN), end, q);
	return sg_icmp_quoted_ipv4(
		frame + SG_IPV4_HLEN + (vlan ? ETH_HLEN + SG_VLAN_HLEN : ETH_HLEN), end, q);
}

/*
 * Finds the path whose packet is quoted, as if that packet had come back: c->s->packet then holds
 * the quoted endpoints. A message is believed only if it quotes a path's very endpoints.
 */
static SG_INLINE bool sg_icmp_find(struct sg_context *c, const struct sg_quoted *q)
{
	__builtin_memcpy(c->s->packet.src, q->remote, sizeof(q->remote));
	__builtin_memcpy(c->s->packet.dst, q->local, sizeof(q->local));
	c->s->packet.src_port = q->remote_port;
	c->s->packet.dst_port = q->local_port;
	c->s->packet.ttl =
		SG_ICMP_TTL; /* of the message, not of what it quotes, which is long gone */
	if (sg_find(c))
		return false;
	c->s->port = sg_port_component(c->s->entry) == SG_RTCP ? SG_RTCP : SG_RTP;
	c->s->component = c->s->port;
	c->s->ssrc = 0;
	c->s->sequence = 0;
	return sg_find_path(c) == SG_NONE;
}

/*
 * Reports a too-big message about a packet of ours (SG_EVENT_PATH_MTU); user space bounds the
 * value. The message itself goes to the stack.
 */
static SG_INLINE enum sg_reason sg_icmp_in(struct sg_context *c)
{
	struct sg_quoted q = {};
	struct sg_event *event;
	__be32 router[4];

	__builtin_memcpy(router, c->s->packet.src, sizeof(router));
	if (!sg_icmp_quoted(c, &q) || !sg_icmp_find(c, &q))
		return SG_NOT_OURS;
	c->s->now_ns = bpf_ktime_get_ns();
	if (sg_event_due(c)) {
		event = sg_event_begin(c, SG_EVENT_PATH_MTU);
		if (event) {
			__builtin_memcpy(event->addr, router, sizeof(router));
			event->mtu = q.mtu;
			bpf_ringbuf_submit(event, 0);
		}
	}
	return SG_ICMP;
}

#endif
