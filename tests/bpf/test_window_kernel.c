// SPDX-License-Identifier: BSD-2-Clause
/*
 * MP-5..MP-8 in the kernel: the window agrees with the reference model, packet by packet, with the
 * times of the trace; and MP-6 between two CPUs.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../model/generator.h"
#include "../model/race.h"
#include "../model/recent.h"
#include "../model/tap.h"
#include "window_program.h"

#define PACKETS 1000000u /* of each trace */

static struct window_program program;

/* TEST_SHARE=N: an Nth of the packets, where the machine is emulated. */
static uint32_t share(uint32_t packets)
{
	const char *text = getenv("TEST_SHARE");
	unsigned long divisor = text ? strtoul(text, NULL, 10) : 1;

	return divisor > 1 ? (uint32_t)(packets / divisor) : packets;
}

/* ---- agreement ------------------------------------------------------------------------------- */

struct run {
	struct generator generator;
	struct model_stream stream;
	struct recent recent;
	struct window_record record[WINDOW_BATCH];
	struct recent_packet packet[WINDOW_BATCH];
};

/* The next packet of side A that comes to the window, with what the model says about it. */
static void next_packet(struct run *run, unsigned i)
{
	static struct generator_item item;
	struct model_verdict verdict;

	do
		generator_next(&run->generator, &item);
	while (item.packet.side != 0);
	model_decide(&run->stream, &item.packet, &verdict);
	run->record[i] = (struct window_record){
		.now_ns = item.packet.time_ns,
		.ssrc = verdict.ssrc,
		.verdict = verdict.sequence,
	};
	run->packet[i] = (struct recent_packet){
		.time_ns = item.packet.time_ns,
		.path = verdict.path,
		.ssrc = verdict.ssrc,
		.sequence = verdict.sequence,
		.wanted = verdict.once | (verdict.late ? TESTED_LATE : 0),
	};
}

static void compare_batch(struct run *run)
{
	for (unsigned i = 0; i < WINDOW_BATCH; i++)
		next_packet(run, i);
	window_program_ask(&program, run->record, WINDOW_BATCH);
	for (unsigned i = 0; i < WINDOW_BATCH; i++) {
		run->packet[i].got = run->record[i].verdict;
		recent_add(&run->recent, &run->packet[i]);
		if (run->packet[i].got == run->packet[i].wanted)
			continue;
		recent_print(&run->recent);
		fail_msg("kernel and model differ at packet %" PRIu64, run->recent.count);
	}
}

static void agree(unsigned window, uint64_t seed)
{
	struct sg_window_params params = {window, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT};
	struct generator_options options = {
		.seed = seed,
		.params = {window, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT},
	};
	struct run *run = calloc(1, sizeof(*run));

	generator_init(&run->generator, &options);
	generator_stream(&run->generator, &run->stream);
	window_program_reset(&program, &params);
	while (run->recent.count < share(PACKETS))
		compare_batch(run);
	free(run);
}

static void mp5_default_window(void **state)
{
	(void)state;
	agree(1024, 201);
}

static void mp5_smallest_window(void **state)
{
	(void)state;
	agree(64, 202);
}

static void mp5_odd_window(void **state)
{
	(void)state;
	agree(1000, 203);
}

/* ---- races ----------------------------------------------------------------------------------- */

struct race {
	const struct race_kind *kind;
	uint32_t pairs, batch;
	uint8_t *passed[2];
	uint32_t at[2];
};

struct runner {
	struct race *race;
	int number;
};

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

/* Both CPUs come out of here close together, and race through a batch of equal packets. */
static void meet(struct race *race, int number, uint32_t pair)
{
	unsigned spins = 0;

	__atomic_store_n(&race->at[number], pair + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&race->at[!number], __ATOMIC_ACQUIRE) < pair + 1) {
		if (++spins % 1024 == 0)
			sched_yield();
	}
}

static void *run_one(void *argument)
{
	struct runner *runner = argument;
	struct race *race = runner->race;
	struct window_record record[WINDOW_BATCH];

	pin(runner->number);
	for (uint32_t pair = 0; pair < race->pairs; pair += race->batch) {
		for (uint32_t i = 0; i < race->batch; i++) {
			struct race_packet packet = race->kind->packet(pair + i);

			record[i] =
				(struct window_record){packet.now_ns, packet.ssrc, packet.sequence};
		}
		meet(race, runner->number, pair);
		window_program_ask(&program, record, race->batch);
		for (uint32_t i = 0; i < race->batch; i++)
			race->passed[runner->number][pair + i] =
				(record[i].verdict & ~TESTED_LATE) == SG_NONE;
	}
	meet(race, runner->number, race->pairs);
	return NULL;
}

/* Times must not run backwards between the CPUs, except where they do not matter: batches of one.
 */
static void race(const struct race_kind *kind, uint32_t pairs, uint32_t batch)
{
	static const struct sg_window_params params = {1024, SG_RESET_NS_DEFAULT,
						       SG_RESTART_NS_DEFAULT};
	struct race race = {.kind = kind, .pairs = pairs, .batch = batch};
	struct runner runner[2] = {{&race, 0}, {&race, 1}};
	struct race_result result;
	pthread_t thread[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		diag("one CPU only: a race needs two");
		skip();
	}
	window_program_reset(&program, &params);
	for (int i = 0; i < 2; i++)
		race.passed[i] = calloc(pairs, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run_one, &runner[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	result = race_count(kind, race.passed[0], race.passed[1], pairs);
	diag("%u pairs: %" PRIu64 " lost, %" PRIu64 " doubled; the first CPU won %" PRIu64, pairs,
	     result.lost, result.doubled, result.won);
	for (int i = 0; i < 2; i++)
		free(race.passed[i]);
	assert_int_equal(result.lost, 0);
	assert_int_equal(result.doubled, 0);
}

static void mp6_one_of_each_pair(void **state)
{
	(void)state;
	race(&race_steady, share(10000000) / WINDOW_BATCH * WINDOW_BATCH, WINDOW_BATCH);
}

static void mp6_when_a_silence_ends(void **state)
{
	(void)state;
	race(&race_silence, share(500000), 1);
}

static void mp6_when_the_ssrc_changes(void **state)
{
	(void)state;
	race(&race_ssrc, share(500000), 1);
}

static void mp6_when_the_source_restarts(void **state)
{
	(void)state;
	race(&race_restart, share(500000), 1);
}

static int setup(void **state)
{
	(void)state;
	window_program_open(&program);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	window_program_close(&program);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mp5_default_window),
		cmocka_unit_test(mp5_smallest_window),
		cmocka_unit_test(mp5_odd_window),
		cmocka_unit_test(mp6_one_of_each_pair),
		cmocka_unit_test(mp6_when_a_silence_ends),
		cmocka_unit_test(mp6_when_the_ssrc_changes),
		cmocka_unit_test(mp6_when_the_source_restarts),
	};

	return cmocka_run_group_tests_name("window in the kernel", tests, setup, teardown);
}
