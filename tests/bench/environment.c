// SPDX-License-Identifier: BSD-2-Clause
#include "environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "net.h"
#include "peers.h"

#define COPIES_BASE 110101u

/* Calls that a relay can have which opens four sockets a call: it inherits our limit. */
static uint32_t calls_possible(void)
{
	struct rlimit files = {1024, 1024};

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max >= 41000 ? 10000 : (uint32_t)(files.rlim_max - 200) / 4;
}

static void make_sets(struct environment *environment)
{
	const uint32_t calls = calls_possible();
	const struct {
		uint32_t base, count;
		enum flow_order order;
		enum set_id same; /* the set whose sequence numbers it continues */
	} plan[SET_COUNT] = {
		[SET_1] = {0, 1, ORDER_SEQUENCE, SET_1},
		[SET_100] = {1, 100, ORDER_RANDOM, SET_100},
		[SET_10K] = {101, 10000, ORDER_RANDOM, SET_10K},
		[SET_10K_SEQUENCE] = {101, 10000, ORDER_SEQUENCE, SET_10K},
		[SET_100K] = {10101, 100000, ORDER_RANDOM, SET_100K},
		[SET_100K_SEQUENCE] = {10101, 100000, ORDER_SEQUENCE, SET_100K},
		[SET_COPIES] = {COPIES_BASE, 10000, ORDER_RANDOM, SET_COPIES},
		[SET_RTCP] = {101, 10000, ORDER_RANDOM, SET_RTCP},
		[SET_PEER] = {0, 10000, ORDER_RANDOM, SET_PEER},
		[SET_SOCKETS_100] = {0, 100, ORDER_RANDOM, SET_SOCKETS_100},
		[SET_SOCKETS] = {0, calls, ORDER_RANDOM, SET_SOCKETS},
		[SET_RTPENGINE_100] = {0, 100, ORDER_RANDOM, SET_RTPENGINE_100},
		[SET_RTPENGINE] = {0, calls, ORDER_RANDOM, SET_RTPENGINE},
	};

	for (unsigned i = 0; i < SET_COUNT; i++)
		environment->set[i] =
			flow_set_make(&environment->generator, plan[i].base, plan[i].count,
				      plan[i].order, &environment->round[plan[i].same]);
	flow_set_rtcp(&environment->generator, &environment->set[SET_RTCP]);
}

/* Lanes of relays that take sk_buffs: the stack's own polling on `in`, a tc sink at the end. */
static void make_stack_lane(struct environment *environment, enum lane_id id, const char *name)
{
	struct lane *lane = &environment->lane[id];

	lane_make(lane, &environment->ends, name);
	netns_shell(lane->netns, "ethtool -K in gro on >/dev/null");
	lane_set_sink_tc(lane, &environment->ends);
}

static void make_peers(struct environment *environment, const char *build)
{
	char objects[4096], relay[4096], log[4096];

	snprintf(objects, sizeof(objects), "%s/tests/bench", build);
	snprintf(relay, sizeof(relay), "%s/tests/bench/mmsg_relay", build);
	make_stack_lane(environment, LANE_TC, "tc");
	make_stack_lane(environment, LANE_CLONE, "clone");
	make_stack_lane(environment, LANE_NFT, "nft");
	make_stack_lane(environment, LANE_MMSG, "mmsg");
	make_stack_lane(environment, LANE_RTPENGINE, "rtpe");
	peer_tc(&environment->lane[LANE_TC], objects, "tc_forward");
	peer_tc(&environment->lane[LANE_CLONE], objects, "tc_clone");
	peer_nft(&environment->lane[LANE_NFT], environment->set[SET_PEER].count);
	snprintf(log, sizeof(log), "%s/tests/bench/mmsg_relay.log", build);
	environment->process[LANE_MMSG] = peer_mmsg(&environment->lane[LANE_MMSG], relay,
						    environment->set[SET_SOCKETS].count, log);
	snprintf(log, sizeof(log), "%s/tests/bench/rtpengine.log", build);
	environment->process[LANE_RTPENGINE] = peer_rtpengine(
		&environment->lane[LANE_RTPENGINE], &environment->generator,
		&environment->set[SET_RTPENGINE], &environment->set[SET_RTPENGINE_100], log);
}

static void make_subject(struct environment *environment, const char *build)
{
	struct lane *lane = &environment->lane[LANE_XDP];
	char objects[4096];

	snprintf(objects, sizeof(objects), "%s/bpf", build);
	lane_make(lane, &environment->ends, "xdp");
	lane_set_sink(lane, &environment->ends);
	lane_set_redirect(lane, &environment->ends);
	subject_open(&environment->subject, lane, objects);
	subject_install(&environment->subject, 0, COPIES_BASE, 1);
	subject_install(&environment->subject, COPIES_BASE, environment->set[SET_COPIES].count, 2);
}

void environment_open(struct environment *environment, const char *build)
{
	char objects[4096];

	memset(environment, 0, sizeof(*environment));
	snprintf(objects, sizeof(objects), "%s/tests/bench", build);
	private_bpffs();
	environment->ends.outer = netns_new();
	netns_enter(environment->ends.outer);
	ends_open(&environment->ends, objects);
	generator_open(&environment->generator, objects);
	make_sets(environment);
	make_subject(environment, build);
	make_peers(environment, build);
	pin_to_cpu(0, BENCH_CPU);
	set_priority(0, BENCH_PRIORITY);
}

void environment_close(struct environment *environment)
{
	for (unsigned i = 0; i < LANE_COUNT; i++)
		spawn_end(environment->process[i]);
	subject_close(&environment->subject);
}
