/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Phase 1: Ethernet, at most one 802.1Q tag, IPv4 or IPv6, UDP. Reads only; every access is checked
 * against the end of the frame. Compiles in user space too (fuzzing).
 */
#ifndef SEGUE_BPF_PARSE_H
#define SEGUE_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <segue/abi.h>

#include "byteorder.h"

#define SG_VLAN_HLEN 4u
#define SG_IPV4_HLEN 20u
#define SG_IPV6_HLEN 40u
#define SG_UDP_HLEN 8u
#define SG_IPV4_MAPPED sg_htonl(0x0000ffffu)
#define SG_IPV4_FRAGMENT 0x3fffu /* more fragments, or an offset */

struct sg_vlan {
	__be16 tci;
	__be16 type;
};

/* What later phases know of a frame. Offsets are from its first byte. */
struct sg_packet {
	__be32 src[4]; /* v4-mapped where IPv4 */
	__be32 dst[4];
	__be16 src_port;
	__be16 dst_port;
	__u16 l3;      /* IP header */
	__u16 l4;      /* UDP (or ICMP) header */
	__u16 udp_len; /* host order, UDP header included */
	__u8 ipv6;
	__u8 ttl; /* or hop limit */
};

enum sg_parsed {
	SG_PARSED_UDP,
	SG_PARSED_ICMP,
	SG_PARSED_OPTIONS, /* IPv4 options, or an IPv6 extension header */
	SG_PARSED_FRAGMENT,
	SG_PARSED_OTHER, /* nothing of ours, or malformed: the stack judges it */
};

static SG_INLINE enum sg_parsed sg_parse_udp(const void *data, const void *end,
					     struct sg_packet *packet, __u32 ip_payload)
{
	const struct udphdr *udp = (const void *)((const char *)data + packet->l4);

	if ((const void *)(udp + 1) > end)
		return SG_PARSED_OTHER;
	packet->src_port = udp->source;
	packet->dst_port = udp->dest;
	packet->udp_len = sg_ntohs(udp->len);
	if (packet->udp_len < SG_UDP_HLEN || packet->udp_len > ip_payload ||
	    packet->l4 + packet->udp_len > (const char *)end - (const char *)data)
		return SG_PARSED_OTHER;
	return SG_PARSED_UDP;
}

static SG_INLINE enum sg_parsed sg_parse_ipv4(const void *data, const void *end,
					      struct sg_packet *packet)
{
	const struct iphdr *ip = (const void *)((const char *)data + packet->l3);

	if ((const void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return SG_PARSED_OTHER;
	packet->ipv6 = 0;
	packet->ttl = ip->ttl;
	packet->src[0] = 0;
	packet->src[1] = 0;
	packet->src[2] = SG_IPV4_MAPPED;
	packet->src[3] = ip->saddr;
	packet->dst[0] = 0;
	packet->dst[1] = 0;
	packet->dst[2] = SG_IPV4_MAPPED;
	packet->dst[3] = ip->daddr;
	if (ip->ihl != 5)
		return SG_PARSED_OPTIONS;
	if (ip->frag_off & sg_htons(SG_IPV4_FRAGMENT))
		return SG_PARSED_FRAGMENT;
	packet->l4 = packet->l3 + SG_IPV4_HLEN;
	if (ip->protocol == IPPROTO_ICMP)
		return SG_PARSED_ICMP;
	if (ip->protocol != IPPROTO_UDP || sg_ntohs(ip->tot_len) < SG_IPV4_HLEN)
		return SG_PARSED_OTHER;
	return sg_parse_udp(data, end, packet, sg_ntohs(ip->tot_len) - SG_IPV4_HLEN);
}

static SG_INLINE enum sg_parsed sg_parse_ipv6(const void *data, const void *end,
					      struct sg_packet *packet)
{
	const struct ipv6hdr *ip = (const void *)((const char *)data + packet->l3);

	if ((const void *)(ip + 1) > end || ip->version != 6)
		return SG_PARSED_OTHER;
	packet->ipv6 = 1;
	packet->ttl = ip->hop_limit;
	__builtin_memcpy(packet->src, &ip->saddr, sizeof(packet->src));
	__builtin_memcpy(packet->dst, &ip->daddr, sizeof(packet->dst));
	packet->l4 = packet->l3 + SG_IPV6_HLEN;
	switch (ip->nexthdr) {
	case IPPROTO_UDP:
		return sg_parse_udp(data, end, packet, sg_ntohs(ip->payload_len));
	case IPPROTO_ICMPV6:
		return SG_PARSED_ICMP;
	case IPPROTO_FRAGMENT:
		return SG_PARSED_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return SG_PARSED_OPTIONS;
	default:
		return SG_PARSED_OTHER;
	}
}

/*
 * Fills *packet from the frame [data, end). src, dst, ttl are valid for everything but
 * SG_PARSED_OTHER; ports and udp_len for SG_PARSED_UDP, whose payload is all there.
 */
static SG_INLINE enum sg_parsed sg_parse(const void *data, const void *end,
					 struct sg_packet *packet)
{
	const struct ethhdr *eth = data;
	const struct sg_vlan *vlan = (const void *)(eth + 1);
	__be16 type;

	if ((const void *)(eth + 1) > end)
		return SG_PARSED_OTHER;
	type = eth->h_proto;
	packet->l3 = ETH_HLEN;
	if (type == sg_htons(ETH_P_8021Q)) {
		if ((const void *)(vlan + 1) > end)
			return SG_PARSED_OTHER;
		type = vlan->type;
		packet->l3 = ETH_HLEN + SG_VLAN_HLEN;
	}
	if (type == sg_htons(ETH_P_IP))
		return sg_parse_ipv4(data, end, packet);
	if (type == sg_htons(ETH_P_IPV6))
		return sg_parse_ipv6(data, end, packet);
	return SG_PARSED_OTHER;
}

#endif
