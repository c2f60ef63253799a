// SPDX-License-Identifier: BSD-2-Clause
#include "generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "net.h"
#include "object.h"

#define BATCH 64u

/* A payload that no shortcut can guess, and its checksum's part (without the 8 bytes of stamp). */
static void fill_payload(struct generator *generator)
{
	uint8_t *payload = generator->frame + BENCH_STAMP_OFFSET;
	uint32_t x = 1, sum = 0;

	for (unsigned i = 8; i < BENCH_PAYLOAD; i++) {
		x = x * 1664525u + 1013904223u;
		payload[i] = (uint8_t)(x >> 24);
	}
	for (unsigned i = 8; i < BENCH_PAYLOAD; i += 2) {
		uint16_t word;

		memcpy(&word, payload + i, 2);
		sum += word;
	}
	generator->state->payload_sum = sum;
}

void generator_open(struct generator *generator, const char *object_dir)
{
	static const uint8_t macs[12] = {2, 0x5e, 0, 0, 1, 1, 2, 0x5e, 0, 0, 1, 0xfe};

	memset(generator, 0, sizeof(*generator));
	generator->object = object_load(object_dir, "generator.bpf.o");
	generator->flows = object_memory(generator->object, "flows",
					 BENCH_FLOWS_MAX * sizeof(struct bench_flow));
	generator->state = object_memory(generator->object, ".bss", (size_t)getpagesize());
	generator->run_fd = object_program(generator->object, "generate");
	generator->paced_fd = object_program(generator->object, "generate_paced");
	generator->call_fd = object_program(generator->object, "generate_call");
	generator->target_fd = object_map(generator->object, "target");
	memcpy(generator->state->macs, macs, sizeof(macs));
	fill_payload(generator);
}

static struct bench_flow plan_flow(uint32_t f)
{
	uint32_t port = BENCH_RELAY_PORT + 2 * (f % BENCH_STREAMS_PER_ADDRESS);

	return (struct bench_flow){
		.saddr = htonl(0x0a100000u + f),
		.daddr = htonl(0x0a000101u + f / BENCH_STREAMS_PER_ADDRESS),
		.sport = htons(BENCH_PARTY_PORT),
		.dport = htons((uint16_t)port),
		.ssrc = htonl(0x5e600000u + f),
	};
}

/* Fisher-Yates, with a generator whose high bits are good enough for an order of visits. */
static void shuffle(struct bench_flow *flows, uint32_t count)
{
	uint64_t x = 88172645463325252ull;

	for (uint32_t i = count; i > 1; i--) {
		struct bench_flow swap = flows[i - 1];
		uint32_t j;

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		j = (uint32_t)((x >> 33) % i);
		flows[i - 1] = flows[j];
		flows[j] = swap;
	}
}

struct flow_set flow_set_make(struct generator *generator, uint32_t base, uint32_t count,
			      enum flow_order order, uint32_t *round)
{
	struct flow_set set = {generator->flows_used, count, 0, round};
	struct bench_flow *flows = generator->flows + set.first;

	if (count > BENCH_FLOWS_MAX - generator->flows_used)
		die("the flow table is full");
	for (uint32_t i = 0; i < count; i++)
		flows[i] = plan_flow(base + i);
	if (order == ORDER_RANDOM)
		shuffle(flows, count);
	generator->flows_used += count;
	return set;
}

void flow_set_rtcp(struct generator *generator, struct flow_set *set)
{
	for (uint32_t i = set->first; i < set->first + set->count; i++) {
		struct bench_flow *flow = &generator->flows[i];

		flow->sport = htons((uint16_t)(ntohs(flow->sport) + 1));
		flow->dport = htons((uint16_t)(ntohs(flow->dport) + 1));
	}
	set->rtcp = 1;
}

/* The slice from its start; the clock is read before packet `warm` and `packets` later. */
static void begin(struct generator *generator, const struct flow_set *set, uint64_t warm,
		  uint64_t packets)
{
	struct bench_generator *state = generator->state;

	state->first = set->first;
	state->end = set->first + set->count;
	state->next = set->first;
	state->round = *set->round;
	state->rtcp = set->rtcp;
	state->sent = 0;
	state->mark = warm;
	state->mark_end = warm + packets;
	state->ended_ns = 0;
}

/* A slice left in its middle goes on in the next round: some flows then miss one packet. */
static double end(struct generator *generator, const struct flow_set *set, uint64_t packets)
{
	const struct bench_generator *state = generator->state;

	*set->round = state->round + 1;
	if (!state->ended_ns)
		die("only %llu packets were generated", (unsigned long long)state->sent);
	return (double)(state->ended_ns - state->started_ns) / (double)packets;
}

static void test_run(struct generator *generator, int prog_fd, uint32_t ifindex, uint64_t repeat,
		     uint32_t batch)
{
	struct xdp_md context = {.data_end = BENCH_FRAME, .ingress_ifindex = ifindex};
	uint8_t out[BENCH_FRAME + 256];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = generator->frame,
		    .data_size_in = BENCH_FRAME, .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = (int)repeat);

	if (batch) {
		opts.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
		opts.batch_size = batch;
	} else {
		opts.data_out = out;
		opts.data_size_out = sizeof(out);
	}
	if (bpf_prog_test_run_opts(prog_fd, &opts))
		die("BPF_PROG_TEST_RUN: %s (live frames need Linux 5.18)", strerror(errno));
}

double generator_run(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
		     uint64_t warm, uint64_t packets)
{
	begin(generator, set, warm, packets);
	test_run(generator, generator->run_fd, ifindex, warm + packets + 1, BATCH);
	return end(generator, set, packets);
}

uint64_t generator_paced(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
			 uint64_t packets, uint64_t interval_ns)
{
	begin(generator, set, 0, packets);
	generator->state->interval_ns = interval_ns;
	generator->state->due_ns = 0;
	/* Most runs only look at the clock: repeat until enough packets went out. */
	while (generator->state->sent <= packets)
		test_run(generator, generator->paced_fd, ifindex, 100000, 1);
	end(generator, set, packets);
	return generator->state->sent;
}

double generator_call(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
		      int prog_fd, uint64_t warm, uint64_t packets)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(generator->target_fd, &zero, &prog_fd, 0))
		die("the program under test cannot be called: %s", strerror(errno));
	begin(generator, set, warm, packets);
	test_run(generator, generator->call_fd, ifindex, warm + packets + 1, 0);
	return end(generator, set, packets);
}
