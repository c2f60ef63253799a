/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What forge.bpf.c writes and forge.c asks for. */
#ifndef TEST_FLOOD_FORGERY_H
#define TEST_FLOOD_FORGERY_H

#include <linux/types.h>

#define FORGERY_TARGETS 8u
#define FORGERY_PAYLOAD 160u
#define FORGERY_FRAME (14u + 20u + 8u + 12u + FORGERY_PAYLOAD)

/* One port of a call, and the party that may send to it. Network order. */
struct forgery_target {
	__be32 address, party;
	__be16 port, party_port;
	__be32 ssrc;
	__u8 macs[12];
	__u32 rtcp;
};

struct forgery_state {
	__u64 next;    /* number of the next packet */
	__u64 targets; /* they take turns */
};

#endif
