// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Forged media as fast as it goes: run by BPF_PROG_TEST_RUN, it writes packet number `next` over
 * the frame and sends it. No two are alike. The port, the address or both are not the party's, in
 * turn; all else is: the SSRC, a sequence number that may be next, the length.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "forgery.h"

#define WRONG_PORT 1u
#define WRONG_ADDRESS 2u
#define WRONGS 3u
#define PORTS 65535u
/* Odd, so that its multiples are different, modulo a power of two. */
#define SCATTER 2654435761u

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
	__be32 payload[2];
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FORGERY_TARGETS);
	__type(key, __u32);
	__type(value, struct forgery_target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct forgery_state);
} state SEC(".maps");

static __always_inline __sum16 ip_checksum(const struct frame *f)
{
	__u64 sum = (__u64)f->ip_head[0] + f->ip_head[1] + f->saddr + f->daddr;

	sum += f->ttl | f->protocol
				<< 8; /* as the words lie in memory of a little-endian machine */
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__sum16) ~((sum & 0xffff) + (sum >> 16));
}

/* The source of packet `number`, the n-th to this port. */
static __always_inline void write_source(struct frame *f, const struct forgery_target *target,
					 __u64 number, __u64 n)
{
	__u32 wrong = WRONG_PORT + (__u32)(n % WRONGS), scattered;
	__u16 port = bpf_ntohs(target->party_port);
	__u32 turn = (__u32)(n / WRONGS);

	f->saddr = target->party;
	if (wrong & WRONG_PORT)
		port = (__u16)(1 + (port + turn % (PORTS - 1)) % PORTS);
	if (wrong & WRONG_ADDRESS) {
		scattered = (__u32)(number + 1) * SCATTER & 0xffffff;
		f->saddr = target->party ^ bpf_htonl(scattered);
	}
	f->udp.source = bpf_htons(port);
}

static __always_inline void write_packet(struct frame *f, const struct forgery_target *target,
					 __u64 number, __u64 n)
{
	__u32 head = target->rtcp ? 0x80c80000u | ((FORGERY_FRAME - 42) / 4 - 1)
				  : 0x80000000u | (n & 0xffff);

	__builtin_memcpy(&f->eth, target->macs, sizeof(target->macs));
	f->eth.h_proto = bpf_htons(ETH_P_IP);
	f->ip_head[0] = bpf_htonl(0x45000000u | (FORGERY_FRAME - 14));
	f->ip_head[1] = bpf_htonl(0x4000u); /* don't fragment */
	f->ttl = 64;
	f->protocol = 17;
	f->daddr = target->address;
	write_source(f, target, number, n);
	f->ip_check = ip_checksum(f);
	f->udp.dest = target->port;
	f->udp.len = bpf_htons(FORGERY_FRAME - 34);
	f->udp.check = 0; /* none */
	f->rtp_head = bpf_htonl(head);
	/* RTCP has the SSRC first, and its report's time behind it. */
	f->rtp_time = target->rtcp ? target->ssrc : bpf_htonl((__u32)n * FORGERY_PAYLOAD);
	f->rtp_ssrc = target->rtcp ? bpf_htonl((__u32)n) : target->ssrc;
	f->payload[0] = (__u32)number;
	f->payload[1] = (__u32)(number >> 32);
}

SEC("xdp")
int forge(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	struct forgery_target *target;
	struct forgery_state *at;
	__u32 key = 0;

	at = bpf_map_lookup_elem(&state, &key);
	if (!at || !at->targets || (void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	key = (__u32)(at->next % at->targets);
	target = bpf_map_lookup_elem(&targets, &key);
	if (!target)
		return XDP_ABORTED;
	write_packet(f, target, at->next, at->next / at->targets);
	at->next++;
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
