/* SPDX-License-Identifier: BSD-2-Clause */
/* The lanes, the flows and the relays that the cases run in: all of it private to the process. */
#ifndef SG_BENCH_ENVIRONMENT_H
#define SG_BENCH_ENVIRONMENT_H

#include <sys/types.h>

#include "generator.h"
#include "lane.h"
#include "subject.h"

/* Flow sets. Those of our relay are disjoint: each has streams and sequence numbers of its own. */
enum set_id {
	SET_1,
	SET_100,
	SET_10K,
	SET_10K_SEQUENCE,
	SET_100K,
	SET_100K_SEQUENCE,
	SET_COPIES,	   /* 10 000 streams with two paths on side B */
	SET_RTCP,	   /* the RTCP of SET_10K */
	SET_PEER,	   /* 10 000 flows for nftables and tc */
	SET_SOCKETS_100,   /* for the relays with sockets */
	SET_SOCKETS,	   /* 10 000, or as many as the limit of open files allows */
	SET_RTPENGINE_100, /* the same flows, towards the ports that rtpengine chose */
	SET_RTPENGINE,
	SET_COUNT
};

enum lane_id { LANE_XDP, LANE_TC, LANE_CLONE, LANE_NFT, LANE_MMSG, LANE_RTPENGINE, LANE_COUNT };

/* Everything that is measured runs here, so that nothing is hidden on another core. */
#define BENCH_CPU 0
/*
 * ... and is not interrupted by other programs: real-time priorities. A relay's process comes
 * before the generator, which so sends exactly as fast as the relay takes: saturated, with nothing
 * lost.
 */
#define BENCH_PRIORITY 1
#define BENCH_PEER_PRIORITY 2
/* ... except a relay's process while delay is measured: the generator never sleeps then. */
#define BENCH_OTHER_CPU 1

struct environment {
	struct ends ends;
	struct generator generator;
	struct lane lane[LANE_COUNT];
	struct flow_set set[SET_COUNT];
	uint32_t round[SET_COUNT];
	struct subject subject;
	pid_t process[LANE_COUNT]; /* of the relays that are processes, else 0 */
};

/* `build` is the build directory: BPF objects and mmsg_relay are found there. */
void environment_open(struct environment *environment, const char *build);
void environment_close(struct environment *environment);

#endif
