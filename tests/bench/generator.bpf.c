// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The bench's generator: run by BPF_PROG_TEST_RUN, it writes a whole RTP packet over the frame for
 * each run (live frames are recycled with whatever the relay left in them) and sends it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"

/* Version 2, sender report, length of all that follows UDP in words less one (RFC 3550 6.4.1). */
#define RTCP_HEAD (0x80c80000u | ((BENCH_FRAME - 42) / 4 - 1))

struct frame {
	struct ethhdr eth;
	__be32 ip_head[2]; /* version to fragment offset */
	__u8 ttl, protocol;
	__sum16 ip_check;
	__be32 saddr, daddr;
	struct udphdr udp;
	__be32 rtp_head; /* version, payload type, sequence number */
	__be32 rtp_time;
	__be32 rtp_ssrc;
	__be32 stamp[2];
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_FLOWS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_flow);
} flows SEC(".maps");

/* The program under test, for runs that end in a tail call instead of on the wire. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct bench_generator generator;

static __always_inline __u32 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u32)((sum & 0xffff) + (sum >> 16));
}

static __always_inline void write_ip(struct frame *f, const struct bench_flow *flow)
{
	const __u16 length = BENCH_FRAME - 14;
	__u64 sum = 0x4500ull + length + 0x4000 + (64 << 8 | 17);

	f->ip_head[0] = bpf_htonl(0x45000000u | length);
	f->ip_head[1] = bpf_htonl(0x4000u); /* don't fragment */
	f->ttl = 64;
	f->protocol = 17;
	f->saddr = flow->saddr;
	f->daddr = flow->daddr;
	/* The constant part is in host order: swap its folded sum, then add in network order. */
	sum = (__u64)bpf_htons((__u16)fold(sum)) + flow->saddr + flow->daddr;
	f->ip_check = (__u16)~fold(sum);
}

static __always_inline void write_udp(struct frame *f, const struct bench_flow *flow,
				      const struct bench_generator *g, __u64 stamp)
{
	const __u16 length = BENCH_FRAME - 34;
	__u32 time = g->round * BENCH_PAYLOAD;
	__u64 sum;

	f->udp.source = flow->sport;
	f->udp.dest = flow->dport;
	f->udp.len = bpf_htons(length);
	f->rtp_head = bpf_htonl(g->rtcp ? RTCP_HEAD : 0x80000000u | (g->round & 0xffff));
	f->rtp_time = bpf_htonl(time);
	f->rtp_ssrc = flow->ssrc;
	f->stamp[0] = (__be32)stamp;
	f->stamp[1] = (__be32)(stamp >> 32);
	sum = (__u64)flow->saddr + flow->daddr + flow->sport + flow->dport + flow->ssrc;
	sum += (__u64)bpf_htons(17) + 2 * (__u64)bpf_htons(length) + g->payload_sum;
	sum += (__u64)f->rtp_head + f->rtp_time;
	sum += (stamp & 0xffffffff) + (stamp >> 32);
	f->udp.check = (__u16)~fold(sum);
}

/* Twice in a run: the measured stretch begins after the warm-up and ends before the end. */
static __always_inline void read_clock(struct bench_generator *g)
{
	__u64 now = bpf_ktime_get_ns();

	if (g->mark == g->mark_end) {
		g->ended_ns = now;
		return;
	}
	g->started_ns = now;
	g->mark = g->mark_end;
}

/* Writes the next packet of the slice. `stamp` goes to the payload, 0 is "none". */
static __always_inline int build(struct xdp_md *ctx, __u64 stamp)
{
	struct frame *f = (void *)(long)ctx->data;
	struct bench_generator *g = &generator;
	struct bench_flow *flow;
	__u32 i = g->next;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return -1;
	flow = bpf_map_lookup_elem(&flows, &i);
	if (!flow)
		return -1;
	__builtin_memcpy(&f->eth, g->macs, 12);
	f->eth.h_proto = bpf_htons(ETH_P_IP);
	write_ip(f, flow);
	write_udp(f, flow, g, stamp);
	i++;
	if (i >= g->end) {
		i = g->first;
		g->round++;
	}
	g->next = i;
	if (g->sent == g->mark)
		read_clock(g);
	g->sent++;
	return 0;
}

/* As fast as it goes. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	return build(ctx, 0) ? XDP_ABORTED : XDP_TX;
}

/* One packet each interval_ns, stamped; runs in between send nothing. */
SEC("xdp")
int generate_paced(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns();

	if (now < generator.due_ns)
		return XDP_DROP;
	generator.due_ns = now + generator.interval_ns;
	return build(ctx, bpf_ktime_get_ns()) ? XDP_ABORTED : XDP_TX;
}

/* Hands the packet to the program under test: costs of the program alone. */
SEC("xdp")
int generate_call(struct xdp_md *ctx)
{
	if (!build(ctx, 0))
		bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
