/* SPDX-License-Identifier: BSD-2-Clause */
/* What is measured, and the samples of all rounds. */
#ifndef SG_BENCH_CASES_H
#define SG_BENCH_CASES_H

#include "environment.h"

#define ROUNDS_MAX 9u

enum case_kind {
	KIND_FLOOD, /* live frames through the lane, as fast as it goes */
	KIND_CALL,  /* the program alone, BPF_PROG_TEST_RUN */
	KIND_DELAY, /* one way, at low load */
};

/* The XDP program under test. */
enum case_program {
	PROGRAM_SINK,	  /* the direct way: what the bench itself costs */
	PROGRAM_NOTHING,  /* likewise, for KIND_CALL */
	PROGRAM_REDIRECT, /* the limit */
	PROGRAM_RELAY,	  /* ours */
	PROGRAM_NONE,	  /* the lane has its relay for good */
};

struct bench_case {
	const char *name;
	enum case_kind kind;
	enum lane_id lane;
	enum case_program program;
	enum set_id set;
	uint32_t packets; /* measured in a round, after a warm-up */
	unsigned copies;
	unsigned rounds;
};

struct sample {
	double ns;	  /* a packet, everything on the core included; KIND_DELAY: the median */
	double p99;	  /* KIND_DELAY only */
	double delivered; /* packets at the sink for each one that should be there */
	double peer_ns;	  /* CPU time a packet of a relay that is a process */
};

struct result {
	const struct bench_case *plan;
	unsigned count;
	struct sample sample[ROUNDS_MAX];
};

/* The plan; *count is set. */
const struct bench_case *bench_plan(unsigned *count);

/* Runs one round of a case and appends its sample. */
void case_run(struct environment *environment, struct result *result);

/* Least and median of the samples' ns; least p99; mean of what was delivered. */
double result_least(const struct result *result);
double result_median(const struct result *result);
double result_p99(const struct result *result);
double result_delivered(const struct result *result);

#endif
