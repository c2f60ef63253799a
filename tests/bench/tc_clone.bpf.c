// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Two copies of each packet by tc's bpf_clone_redirect, the way to duplicate without XDP. It knows
 * the address plan by heart and checks nothing, so that what is compared is the duplication.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"

struct {
	__u32 out_ifindex;
	__u8 macs[12];
	__u8 pad[4];
} clone_to;

struct packet {
	struct ethhdr eth;
	__u16 ip[6];
	__u16 addresses[4];
	__u16 ports[2];
	__u16 udp_length;
	__u16 udp_check;
} __attribute__((packed, aligned(2)));

static __always_inline __u16 patched(__u16 check, __u32 change)
{
	__u32 sum = (__u16)~check + change;

	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16) ~((sum & 0xffff) + (sum >> 16));
}

/* Replaces n words by new ones; returns the change of the ones' complement sum. */
static __always_inline __u32 replace(__u16 *words, const __u16 *new, int n)
{
	__u32 change = 0;

	for (int i = 0; i < n; i++) {
		change += (__u16)~words[i] + new[i];
		words[i] = new[i];
	}
	return change;
}

/* Towards the party at `party` + flow, from the relay's address `own` + flow / 25000, `hops`
 * further. */
static __always_inline int rewrite(struct __sk_buff *skb, __u32 flow, __u32 own, __u32 party,
				   __u16 hops)
{
	struct packet *p = (void *)(long)skb->data;
	__be32 source = bpf_htonl(own + flow / BENCH_STREAMS_PER_ADDRESS);
	__be32 destination = bpf_htonl(party + flow);
	__u16 addresses[4] = {(__u16)source, (__u16)(source >> 16), (__u16)destination,
			      (__u16)(destination >> 16)};
	__u16 ports[2] = {
		bpf_htons((__u16)(BENCH_RELAY_PORT + 2 * (flow % BENCH_STREAMS_PER_ADDRESS))),
		bpf_htons(BENCH_PARTY_PORT)};
	__u16 ttl;
	__u32 change;

	if ((void *)(p + 1) > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(&p->eth, clone_to.macs, 12);
	change = replace(p->addresses, addresses, 4);
	ttl = p->ip[4] - bpf_htons((__u16)(hops << 8));
	p->ip[5] = patched(p->ip[5], change + replace(&p->ip[4], &ttl, 1));
	p->udp_check = patched(p->udp_check, change + replace(p->ports, ports, 2));
	return 0;
}

static __always_inline int flow_of(struct __sk_buff *skb, __u32 *flow)
{
	struct packet *p = (void *)(long)skb->data;
	__u32 address;

	if ((void *)(p + 1) > (void *)(long)skb->data_end || p->eth.h_proto != bpf_htons(ETH_P_IP))
		return -1;
	address = (__u32)(bpf_ntohs(p->addresses[3]) & 0xff) - 1;
	*flow = address * BENCH_STREAMS_PER_ADDRESS +
		(bpf_ntohs(p->ports[1]) - BENCH_RELAY_PORT) / 2;
	return 0;
}

SEC("tc")
int tc_clone(struct __sk_buff *skb)
{
	__u32 flow;

	if (flow_of(skb, &flow) || rewrite(skb, flow, 0x0a000201, 0x0a200000, 1))
		return TC_ACT_OK;
	bpf_clone_redirect(skb, clone_to.out_ifindex, 0);
	if (rewrite(skb, flow, 0x0a00020b, 0x0a300000, 0))
		return TC_ACT_SHOT;
	return (int)bpf_redirect(clone_to.out_ifindex, 0);
}

/* One copy: what tc costs before it duplicates. */
SEC("tc")
int tc_forward(struct __sk_buff *skb)
{
	__u32 flow;

	if (flow_of(skb, &flow) || rewrite(skb, flow, 0x0a000201, 0x0a200000, 1))
		return TC_ACT_OK;
	return (int)bpf_redirect(clone_to.out_ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
