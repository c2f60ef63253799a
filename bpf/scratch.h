/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the phases know of the packet in hand, apart from pointers. In a per-CPU map rather than on
 * the stack: the verifier follows every value on the stack through every way to reach it, and the
 * ways of the phases multiply to more than a million instructions; what it reads from a map is
 * merely unknown. A program does not interrupt itself on a CPU, so one is enough.
 */
#ifndef SEGUE_BPF_SCRATCH_H
#define SEGUE_BPF_SCRATCH_H

#include "maps.h"
#include "parse.h"

struct sg_scratch {
	struct sg_packet packet;
	/* found */
	__u64 entry; /* of sg_port */
	__u64 route; /* read once: every decision about a packet sees the same route */
	__u64 now_ns;
	__u32 stream_index;
	__u32 side;	 /* that the packet came from */
	__u32 in_slot;	 /* of the path that it came on */
	__u32 out_slot;	 /* of the path that it leaves on */
	__u32 component; /* SG_RTP, SG_RTCP or SG_OPAQUE: what the packet is */
	__u32 port;	 /* index of the port and checksum pairs: SG_RTP with mux */
	/* RTP header, host order */
	__u32 ssrc;
	__u32 timestamp;
	__u32 sequence;
	__u32 precise; /* now_ns was read for this packet */
	__u32 mtu;     /* SG_TOO_BIG: as the sender should see it */
	__u32 reason;
	/* the clock of this CPU, see clock.h */
	__u64 jiffies;
	__u64 clock_ns;
	__u32 readings; /* of the precise clock in this jiffy */
	__u32 packets;	/* since the last precise reading */
};

/* Private to each attached program, since nobody else reads it. Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sg_scratch);
} sg_scratch SEC(".maps");

#endif
