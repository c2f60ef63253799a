// SPDX-License-Identifier: BSD-2-Clause
#include "cases.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "peers.h"

#define FLOOD(name, lane, program, set, packets, copies)                                           \
	{                                                                                          \
		name, KIND_FLOOD, lane, program, set, packets, copies, 7                           \
	}
#define CALL(name, program, set)                                                                   \
	{                                                                                          \
		name, KIND_CALL, LANE_XDP, program, set, 1000000, 0, 5                             \
	}
#define DELAY(name, lane, program, set)                                                            \
	{                                                                                          \
		name, KIND_DELAY, lane, program, set, 4000, 1, 3                                   \
	}

static const struct bench_case plan[] = {
	CALL("call.nothing", PROGRAM_NOTHING, SET_10K),
	CALL("call.forward", PROGRAM_RELAY, SET_RTCP),
	CALL("call.forward_window", PROGRAM_RELAY, SET_10K),
	CALL("call.duplicate", PROGRAM_RELAY, SET_COPIES),
	FLOOD("direct.1", LANE_XDP, PROGRAM_SINK, SET_1, 400000, 1),
	FLOOD("redirect.1", LANE_XDP, PROGRAM_REDIRECT, SET_1, 400000, 1),
	FLOOD("forward.1", LANE_XDP, PROGRAM_RELAY, SET_1, 400000, 1),
	FLOOD("direct.100", LANE_XDP, PROGRAM_SINK, SET_100, 400000, 1),
	FLOOD("redirect.100", LANE_XDP, PROGRAM_REDIRECT, SET_100, 400000, 1),
	FLOOD("forward.100", LANE_XDP, PROGRAM_RELAY, SET_100, 400000, 1),
	FLOOD("direct.10000", LANE_XDP, PROGRAM_SINK, SET_10K, 400000, 1),
	FLOOD("redirect.10000", LANE_XDP, PROGRAM_REDIRECT, SET_10K, 400000, 1),
	FLOOD("forward.10000", LANE_XDP, PROGRAM_RELAY, SET_10K, 400000, 1),
	FLOOD("duplicate.10000", LANE_XDP, PROGRAM_RELAY, SET_COPIES, 400000, 2),
	FLOOD("direct.10000.sequence", LANE_XDP, PROGRAM_SINK, SET_10K_SEQUENCE, 400000, 1),
	FLOOD("forward.10000.sequence", LANE_XDP, PROGRAM_RELAY, SET_10K_SEQUENCE, 400000, 1),
	FLOOD("direct.100000", LANE_XDP, PROGRAM_SINK, SET_100K, 400000, 1),
	FLOOD("forward.100000", LANE_XDP, PROGRAM_RELAY, SET_100K, 400000, 1),
	FLOOD("direct.100000.sequence", LANE_XDP, PROGRAM_SINK, SET_100K_SEQUENCE, 400000, 1),
	FLOOD("forward.100000.sequence", LANE_XDP, PROGRAM_RELAY, SET_100K_SEQUENCE, 400000, 1),
	FLOOD("tc_forward.10000", LANE_TC, PROGRAM_NONE, SET_PEER, 200000, 1),
	FLOOD("tc_clone.10000", LANE_CLONE, PROGRAM_NONE, SET_PEER, 200000, 2),
	FLOOD("nft.10000", LANE_NFT, PROGRAM_NONE, SET_PEER, 200000, 1),
	FLOOD("mmsg.100", LANE_MMSG, PROGRAM_NONE, SET_SOCKETS_100, 60000, 1),
	FLOOD("mmsg.10000", LANE_MMSG, PROGRAM_NONE, SET_SOCKETS, 60000, 1),
	FLOOD("rtpengine.100", LANE_RTPENGINE, PROGRAM_NONE, SET_RTPENGINE_100, 50000, 1),
	FLOOD("rtpengine.10000", LANE_RTPENGINE, PROGRAM_NONE, SET_RTPENGINE, 50000, 1),
	DELAY("delay.direct", LANE_XDP, PROGRAM_SINK, SET_10K),
	DELAY("delay.redirect", LANE_XDP, PROGRAM_REDIRECT, SET_10K),
	DELAY("delay.forward.1", LANE_XDP, PROGRAM_RELAY, SET_1),
	DELAY("delay.forward.100", LANE_XDP, PROGRAM_RELAY, SET_100),
	DELAY("delay.forward.10000", LANE_XDP, PROGRAM_RELAY, SET_10K),
	DELAY("delay.nft", LANE_NFT, PROGRAM_NONE, SET_PEER),
	DELAY("delay.mmsg", LANE_MMSG, PROGRAM_NONE, SET_SOCKETS_100),
	DELAY("delay.rtpengine", LANE_RTPENGINE, PROGRAM_NONE, SET_RTPENGINE_100),
};

#define DELAY_INTERVAL_NS 100000u

