/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guard: what a banned source sends to a port that the host listens at ends here, before the
 * stack spends anything on it. Only packets that would go up to the host come this way, so media
 * never pays for it. It reads the frame by itself, since it wants TCP as well.
 */
#ifndef SEGUE_BPF_GUARD_H
#define SEGUE_BPF_GUARD_H

#include "maps.h"
#include "parse.h"

/* The source of a packet and what it is for. */
struct sg_visit {
	struct sg_guard_allow_key from; /* the whole source: `bits` is 128 */
	struct sg_guard_port_key to;
};

/* TCP and UDP have their ports in the same place. False: cut off, or neither of them. */
static SG_INLINE bool sg_visit_ports(struct sg_visit *visit, __u8 protocol, const void *l4,
				     const void *end)
{
	const __be16 *port = l4;

	if ((protocol != IPPROTO_UDP && protocol != IPPROTO_TCP) || (const void *)(port + 2) > end)
		return false;
	visit->to.port = port[1];
	visit->to.protocol = protocol;
	return true;
}

/* Port and protocol stay 0 where they are not in the first place behind a plain header: with
 * options and extension headers, and in fragments. False: nothing that the guard is about. */
static SG_INLINE bool sg_visit_ipv4(struct sg_visit *visit, const struct iphdr *ip, const void *end)
{
	if ((const void *)(ip + 1) > end || ip->version != 4)
		return false;
	visit->from.addr[2] = SG_IPV4_MAPPED;
	visit->from.addr[3] = ip->saddr;
	visit->to.addr[2] = SG_IPV4_MAPPED;
	visit->to.addr[3] = ip->daddr;
	if (ip->ihl != 5 || ip->frag_off & sg_htons(SG_IPV4_FRAGMENT))
		return ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP;
	return sg_visit_ports(visit, ip->protocol, ip + 1, end);
}

static SG_INLINE bool sg_visit_ipv6(struct sg_visit *visit, const struct ipv6hdr *ip,
				    const void *end)
{
	if ((const void *)(ip + 1) > end || ip->version != 6)
		return false;
	__builtin_memcpy(visit->from.addr, &ip->saddr, sizeof(visit->from.addr));
	__builtin_memcpy(visit->to.addr, &ip->daddr, sizeof(visit->to.addr));
	switch (ip->nexthdr) {
	case IPPROTO_FRAGMENT:
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return true;
	default:
		return sg_visit_ports(visit, ip->nexthdr, ip + 1, end);
	}
}

static SG_INLINE bool sg_visit_read(struct sg_visit *visit, const void *data, const void *end)
{
	const struct ethhdr *eth = data;
	const struct sg_vlan *vlan = (const void *)(eth + 1);
	const void *ip = vlan;
	__be16 type;

	if ((const void *)(eth + 1) > end)
		return false;
	type = eth->h_proto;
	if (type == sg_htons(ETH_P_8021Q)) {
		if ((const void *)(vlan + 1) > end)
			return false;
		type = vlan->type;
		ip = vlan + 1;
	}
	if (type == sg_htons(ETH_P_IP))
		return sg_visit_ipv4(visit, ip, end);
	return type == sg_htons(ETH_P_IPV6) && sg_visit_ipv6(visit, ip, end);
}

/* The ban of the source, NULL if it has none or it is over. */
static SG_INLINE struct sg_ban *sg_ban_lookup(const struct sg_visit *visit)
{
	struct sg_ban_key key = {};
	struct sg_ban *ban;

	__builtin_memcpy(key.addr, visit->from.addr, sizeof(key.addr));
	if (key.addr[0] | key.addr[1] | (key.addr[2] ^ SG_IPV4_MAPPED)) {
		key.addr[2] = 0;
		key.addr[3] = 0;
	}
	ban = bpf_map_lookup_elem(&sg_ban_v1, &key);
	return ban && SG_READ_ONCE(ban->until_ns) > bpf_ktime_get_ns() ? ban : NULL;
}

/*
 * Is the packet to end here? Counts it with the ban if so. A function of its own, which the
 * verifier looks at once, whatever the ways that lead to it.
 */
SG_NOINLINE int sg_guard_refuses(struct xdp_md *xdp)
{
	struct sg_visit visit = {.from.bits = 128};
	struct sg_ban *ban;

	if (!sg_visit_read(&visit, (const void *)(long)xdp->data,
			   (const void *)(long)xdp->data_end))
		return 0;
	if (!bpf_map_lookup_elem(&sg_guard_v1, &visit.to))
		return 0;
	ban = sg_ban_lookup(&visit);
	if (!ban || bpf_map_lookup_elem(&sg_allow_v1, &visit.from))
		return 0;
	__sync_fetch_and_add(&ban->dropped, 1);
	return 1;
}

#endif
