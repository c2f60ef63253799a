// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The ends of a lane and the yardsticks: the sinks, the bare redirect that is the limit of what XDP
 * can do, and two copies by tc's bpf_clone_redirect.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} received SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_BINS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} delay SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} out SEC(".maps");

static __always_inline void count(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&received, &zero);

	if (n)
		(*n)++;
}

/* Only the bench's frames: what else a namespace says (ARP, ICMPv6) goes to the stack. */
static __always_inline int is_ours(void *data, void *data_end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > data_end)
		return 0;
	return eth->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == 17;
}

/* Enters a stamped packet's time under way into the histogram. */
static __always_inline void note_delay(void *data, void *data_end)
{
	__u64 *stamp = data + BENCH_STAMP_OFFSET;
	__u64 *bin, took;
	__u32 key;

	if ((void *)(stamp + 1) > data_end || !*stamp)
		return;
	took = (bpf_ktime_get_ns() - *stamp) / BENCH_BIN_NS;
	key = took < BENCH_BINS ? (__u32)took : BENCH_BINS - 1;
	bin = bpf_map_lookup_elem(&delay, &key);
	if (bin)
		__sync_fetch_and_add(bin, 1);
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;

	if (!is_ours(data, data_end))
		return XDP_PASS;
	count();
	note_delay(data, data_end);
	return XDP_DROP;
}

/* The sink for relays that send sk_buffs: XDP on a veth copies cloned ones, which is not theirs. */
SEC("tc")
int sink_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;

	if (!is_ours(data, data_end))
		return TC_ACT_OK;
	count();
	note_delay(data, data_end);
	return TC_ACT_SHOT;
}

/* The limit: no parsing, no look-up, no rewriting. */
SEC("xdp")
int bare_redirect(struct xdp_md *ctx)
{
	return (int)bpf_redirect_map(&out, 0, 0);
}

/* The cheapest end of a program: for costs without a wire. */
SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
