/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the bench's BPF programs and its user space share: the frames, the flows and the address
 * plan. One frame is what a G.711 call sends every 20 ms: 12 bytes of RTP and 160 of payload.
 *
 * Address plan, the same in every lane (a lane: generator - relay under test - sink). Flow f:
 *   party A    10.16.0.0/12 + f, port 30000      behind 10.0.1.254, on the relay's NIC "in"
 *   party B    10.32.0.0/12 + f, port 30000      behind 10.0.2.254, on the relay's NIC "out"
 *   second B   10.48.0.0/12 + f, port 30000      likewise: the other copy
 *   relay      10.0.1.(1 + f / 25000), port 10000 + 2 * (f % 25000) towards A
 *              10.0.2.(1 + f / 25000), the same port                towards B
 *              10.0.2.(11 + f / 25000), the same port               towards the second B
 */
#ifndef SG_BENCH_FLOW_H
#define SG_BENCH_FLOW_H

#include <linux/types.h>

#define BENCH_PAYLOAD 160u
#define BENCH_FRAME (14u + 20u + 8u + 12u + BENCH_PAYLOAD)
#define BENCH_FLOWS_MAX 300000u /* entries of the flow table: all sets, each in two orders */
#define BENCH_STREAMS_PER_ADDRESS 25000u
#define BENCH_RELAY_PORT 10000u
#define BENCH_PARTY_PORT 30000u

/* Stamp of the generator at the payload's start, read by the sink. */
#define BENCH_STAMP_OFFSET (14u + 20u + 8u + 12u)

/* Delay histogram: bins of 10 ns, the last one holds all that is longer. */
#define BENCH_BIN_NS 10u
#define BENCH_BINS 32768u

/* One flow as the generator sends it. Network byte order, except ssrc. */
struct bench_flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__be32 ssrc;
};

/* The generator's state: a slice of the flow table is visited again and again. */
struct bench_generator {
	__u32 first; /* of the slice */
	__u32 end;
	__u32 next;
	__u32 round;	   /* RTP sequence number of every flow of the slice */
	__u32 payload_sum; /* ones' complement sum of the payload */
	__u32 rtcp;	   /* send sender reports instead of RTP */
	__u64 sent;
	__u64 mark;	  /* value of `sent` at which to read the clock next */
	__u64 mark_end;	  /* ... and for the last time */
	__u64 started_ns; /* the two readings */
	__u64 ended_ns;
	__u64 due_ns;	   /* paced only: time of the next packet */
	__u64 interval_ns; /* paced only */
	__u8 macs[12];	   /* destination, source */
	__u8 pad2[4];
};

#endif
