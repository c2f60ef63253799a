/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator of live frames: BPF_PROG_TEST_RUN of generator.bpf.c towards a lane. */
#ifndef SG_BENCH_GENERATOR_H
#define SG_BENCH_GENERATOR_H

#include <stdint.h>

#include "flow.h"

struct bpf_object;

struct generator {
	struct bpf_object *object;
	struct bench_flow *flows; /* the table, mapped */
	uint32_t flows_used;
	struct bench_generator *state; /* mapped */
	int run_fd, paced_fd, call_fd, target_fd;
	uint8_t frame[BENCH_FRAME];
};

/* A slice of the flow table, and the round in which it is: sequence numbers go on between runs. */
struct flow_set {
	uint32_t first, count;
	uint32_t rtcp;
	uint32_t *round; /* shared by both orders of the same flows */
};

enum flow_order { ORDER_SEQUENCE, ORDER_RANDOM };

void generator_open(struct generator *generator, const char *object_dir);
/*
 * Fills a slice with flows `base`..`base + count - 1` of the plan, towards the relay's addresses
 * of the plan. `round` must outlive the set.
 */
struct flow_set flow_set_make(struct generator *generator, uint32_t base, uint32_t count,
			      enum flow_order order, uint32_t *round);
/* Turns a set into the RTCP of its flows: the ports behind, sender reports. */
void flow_set_rtcp(struct generator *generator, struct flow_set *set);

/*
 * Sends warm + packets live frames out of an interface, as fast as it goes. Nanoseconds per packet
 * (generator and all that happens behind it on this core) after the first `warm`.
 */
double generator_run(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
		     uint64_t warm, uint64_t packets);
/*
 * Sends at least so many stamped packets, one each interval, the CPU kept awake in between; returns
 * how many.
 */
uint64_t generator_paced(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
			 uint64_t packets, uint64_t interval_ns);
/* Nanoseconds per run of generator and the XDP program `prog_fd`, with no wire. */
double generator_call(struct generator *generator, const struct flow_set *set, uint32_t ifindex,
		      int prog_fd, uint64_t warm, uint64_t packets);

#endif
