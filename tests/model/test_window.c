// SPDX-License-Identifier: BSD-2-Clause
/* segue/window.h in user space agrees with the reference model, packet by packet. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "recent.h"
#include "tap.h"
#include "tested.h"

/* Through the window, over all runs. Sanitizers make everything slower, so they get a tenth. */
#ifdef __SANITIZE_ADDRESS__
#define PACKETS 1000000ull
#else
#define PACKETS 10000000ull
#endif

struct run {
	struct generator generator;
	struct model_stream stream;
	struct tested_window window[SG_SIDES];
	struct sg_window_params params;
	struct recent recent;
	uint64_t once[SG_REASON_COUNT]; /* verdicts of the window */
	uint64_t late;
};

static void apply(struct run *run, const struct generator_item *item)
{
	if (item->kind == GENERATOR_ROUTE)
		run->stream.route = item->route;
	else
		run->stream.path[item->side][item->slot].hop_usable = item->usable;
}

static void compare(struct run *run, const struct generator_item *item,
		    const struct model_verdict *verdict)
{
	struct recent_packet packet = {
		.time_ns = item->packet.time_ns,
		.side = item->packet.side,
		.path = verdict->path,
		.ssrc = verdict->ssrc,
		.sequence = verdict->sequence,
		.wanted = verdict->once | (verdict->late ? TESTED_LATE : 0),
		.got = tested_accept(&run->window[item->packet.side], &run->params, verdict->ssrc,
				     verdict->sequence, item->packet.time_ns),
	};

	recent_add(&run->recent, &packet);
	run->once[verdict->once]++;
	run->late += verdict->late;
	if (packet.wanted == packet.got)
		return;
	recent_print(&run->recent);
	fail_msg("the window and the model differ at packet %" PRIu64, run->recent.count);
}

static void agree(unsigned window, uint64_t seed, bool admission, uint64_t packets)
{
	struct run *run = calloc(1, sizeof(*run));
	struct generator_options options = {
		.seed = seed,
		.params = {window, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT},
		.admission = admission,
	};

	assert_non_null(run);
	run->params = (struct sg_window_params){window, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT};
	generator_init(&run->generator, &options);
	generator_stream(&run->generator, &run->stream);
	while (run->recent.count < packets) {
		static struct generator_item item;
		struct model_verdict verdict;

		generator_next(&run->generator, &item);
		if (item.kind != GENERATOR_PACKET) {
			apply(run, &item);
			continue;
		}
		model_decide(&run->stream, &item.packet, &verdict);
		if (verdict.windowed)
			compare(run, &item, &verdict);
	}
	diag("W %u seed %" PRIu64 ": %" PRIu64 " packets: %" PRIu64 " passed (%" PRIu64
	     " late), %" PRIu64 " duplicates, %" PRIu64 " too late, %" PRIu64 " jumps",
	     window, seed, run->recent.count, run->once[SG_NONE], run->late,
	     run->once[SG_DUPLICATE], run->once[SG_TOO_LATE], run->once[SG_JUMP]);
	free(run);
}

static void default_window(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		agree(1024, seed, false, PACKETS / 10);
}

static void smallest_window(void **state)
{
	(void)state;
	agree(64, 11, false, PACKETS / 10);
	agree(64, 12, false, PACKETS / 10);
}

/* Neither W nor a word of the ring need be multiples of each other. */
static void odd_windows(void **state)
{
	(void)state;
	agree(65, 21, false, PACKETS / 20);
	agree(1023, 22, false, PACKETS / 20);
}

static void with_hold_and_forgery(void **state)
{
	(void)state;
	agree(1024, 31, true, PACKETS / 10);
	agree(100, 32, true, PACKETS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_window),
		cmocka_unit_test(smallest_window),
		cmocka_unit_test(odd_windows),
		cmocka_unit_test(with_hold_and_forgery),
	};

	return cmocka_run_group_tests_name("window.h and the model", tests, NULL, NULL);
}
