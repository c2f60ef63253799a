// SPDX-License-Identifier: BSD-2-Clause
/* MP-6: of two copies that arrive together on two CPUs exactly one passes. */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"
#include "tap.h"
#include "tested.h"

#ifdef __SANITIZE_ADDRESS__
#define PAIRS 1000000u
#else
#define PAIRS 10000000u
#endif

static const struct sg_window_params params = {1024, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT};

struct race {
	const struct race_kind *kind;
	uint32_t pairs;
	struct tested_window window;
	uint8_t *passed[2]; /* by pair, what each thread saw pass */
	uint32_t at[2];	    /* how far each thread is */
};

struct runner {
	struct race *race;
	int number;
};

static void pin(int number)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)(number % sysconf(_SC_NPROCESSORS_ONLN)), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

/* Both threads come out of here close together: that is the point. */
static void wait_for_the_other(struct race *race, int number, uint32_t pair)
{
	uint32_t lead = race->kind->lead(pair);
	unsigned spins = 0;

	while (pair >= __atomic_load_n(&race->at[!number], __ATOMIC_ACQUIRE) + lead) {
		if (++spins % 1024 == 0)
			sched_yield();
	}
}

static void *run(void *argument)
{
	struct runner *runner = argument;
	struct race *race = runner->race;

	pin(runner->number);
	for (uint32_t pair = 0; pair < race->pairs; pair++) {
		struct race_packet packet = race->kind->packet(pair);
		__u32 reason;

		wait_for_the_other(race, runner->number, pair);
		reason = tested_accept(&race->window, &params, packet.ssrc, packet.sequence,
				       packet.now_ns);
		race->passed[runner->number][pair] = (reason & ~TESTED_LATE) == SG_NONE;
		__atomic_store_n(&race->at[runner->number], pair + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void run_both(struct race *race)
{
	struct runner runner[2] = {{race, 0}, {race, 1}};
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run, &runner[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

static void race(const struct race_kind *kind, uint32_t pairs)
{
	struct race *race = calloc(1, sizeof(*race));
	struct race_result result;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		free(race);
		diag("one CPU only: a race needs two");
		skip();
	}
	race->kind = kind;
	race->pairs = pairs;
	for (int i = 0; i < 2; i++)
		race->passed[i] = calloc(pairs, 1);
	run_both(race);
	result = race_count(kind, race->passed[0], race->passed[1], pairs);
	diag("%u pairs: %" PRIu64 " lost, %" PRIu64 " doubled; the first thread won %" PRIu64,
	     pairs, result.lost, result.doubled, result.won);
	for (int i = 0; i < 2; i++)
		free(race->passed[i]);
	free(race);
	assert_int_equal(result.lost, 0);
	assert_int_equal(result.doubled, 0);
}

static void mp6_one_of_each_pair(void **state)
{
	(void)state;
	race(&race_steady, PAIRS);
}

static void mp6_when_a_silence_ends(void **state)
{
	(void)state;
	race(&race_silence, PAIRS / 5);
}

static void mp6_when_the_ssrc_changes(void **state)
{
	(void)state;
	race(&race_ssrc, PAIRS / 5);
}

static void mp6_when_the_source_restarts(void **state)
{
	(void)state;
	race(&race_restart, PAIRS / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mp6_one_of_each_pair),
		cmocka_unit_test(mp6_when_a_silence_ends),
		cmocka_unit_test(mp6_when_the_ssrc_changes),
		cmocka_unit_test(mp6_when_the_source_restarts),
	};

	return cmocka_run_group_tests_name("two CPUs at one window", tests, NULL, NULL);
}
