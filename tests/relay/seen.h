/* SPDX-License-Identifier: BSD-2-Clause */
/* What seen.bpf.c counts and seen.c reads. */
#ifndef TEST_RELAY_SEEN_H
#define TEST_RELAY_SEEN_H

#include <linux/types.h>

#define SEEN_STREAMS 256u   /* by the low half of the SSRC */
#define SEEN_COPIES 2u	    /* packets to ports from SEEN_COPY_PORT on are second copies */
#define SEEN_PACKETS 65536u /* of each, numbered by the RTP timestamp */
#define SEEN_COPY_PORT 40000u
#define SEEN_TUPLES 65536u

/*
 * Streams that take turns: rtp-load sends to one at a time, by the clock, and route-changer moves
 * it in its turn. Otherwise a packet would hardly ever be under way while its route changes.
 */
#define TURNS_MS 10u
#define TURNS 3u /* in so many milliseconds */

static inline __u32 turn_of(__u64 now_ns, __u32 streams)
{
	return (__u32)(now_ns * TURNS / (TURNS_MS * 1000000ull) % streams);
}

#define SEEN_WORDS (SEEN_STREAMS * SEEN_COPIES * SEEN_PACKETS / 64)

/* Everything in the headers of a copy that a route decides; network order. */
struct seen_tuple {
	__u8 mac[6];
	__be16 from_port;
	__be32 from, to;
	__be16 to_port;
	__u8 reserved[6];
};

struct seen_count {
	__u64 packets, doubled;
};

#endif
