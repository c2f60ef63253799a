/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a store_put costs its caller, and how many calls (a journal entry written, changed, deleted,
 * and a CDR) the writer's thread takes without the queue growing. Prints one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "scratch.h"
#include "store/store.h"

#define CALLS 40000u
#define RATE 4000u /* calls a second of the paced run */
#define PACE_MS 10u

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of all threads but this one. */
static uint64_t writer_cpu(void)
{
	return now_ns(CLOCK_PROCESS_CPUTIME_ID) - now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static char journal[800];

static struct str call_key(char out[32], unsigned n)
{
	return (struct str){out, (size_t)snprintf(out, 32, "call-%08x-w0", n)};
}

static void begin_call(struct store *store, unsigned n)
{
	char key[32];

	store_put(store, "call", call_key(key, n), (struct str){journal, sizeof(journal)});
}

static void end_call(struct store *store, unsigned n)
{
	char key[32];
	const struct store_cdr cdr = {
		.call_id = call_key(key, n),
		.caller = STR("alice@example.net"),
		.callee = STR("bob@example.net"),
		.started_ns = 1,
		.answered_ns = 2,
		.ended_ns = 3,
		.reason = STR("BYE from A"),
		.status = 200,
		.details = (struct str){journal, 300},
	};

	store_delete(store, "call", call_key(key, n));
	store_add_cdr(store, &cdr);
}

/* Each call lives `life` calls long; returns nanoseconds of CPU per write on this thread. */
static double run(struct store *store, unsigned first, unsigned life, size_t *deepest)
{
	const unsigned step = RATE * PACE_MS / 1000;
	uint64_t begin = now_ns(CLOCK_MONOTONIC), spent = 0;
	struct store_stats stats;

	*deepest = 0;
	for (unsigned n = 0; n < CALLS + life; n += step) {
		uint64_t cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);

		for (unsigned i = n; i < n + step; i++) {
			if (i < CALLS)
				begin_call(store, first + i);
			if (i >= life)
				end_call(store, first + i - life);
		}
		spent += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		store_stats(store, &stats);
		*deepest = stats.queued > *deepest ? stats.queued : *deepest;
		while (now_ns(CLOCK_MONOTONIC) - begin < (uint64_t)n * 1000000000u / RATE)
			usleep(500);
	}
	return (double)spent / (3.0 * CALLS);
}

static double drain_seconds(struct store *store)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC);

	store_flush(store);
	return (double)(now_ns(CLOCK_MONOTONIC) - begin) / 1e9;
}

int main(void)
{
	char directory[64], url[128];
	struct store_stats after;
	struct store *store;
	struct error err;
	struct log *log;
	size_t deepest;
	double put, seconds;
	uint64_t cpu;

	memset(journal, 'j', sizeof(journal));
	if (!scratch_make(directory, sizeof(directory)) || log_open(&log, LOG_LEVEL_ERROR))
		return 1;
	snprintf(url, sizeof(url), "sqlite:%s/segue.db", directory);
	if (store_open(&store, url, log, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	cpu = writer_cpu();
	put = run(store, 0, RATE, &deepest);
	drain_seconds(store);
	cpu = writer_cpu() - cpu;
	for (unsigned n = 0; n < 20000; n++)
		begin_call(store, 1000000 + n);
	seconds = drain_seconds(store);
	store_stats(store, &after);
	printf("{\"ns_per_write\": %.0f, \"calls_per_s\": %u, \"deepest_queue\": %zu, "
	       "\"writer_us_per_call\": %.1f, \"drain_writes_per_s\": %.0f, \"lost\": %lu}\n",
	       put, RATE, deepest, (double)cpu / 1e3 / CALLS, 20000 / seconds,
	       (unsigned long)after.lost);
	store_close(store);
	log_close(log);
	scratch_remove(directory);
	return after.lost != 0;
}
