/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Turning a packet that came on one path into the one that leaves on another: Ethernet, VLAN, IPv4
 * or IPv6, UDP. RTP is not touched (MP-4). All functions work on plain memory and compile in user
 * space too.
 */
#ifndef SEGUE_BPF_REWRITE_H
#define SEGUE_BPF_REWRITE_H

#include "parse.h"

/* What of the old headers the new ones keep. */
struct sg_kept {
	__be16 id; /* IPv4 identification and flags; 0 and "don't fragment" from IPv6 */
	__be16 frag;
	__u8 traffic_class;
	__u8 ttl; /* already one less */
};

static SG_INLINE __u32 sg_l2_len(const struct sg_hop *hop)
{
	return hop->vlan ? ETH_HLEN + SG_VLAN_HLEN : ETH_HLEN;
}

static SG_INLINE __u32 sg_l3_len(const struct sg_path *path)
{
	return path->flags & SG_PATH_IPV6 ? SG_IPV6_HLEN : SG_IPV4_HLEN;
}

static SG_INLINE __u16 sg_fold(__u32 sum)
{
	sum = (sum & 0xffffu) + (sum >> 16);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (__u16)sum;
}

static SG_INLINE struct sg_kept sg_keep(const void *l3, const struct sg_packet *packet,
					const struct sg_path *out)
{
	struct sg_kept kept = {.frag = sg_htons(0x4000), .ttl = (__u8)(packet->ttl - 1)};

	if (packet->ipv6) {
		const __u8 *byte = l3;

		kept.traffic_class = (__u8)(byte[0] << 4 | byte[1] >> 4);
	} else {
		const struct iphdr *ip = l3;

		kept.id = ip->id;
		kept.frag = ip->frag_off;
		kept.traffic_class = ip->tos;
	}
	/* The two ECN bits belong to the network (RFC 3168), the rest may be ours. */
	if (!(out->flags & SG_PATH_KEEP_DSCP))
		kept.traffic_class = (__u8)(out->dscp << 2 | (kept.traffic_class & 3u));
	return kept;
}

static SG_INLINE void sg_write_ethernet(void *frame, const struct sg_hop *hop, bool ipv6)
{
	struct ethhdr *eth = frame;
	__be16 type = ipv6 ? sg_htons(ETH_P_IPV6) : sg_htons(ETH_P_IP);

	__builtin_memcpy(eth->h_dest, hop->dst, ETH_ALEN);
	__builtin_memcpy(eth->h_source, hop->src, ETH_ALEN);
	if (hop->vlan) {
		struct sg_vlan *vlan = (void *)(eth + 1);

		eth->h_proto = sg_htons(ETH_P_8021Q);
		vlan->tci = hop->vlan;
		vlan->type = type;
	} else {
		eth->h_proto = type;
	}
}

static SG_INLINE __u32 sg_sum32(__be32 word)
{
	return (word & 0xffffu) + (word >> 16);
}

/* The sum is made of the values, not read back from the header, whose stores are still under way.
 */
static SG_INLINE void sg_write_ipv4(struct iphdr *ip, const struct sg_path *out,
				    const struct sg_kept *kept, __u16 udp_len)
{
	__u16 first = sg_htons((__u16)(0x4500u | kept->traffic_class));
	__u16 length = sg_htons(SG_IPV4_HLEN + udp_len);
	__u16 life = sg_htons((__u16)(kept->ttl << 8 | IPPROTO_UDP));
	__u32 sum = (__u32)first + length + kept->id + kept->frag + life + sg_sum32(out->local[3]) +
		    sg_sum32(out->remote[3]);

	ip->version = 4;
	ip->ihl = 5;
	ip->tos = kept->traffic_class;
	ip->tot_len = length;
	ip->id = kept->id;
	ip->frag_off = kept->frag;
	ip->ttl = kept->ttl;
	ip->protocol = IPPROTO_UDP;
	ip->check = (__u16)~sg_fold(sum);
	ip->saddr = out->local[3];
	ip->daddr = out->remote[3];
}

