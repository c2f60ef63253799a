// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <jansson.h>

#include "net.h"
#include "report.h"

/* A number as a person wants to read it: three decimals. */
static json_t *number(double value)
{
	return json_real((double)(long long)(value * 1000 + (value < 0 ? -0.5 : 0.5)) / 1000);
}

static void add_order(json_t *out, const struct order_ratios *r)
{
	json_object_set_new(out, "forward_over_redirect", number(r->forward_over_redirect));
	json_object_set_new(out, "pps_over_redirect", number(r->pps_over_redirect));
	json_object_set_new(out, "nft_over_forward", number(r->nft_over_forward));
	json_object_set_new(out, "rtpengine_over_forward", number(r->rtpengine_over_forward));
	json_object_set_new(out, "cost_100000_over_1", number(r->cost_100000_over_1));
}

static json_t *relay_ratios(const struct report *r)
{
	json_t *delay = json_object(), *relay = json_object(), *sequence = json_object();

	json_object_set_new(delay, "p50", number(r->added_delay_p50_us));
	json_object_set_new(delay, "p99", number(r->added_delay_p99_us));
	add_order(relay, &r->random);
	add_order(sequence, &r->sequence);
	json_object_set_new(relay, "duplicate_over_redirect", number(r->duplicate_over_redirect));
	json_object_set_new(relay, "tcclone_over_duplicate", number(r->tcclone_over_duplicate));
	json_object_set_new(relay, "added_delay_us", delay);
	json_object_set_new(relay, "in_sequence", sequence);
	return relay;
}

static json_t *one_case(const struct result *result, uint32_t streams)
{
	json_t *out = json_object(), *samples = json_array(), *p99 = json_array();

	for (unsigned i = 0; i < result->count; i++) {
		json_array_append_new(samples, number(result->sample[i].ns));
		json_array_append_new(p99, number(result->sample[i].p99));
	}
	json_object_set_new(out, "streams", json_integer(streams));
	json_object_set_new(out, "ns", samples);
	json_object_set_new(out, "least_ns", number(result_least(result)));
	json_object_set_new(out, "median_ns", number(result_median(result)));
	if (result->plan->kind == KIND_DELAY) {
		json_object_set_new(out, "p99_ns", p99);
		return out;
	}
	json_decref(p99);
	if (result->plan->kind == KIND_FLOOD) {
		json_object_set_new(out, "delivered", number(result_delivered(result)));
		json_object_set_new(out, "pps",
				    number(result_delivered(result) * 1e9 / result_least(result)));
	}
	if (result->sample[0].peer_ns > 0)
		json_object_set_new(out, "peer_cpu_ns", number(result->sample[0].peer_ns));
	return out;
}

/* The machine's name for its processor; "unknown" where /proc/cpuinfo has none. */
static void cpu_name(char *out, size_t size)
{
	char line[512];
	FILE *in = fopen("/proc/cpuinfo", "r");

	snprintf(out, size, "unknown");
	while (in && fgets(line, sizeof(line), in)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !value)
			continue;
		snprintf(out, size, "%s", value + 2);
		out[strcspn(out, "\n")] = 0;
		break;
	}
	if (in)
		fclose(in);
}

static json_t *raw(const struct report *report)
{
	json_t *out = json_object(), *cases = json_object();
	struct utsname system;
	char cpu[128], date[32];
	time_t now = time(NULL);
	struct tm utc;

	uname(&system);
	cpu_name(cpu, sizeof(cpu));
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_object_set_new(out, "kernel", json_string(system.release));
	json_object_set_new(out, "cpu", json_string(cpu));
	json_object_set_new(out, "date", json_string(date));
	json_object_set_new(out, "frame_bytes", json_integer(BENCH_FRAME));
	json_object_set_new(out, "statistic", json_string("least of the interleaved rounds"));
	for (unsigned i = 0; i < report->count; i++) {
		const struct bench_case *c = report->results[i].plan;

		json_object_set_new(
			cases, c->name,
			one_case(&report->results[i], report->environment->set[c->set].count));
	}
	json_object_set_new(out, "cases", cases);
	json_object_set_new(out, "map_bytes", number(report->environment->subject.memory));
	json_object_set_new(out, "stream_add_us", number(report->environment->subject.add_us));
	return out;
}

void report_json(const struct report *report, const char *path)
{
	json_t *root = json_object();

	json_object_set_new(root, "relay", relay_ratios(report));
	json_object_set_new(root, "raw", raw(report));
	if (json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(10)))
		die("%s cannot be written: %s", path, strerror(errno));
	json_decref(root);
}