const struct bench_case *bench_plan(unsigned *count)
{
	*count = sizeof(plan) / sizeof(plan[0]);
	return plan;
}

static int program_of(const struct environment *environment, enum case_program program)
{
	switch (program) {
	case PROGRAM_SINK:
		return ends_program(&environment->ends, "sink");
	case PROGRAM_NOTHING:
		return ends_program(&environment->ends, "nothing");
	case PROGRAM_REDIRECT:
		return ends_program(&environment->ends, "bare_redirect");
	case PROGRAM_RELAY:
		return environment->subject.prog_fd;
	case PROGRAM_NONE:
		break;
	}
	return -1;
}

/* A relay's process may still hold packets: waits until no more come. */
static uint64_t received_at_rest(const struct environment *environment)
{
	uint64_t before, now = ends_received(&environment->ends);

	do {
		before = now;
		usleep(5000);
		now = ends_received(&environment->ends);
	} while (now != before);
	return now;
}

static struct sample flood(struct environment *environment, const struct bench_case *c)
{
	const struct flow_set *set = &environment->set[c->set];
	const struct lane *lane = &environment->lane[c->lane];
	pid_t process = environment->process[c->lane];
	uint64_t warm = set->count < 10000 ? 20000 : 2ull * set->count;
	uint64_t before = ends_received(&environment->ends);
	struct sample sample = {0};
	uint64_t cpu = process ? peer_cpu_ns(process) : 0;
	double sent = (double)(warm + c->packets + 1);

	if (process)
		peer_pin(process, BENCH_CPU, BENCH_PEER_PRIORITY);
	sample.ns = generator_run(&environment->generator, set, lane->generator_ifindex, warm,
				  c->packets);
	sample.delivered = (double)(received_at_rest(environment) - before) / sent / c->copies;
	if (process)
		sample.peer_ns = (double)(peer_cpu_ns(process) - cpu) / sent;
	return sample;
}

static double percentile(const uint64_t *bins, double fraction)
{
	uint64_t total = 0, below = 0;
	unsigned i = 0;

	for (unsigned j = 0; j < BENCH_BINS; j++)
		total += bins[j];
	while (i < BENCH_BINS - 1 && (double)(below += bins[i]) < fraction * (double)total)
		i++;
	return (i + 0.5) * BENCH_BIN_NS;
}

static struct sample one_way(struct environment *environment, const struct bench_case *c)
{
	const struct lane *lane = &environment->lane[c->lane];
	uint64_t before = ends_received(&environment->ends);
	struct sample sample = {0};
	double sent;

	if (environment->process[c->lane])
		peer_pin(environment->process[c->lane], BENCH_OTHER_CPU, BENCH_PEER_PRIORITY);
	memset(environment->ends.delay, 0, BENCH_BINS * sizeof(uint64_t));
	sent = (double)generator_paced(&environment->generator, &environment->set[c->set],
				       lane->generator_ifindex, c->packets, DELAY_INTERVAL_NS);
	sample.delivered = (double)(received_at_rest(environment) - before) / sent;
	sample.ns = percentile(environment->ends.delay, 0.5);
	sample.p99 = percentile(environment->ends.delay, 0.99);
	return sample;
}

static struct sample call(struct environment *environment, const struct bench_case *c)
{
	const struct flow_set *set = &environment->set[c->set];
	struct sample sample = {.delivered = 1};

	sample.ns =
		generator_call(&environment->generator, set, environment->lane[LANE_XDP].in_ifindex,
			       program_of(environment, c->program), 2ull * set->count, c->packets);
	return sample;
}

void case_run(struct environment *environment, struct result *result)
{
	const struct bench_case *c = result->plan;
	struct sample *sample = &result->sample[result->count++];

	if (c->kind == KIND_CALL) {
		*sample = call(environment, c);
		return;
	}
	if (c->program != PROGRAM_NONE)
		lane_set_in(&environment->lane[c->lane], program_of(environment, c->program));
	*sample = c->kind == KIND_FLOOD ? flood(environment, c) : one_way(environment, c);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The k-th smallest of the samples' ns (0: least). */
static double ranked(const struct result *result, unsigned k)
{
	double ns[ROUNDS_MAX] = {0};

	for (unsigned i = 0; i < result->count; i++)
		ns[i] = result->sample[i].ns;
	qsort(ns, result->count, sizeof(ns[0]), ascending);
	return ns[k];
}

double result_least(const struct result *result)
{
	return ranked(result, 0);
}

double result_median(const struct result *result)
{
	return ranked(result, result->count / 2);
}

double result_p99(const struct result *result)
{
	double least = result->sample[0].p99;

	for (unsigned i = 1; i < result->count; i++)
		if (result->sample[i].p99 < least)
			least = result->sample[i].p99;
	return least;
}

double result_delivered(const struct result *result)
{
	double sum = 0;

	for (unsigned i = 0; i < result->count; i++)
		sum += result->sample[i].delivered;
	return result->count ? sum / result->count : 0;
}
