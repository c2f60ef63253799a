/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lane: generator -> veth -> relay's namespace -> veth -> sink.
 *
 *	outer namespace            relay's namespace            outer namespace
 *	[generator] gN ----------- in [under test] out ----------- sN [sink]
 *
 * The lane's "direct" way ends in a sink on `in`: what it costs is subtracted.
 */
#ifndef SG_BENCH_LANE_H
#define SG_BENCH_LANE_H

#include <stdint.h>

struct bpf_object;

struct lane {
	char name[8];
	int netns; /* the relay's */
	uint32_t generator_ifindex;
	uint32_t sink_ifindex;
	uint32_t in_ifindex;
	uint32_t out_ifindex;
};

/* The BPF programs of the bench's ends; one set for all lanes. */
struct ends {
	int outer; /* namespace of generators and sinks */
	struct bpf_object *object;
	int received_fd;
	int out_fd;	 /* devmap of bare_redirect */
	uint64_t *delay; /* BENCH_BINS */
};

void ends_open(struct ends *ends, const char *object_dir);
/* Descriptor of a program of lane.bpf.c. */
int ends_program(const struct ends *ends, const char *name);
/* Packets in all sinks since the start. */
uint64_t ends_received(const struct ends *ends);

/* Makes veths, addresses, routes and permanent neighbours of the plan in flow.h. */
void lane_make(struct lane *lane, const struct ends *ends, const char *name);
/* Puts an XDP program on `in`, in place of whatever is there; fd -1: none. */
void lane_set_in(const struct lane *lane, int prog_fd);
/* Descriptor of the XDP program on `in`, to put it back later. */
int lane_get_in(const struct lane *lane);
/* The XDP sink. */
void lane_set_sink(const struct lane *lane, const struct ends *ends);
/* A sink for sk_buffs instead: tc, no XDP. */
void lane_set_sink_tc(const struct lane *lane, const struct ends *ends);
/* Leads bare_redirect to this lane's `out`. */
void lane_set_redirect(const struct lane *lane, const struct ends *ends);
/* Attaches a tc ingress program to `in`. */
void lane_set_in_tc(const struct lane *lane, int prog_fd);

#endif
