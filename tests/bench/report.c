// SPDX-License-Identifier: BSD-2-Clause
#include "report.h"

#include <string.h>

#include "net.h"

const struct result *report_find(const struct report *report, const char *name)
{
	for (unsigned i = 0; i < report->count; i++)
		if (!strcmp(report->results[i].plan->name, name))
			return &report->results[i];
	die("no case is called %s", name);
}

double report_cost(const struct report *report, const char *name, const char *direct)
{
	return result_least(report_find(report, name)) - result_least(report_find(report, direct));
}

static double pps(const struct report *report, const char *name)
{
	const struct result *result = report_find(report, name);

	return result_delivered(result) * 1e9 / result_least(result);
}

static void make_costs(struct report *r)
{
	r->redirect = report_cost(r, "redirect.10000", "direct.10000");
	r->forward = report_cost(r, "forward.10000", "direct.10000");
	r->duplicate = report_cost(r, "duplicate.10000", "direct.10000");
	r->tc_forward = report_cost(r, "tc_forward.10000", "direct.10000");
	r->tc_clone = report_cost(r, "tc_clone.10000", "direct.10000");
	r->nft = report_cost(r, "nft.10000", "direct.10000");
	r->mmsg = report_cost(r, "mmsg.10000", "direct.10000");
	r->rtpengine = report_cost(r, "rtpengine.10000", "direct.10000");
}

/* `order` is what the names of the forward cases end in. */
static struct order_ratios make_ratios(const struct report *r, const char *order)
{
	struct order_ratios ratios;
	char forward[64], most[64];
	double cost;

	snprintf(forward, sizeof(forward), "forward.10000%s", order);
	snprintf(most, sizeof(most), "forward.100000%s", order);
	cost = report_cost(r, forward, "direct.10000");
	ratios.forward_over_redirect = cost / r->redirect;
	ratios.pps_over_redirect = pps(r, forward) / pps(r, "redirect.10000");
	ratios.nft_over_forward = r->nft / cost;
	ratios.rtpengine_over_forward = r->rtpengine / cost;
	ratios.cost_100000_over_1 =
		report_cost(r, most, "direct.100000") / report_cost(r, "forward.1", "direct.1");
	return ratios;
}

void report_make(struct report *report)
{
	const struct result *direct, *relayed;

	make_costs(report);
	report->random = make_ratios(report, "");
	report->sequence = make_ratios(report, ".sequence");
	report->duplicate_over_redirect = report->duplicate / report->redirect;
	report->tcclone_over_duplicate = report->tc_clone / report->duplicate;
	direct = report_find(report, "delay.direct");
	relayed = report_find(report, "delay.forward.10000");
	report->added_delay_p50_us = (result_least(relayed) - result_least(direct)) / 1000;
	report->added_delay_p99_us = (result_p99(relayed) - result_p99(direct)) / 1000;
}

struct target {
	const char *text;
	double value;
	double limit;
	bool at_least;
	const char *unit;
};

static void print_target(const struct target *target, FILE *out)
{
	bool reached =
		target->at_least ? target->value >= target->limit : target->value <= target->limit;

	fprintf(out, "  %-58s %9.2f %-3s %s %6.2f   %s\n", target->text, target->value,
		target->unit, target->at_least ? ">=" : "<=", target->limit,
		reached ? "reached" : "MISSED");
}

static void print_order_targets(const struct order_ratios *r, FILE *out)
{
	const struct target targets[] = {
		{"forward, cost over a bare redirect", r->forward_over_redirect, 2.0, false, "x"},
		{"forward, packets per second over a bare redirect", r->pps_over_redirect, 0.75,
		 true, "x"},
		{"nftables DNAT+SNAT over forward", r->nft_over_forward, 10, true, "x"},
		{"rtpengine's daemon, saturated, over forward", r->rtpengine_over_forward, 80, true,
		 "x"},
		{"forward, cost with 100 000 streams over 1", r->cost_100000_over_1, 1.5, false,
		 "x"},
	};

	for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		print_target(&targets[i], out);
}