static SG_INLINE void sg_write_ipv6(struct ipv6hdr *ip, const struct sg_path *out,
				    const struct sg_kept *kept, __u16 udp_len)
{
	__u8 *byte = (__u8 *)ip;

	byte[0] = (__u8)(0x60u | kept->traffic_class >> 4);
	byte[1] = (__u8)(kept->traffic_class << 4);
	byte[2] = 0;
	byte[3] = 0;
	ip->payload_len = sg_htons(udp_len);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = kept->ttl;
	__builtin_memcpy(&ip->saddr, out->local, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, out->remote, sizeof(ip->daddr));
}

/*
 * RFC 1624 with whole paths: what changes in the sum is exactly the addresses and ports, and each
 * path carries their sum. 0 means "no checksum" and stays so; a computed 0 becomes 0xffff.
 */
static SG_INLINE __u16 sg_udp_check(__u16 check, __u16 in_sum, __u16 out_sum)
{
	__u16 sum;

	if (!check)
		return 0;
	sum = (__u16)~sg_fold((__u32)(__u16)~check + (__u16)~in_sum + out_sum);
	return sum ? sum : 0xffffu;
}

/* What a copy is made from and for. */
struct sg_rewrite {
	const struct sg_hop *hop;
	const struct sg_path *in;  /* that the packet came on */
	const struct sg_path *out; /* that this copy leaves on */
	__u32 port;		   /* index of the port and checksum pairs */
	struct sg_kept kept;
};

/*
 * Writes all headers of a frame whose UDP header already stands at its new place, l2_len + the
 * length of the IP header; both are constants where this is called, as the verifier wants. Returns
 * the UDP header, NULL if the frame ends before it does.
 */
static SG_INLINE struct udphdr *
sg_write_headers(char *frame, const char *end, const struct sg_rewrite *r, __u32 l2_len, bool ipv6)
{
	char *l3 = frame + l2_len;
	struct udphdr *udp = (void *)(l3 + (ipv6 ? SG_IPV6_HLEN : SG_IPV4_HLEN));
	__u32 port = r->port & 1u;

	if ((const char *)(udp + 1) > end)
		return NULL;
	sg_write_ethernet(frame, r->hop, ipv6);
	if (ipv6)
		sg_write_ipv6((void *)l3, r->out, &r->kept, sg_ntohs(udp->len));
	else
		sg_write_ipv4((void *)l3, r->out, &r->kept, sg_ntohs(udp->len));
	udp->source = r->out->local_port[port];
	udp->dest = r->out->remote_port[port];
	udp->check = sg_udp_check(udp->check, r->in->sum[port], r->out->sum[port]);
	return udp;
}

static SG_INLINE struct udphdr *sg_write_frame(char *frame, const char *end,
					       const struct sg_rewrite *r)
{
	bool ipv6 = r->out->flags & SG_PATH_IPV6;

	if (r->hop->vlan && ipv6)
		return sg_write_headers(frame, end, r, ETH_HLEN + SG_VLAN_HLEN, true);
	if (r->hop->vlan)
		return sg_write_headers(frame, end, r, ETH_HLEN + SG_VLAN_HLEN, false);
	if (ipv6)
		return sg_write_headers(frame, end, r, ETH_HLEN, true);
	return sg_write_headers(frame, end, r, ETH_HLEN, false);
}

/* The kept fields of a frame as it came; false if it ends before its IP header does. */
static SG_INLINE bool sg_keep_frame(const char *frame, const char *end,
				    const struct sg_packet *packet, const struct sg_path *out,
				    struct sg_kept *kept)
{
	const char *l3 =
		packet->l3 == ETH_HLEN ? frame + ETH_HLEN : frame + ETH_HLEN + SG_VLAN_HLEN;

	if (l3 + SG_IPV4_HLEN > end)
		return false;
	*kept = sg_keep(l3, packet, out);
	return true;
}

#endif
