/* SPDX-License-Identifier: BSD-2-Clause */
/* What the samples say: ratios beside their targets, as a table, as JSON and as a picture. */
#ifndef SG_BENCH_REPORT_H
#define SG_BENCH_REPORT_H

#include <stdio.h>

#include "cases.h"

/* The ratios that depend on the order in which the streams' packets come. */
struct order_ratios {
	double forward_over_redirect, pps_over_redirect;
	double nft_over_forward, rtpengine_over_forward;
	double cost_100000_over_1;
};

struct report {
	const struct result *results;
	unsigned count;
	const struct environment *environment;
	/* nanoseconds a packet, the direct way subtracted */
	double redirect, forward, duplicate, tc_forward, tc_clone, nft, mmsg, rtpengine;
	/* the keys of bench.json */
	struct order_ratios random;   /* as packets of many calls come: caches and TLB miss */
	struct order_ratios sequence; /* stream after stream: what the instructions cost */
	double duplicate_over_redirect, tcclone_over_duplicate;
	double added_delay_p50_us, added_delay_p99_us;
};

/* Computes costs and ratios; all cases of the plan must have been run. */
void report_make(struct report *report);
/* The figures of the cases that were run, as they are. */
void report_cases(const struct report *report, FILE *out);
void report_table(const struct report *report, FILE *out);
void report_json(const struct report *report, const char *path);
void report_svg(const struct report *report, const char *path);

/* The result of a case; the bench ends if the plan has no such case. */
const struct result *report_find(const struct report *report, const char *name);
/* Least ns of a case, less the least of the direct way of the same flows. */
double report_cost(const struct report *report, const char *name, const char *direct);

#endif