static void print_targets(const struct report *r, FILE *out)
{
	const struct target targets[] = {
		{"two copies on one NIC, cost over a bare redirect", r->duplicate_over_redirect, 6,
		 false, "x"},
		{"bpf_clone_redirect over our two copies", r->tcclone_over_duplicate, 3.5, true,
		 "x"},
		{"added one-way delay, median", r->added_delay_p50_us, 0.3, false, "us"},
		{"added one-way delay, 99 %", r->added_delay_p99_us, 3, false, "us"},
	};

	fprintf(out, "\nTargets, 10 000 streams, packets in random order\n");
	print_order_targets(&r->random, out);
	for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		print_target(&targets[i], out);
	fprintf(out, "The same, stream after stream: without the cache and TLB misses\n");
	print_order_targets(&r->sequence, out);
}

static void print_flood(const struct report *report, const struct result *result, FILE *out)
{
	const char *name = result->plan->name;
	char direct[64];

	snprintf(direct, sizeof(direct), "direct%s", strchr(name, '.'));
	fprintf(out, "  %-26s %9.1f %9.1f %9.1f %9.3f %8.2f%%", name, result_least(result),
		result_median(result), report_cost(report, name, direct),
		result_delivered(result) * 1000 / result_least(result),
		100 * result_delivered(result));
	if (result->sample[0].peer_ns > 0)
		fprintf(out, "   its CPU time: %.0f ns", result->sample[result->count / 2].peer_ns);
	fputc('\n', out);
}

/* Sockets are files: with a low limit of them the relays with sockets get fewer calls. */
static void print_limit(const struct report *report, FILE *out)
{
	uint32_t calls = report->environment->set[SET_RTPENGINE].count;

	if (calls < 10000)
		fprintf(out,
			"  mmsg.10000 and rtpengine.10000 ran with %u: the limit of open files\n",
			calls);
}

static void print_floods(const struct report *report, FILE *out)
{
	fprintf(out,
		"\nThrough veth, generator, relay and sink on one core, %u-byte frames; least of "
		"the rounds\n  %-26s %9s %9s %9s %9s %9s\n",
		BENCH_FRAME, "case.streams", "ns/packet", "median", "relay ns", "Mpps",
		"delivered");
	for (unsigned i = 0; i < report->count; i++)
		if (report->results[i].plan->kind == KIND_FLOOD)
			print_flood(report, &report->results[i], out);
	print_limit(report, out);
}

static void print_calls(const struct report *report, FILE *out)
{
	fprintf(out, "\nThe program alone, BPF_PROG_TEST_RUN, 10 000 streams: ns a packet\n");
	fprintf(out,
		"  forward (RTCP) %.1f, forward + window (RTP) %.1f, duplicate (ingress) %.1f\n",
		report_cost(report, "call.forward", "call.nothing"),
		report_cost(report, "call.forward_window", "call.nothing"),
		report_cost(report, "call.duplicate", "call.nothing"));
}

static void print_delays(const struct report *report, FILE *out)
{
	double p50 = result_least(report_find(report, "delay.direct"));
	double p99 = result_p99(report_find(report, "delay.direct"));

	fprintf(out,
		"\nOne-way delay at 10 000 packets a second, us; least of the rounds\n"
		"  %-26s %9s %9s %12s %12s\n",
		"case", "median", "99 %", "added median", "added 99 %");
	for (unsigned i = 0; i < report->count; i++) {
		const struct result *result = &report->results[i];

		if (result->plan->kind != KIND_DELAY)
			continue;
		fprintf(out, "  %-26s %9.2f %9.2f %12.2f %12.2f\n", result->plan->name + 6,
			result_least(result) / 1000, result_p99(result) / 1000,
			(result_least(result) - p50) / 1000, (result_p99(result) - p99) / 1000);
	}
}

void report_cases(const struct report *report, FILE *out)
{
	for (unsigned i = 0; i < report->count; i++) {
		const struct result *result = &report->results[i];

		fprintf(out, "%-26s least %8.1f ns, median %8.1f ns, delivered %.4f\n",
			result->plan->name, result_least(result), result_median(result),
			result_delivered(result));
	}
}

void report_table(const struct report *report, FILE *out)
{
	print_floods(report, out);
	print_calls(report, out);
	print_delays(report, out);
	fprintf(out,
		"\n  100 000 streams hold %.0f MB of kernel memory in maps; one sg_stream_add "
		"takes "
		"%.1f us\n",
		report->environment->subject.memory / 1e6, report->environment->subject.add_us);
	print_targets(report, out);
}
