/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A capture that cannot lose anything: runs in XDP at the far end of the relay's NIC, notes every
 * combination of addresses and ports and every packet number, and drops the packet.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "seen.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SEEN_TUPLES);
	__type(key, struct seen_tuple);
	__type(value, __u64);
} tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEEN_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} words SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEEN_STREAMS *SEEN_COPIES);
	__type(key, __u32);
	__type(value, struct seen_count);
} counts SEC(".maps");

/* Packets that could not be noted: no number of ours, or no room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} unnoted SEC(".maps");

struct media {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__be16 rtp;
	__be16 sequence;
	__be32 timestamp, ssrc;
} __attribute__((packed));

static void note_failure(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&unnoted, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static void note_tuple(const struct media *m)
{
	struct seen_tuple tuple = {
		.from_port = m->udp.source,
		.from = m->ip.saddr,
		.to = m->ip.daddr,
		.to_port = m->udp.dest,
	};
	__u64 one = 1, *count;

	__builtin_memcpy(tuple.mac, m->eth.h_dest, sizeof(tuple.mac));
	count = bpf_map_lookup_elem(&tuples, &tuple);
	if (count)
		__sync_fetch_and_add(count, 1);
	else if (bpf_map_update_elem(&tuples, &tuple, &one, BPF_ANY))
		note_failure();
}

static void note_number(const struct media *m)
{
	__u32 number = bpf_ntohl(m->timestamp);
	__u32 index = (bpf_ntohl(m->ssrc) & 0xffffu) * SEEN_COPIES +
		      (bpf_ntohs(m->udp.dest) >= SEEN_COPY_PORT ? 1 : 0);
	__u32 at = (index * SEEN_PACKETS + number) / 64;
	struct seen_count *count = bpf_map_lookup_elem(&counts, &index);
	__u64 *word = bpf_map_lookup_elem(&words, &at);
	__u64 bit = 1ull << (number & 63u);

	if (!count || !word || number >= SEEN_PACKETS)
		return note_failure();
	__sync_fetch_and_add(&count->packets, 1);
	if (__sync_fetch_and_or(word, bit) & bit)
		__sync_fetch_and_add(&count->doubled, 1);
}

SEC("xdp")
int seen(struct xdp_md *xdp)
{
	const struct media *m = (const void *)(long)xdp->data;

	if ((const void *)(m + 1) > (const void *)(long)xdp->data_end ||
	    m->eth.h_proto != bpf_htons(ETH_P_IP) || m->ip.ihl != 5 ||
	    m->ip.protocol != IPPROTO_UDP || (m->rtp & bpf_htons(0xc000)) != bpf_htons(0x8000))
		return XDP_PASS;
	note_tuple(m);
	note_number(m);
	return XDP_DROP;
}
