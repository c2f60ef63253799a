// SPDX-License-Identifier: BSD-2-Clause
/* The model itself, against verdicts worked out by hand from MP-2..MP-10 and MP-13. */
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "tap.h"

#define MS 1000000ull
#define SSRC 0x11223344u

static const struct model_params defaults = {1024, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT};

struct step {
	uint64_t at_ms;
	uint32_t ssrc;
	uint16_t sequence;
	enum sg_reason reason;
	bool late;
};

static void walk(const struct model_params *params, const struct step *steps, size_t count)
{
	struct model_window *window = calloc(1, sizeof(*window));

	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps[i];
		bool late;
		enum sg_reason reason = model_window_accept(window, params, s->ssrc, s->sequence,
							    s->at_ms * MS, &late);

		if (reason != s->reason || late != s->late)
			fail_msg("step %zu, seq %u: reason %d late %d, wanted %d %d", i,
				 s->sequence, reason, late, s->reason, s->late);
	}
	free(window);
}
#define WALK(params, steps) walk(params, steps, sizeof(steps) / sizeof((steps)[0]))

static void mp5_first_copy_passes(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 10, SG_NONE, false},      {1001, SSRC, 10, SG_DUPLICATE, false},
		{1002, SSRC, 12, SG_NONE, false},      {1003, SSRC, 11, SG_NONE, true},
		{1004, SSRC, 11, SG_DUPLICATE, false}, {1005, SSRC, 9, SG_NONE, true},
		{1006, SSRC, 9, SG_DUPLICATE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

static void mp5_edges_of_the_window(void **state)
{
	static const struct model_params narrow = {64, 2000 * MS, 200 * MS};
	static const struct step steps[] = {
		{1000, SSRC, 5000, SG_NONE, false},
		{1001, SSRC, 4937, SG_NONE, true},	/* 63 behind */
		{1002, SSRC, 4936, SG_TOO_LATE, false}, /* 64 behind */
		{1003, SSRC, 7999, SG_NONE, false},	/* 2999 ahead */
		{1004, SSRC, 10999, SG_JUMP, false},	/* 3000 ahead */
		{1005, SSRC, 40766, SG_JUMP, false},	/* 32767 ahead */
		{1006, SSRC, 40767, SG_TOO_LATE, false} /* 32768 ahead; follows 40766, but no guard
							 */
	};

	(void)state;
	WALK(&narrow, steps);
}

static void mp5_restart_needs_two_and_silence(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 100, SG_NONE, false},	  {1100, SSRC, 20000, SG_JUMP, false},
		{1150, SSRC, 20001, SG_JUMP, false},	  {1199, SSRC, 20002, SG_JUMP, false},
		{1200, SSRC, 20002, SG_JUMP, false},	  {1201, SSRC, 20003, SG_NONE, false},
		{1202, SSRC, 20003, SG_DUPLICATE, false}, {1203, SSRC, 20002, SG_NONE, true},
		{1204, SSRC, 100, SG_TOO_LATE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

static void mp5_suspect_survives_an_accepted_packet(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 100, SG_NONE, false},
		{1010, SSRC, 20000, SG_JUMP, false},
		{1020, SSRC, 101, SG_NONE, false},
		{1220, SSRC, 20001, SG_NONE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

static void mp5_reset_after_silence(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 100, SG_NONE, false},   {2999, SSRC, 100, SG_DUPLICATE, false},
		{3000, SSRC, 100, SG_NONE, false},   {4999, SSRC, 40000, SG_TOO_LATE, false},
		{5000, SSRC, 40000, SG_NONE, false}, {5001, SSRC, 39999, SG_NONE, true},
		{5002, SSRC, 40001, SG_NONE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

/* A pause in speech is no restart: what goes on where it stopped keeps its history. */
static void mp5_history_survives_a_pause(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 10, SG_NONE, false},      {1001, SSRC, 11, SG_NONE, false},
		{9000, SSRC, 12, SG_NONE, false},      {9001, SSRC, 11, SG_DUPLICATE, false},
		{9002, SSRC, 12, SG_DUPLICATE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

static void mp7_wrap(void **state)
{
	static const struct step steps[] = {
		{1000, SSRC, 65534, SG_NONE, false},	  {1001, SSRC, 1, SG_NONE, false},
		{1002, SSRC, 65535, SG_NONE, true},	  {1003, SSRC, 0, SG_NONE, true},
		{1004, SSRC, 65535, SG_DUPLICATE, false}, {1005, SSRC, 1, SG_DUPLICATE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

static void mp8_fifth_ssrc_takes_the_oldest(void **state)
{
	static const struct step steps[] = {
		{1000, 1, 7, SG_NONE, false},	   {1001, 2, 7, SG_NONE, false},
		{1002, 3, 7, SG_NONE, false},	   {1003, 0, 7, SG_NONE, false},
		{1004, 1, 8, SG_NONE, false},	   {1005, 5, 7, SG_NONE, false}, /* takes 2's */
		{1006, 1, 7, SG_DUPLICATE, false}, {1007, 3, 7, SG_DUPLICATE, false},
		{1008, 0, 7, SG_DUPLICATE, false}, {1009, 2, 7, SG_NONE, false}, /* takes 3's */
		{1010, 3, 7, SG_NONE, false},	   {1011, 1, 8, SG_DUPLICATE, false},
	};

	(void)state;
	WALK(&defaults, steps);
}

/* ---- the way of a packet --------------------------------------------------------------------- */

struct way {
	struct generator generator;
	struct model_stream stream;
	struct model_packet packet;
	uint8_t payload[32];
};

static int way_setup(void **state)
{
	struct way *way = calloc(1, sizeof(*way));
	struct generator_options options = {.seed = 1, .params = defaults};
	struct model_path *path;

	generator_init(&way->generator, &options);
	generator_stream(&way->generator, &way->stream);
	path = &way->stream.path[0][0];
	way->packet = (struct model_packet){
		.time_ns = 1000 * MS,
		.component = SG_RTP,
		.local = path->local[SG_RTP],
		.source = path->remote[SG_RTP],
		.payload = way->payload,
		.length = sizeof(way->payload),
	};
	way->payload[0] = 0x80;
	*state = way;
	return 0;
}

static int way_teardown(void **state)
{
	free(*state);
	return 0;
}

static struct model_verdict decide(struct way *way)
{
	struct model_verdict verdict;

	model_decide(&way->stream, &way->packet, &verdict);
	return verdict;
}

static void mp4_a_copy_to_each(void **state)
{
	struct model_verdict verdict = decide(*state);

	assert_int_equal(verdict.reason, SG_NONE);
	assert_int_equal(verdict.copies, 3);
	assert_int_equal(decide(*state).reason, SG_DUPLICATE);
}

static void mp2_source_and_standby(void **state)
{
	struct way *way = *state;

	way->packet.source.port++;
	assert_int_equal(decide(way).reason, SG_SOURCE);
	way->stream.route = 0;
	assert_int_equal(decide(way).reason, SG_CLOSED);
	way->packet.source.port--;
	way->stream.route = 0x00010302 | SG_ROUTE_OPEN_AB;
	way->stream.route &= ~(1ull << 8);
	assert_int_equal(decide(way).reason, SG_STANDBY);
}

static void mp3_first_byte_and_length(void **state)
{
	struct way *way = *state;

	way->payload[0] = 0;
	assert_int_equal(decide(way).reason, SG_NOT_MEDIA);
	way->payload[0] = 192;
	assert_int_equal(decide(way).reason, SG_NOT_MEDIA);
	way->payload[0] = 191;
	way->packet.length = 11;
	assert_int_equal(decide(way).reason, SG_BAD_RTP);
	way->packet.length = 0;
	assert_int_equal(decide(way).reason, SG_NOT_MEDIA);
	way->packet.length = 12;
	assert_int_equal(decide(way).reason, SG_NONE);
}

static void mp13_hold_stops_rtp_before_the_window(void **state)
{
	struct way *way = *state;

	way->stream.route &= ~SG_ROUTE_OPEN_AB;
	assert_int_equal(decide(way).reason, SG_DIRECTION);
	way->stream.route |= SG_ROUTE_OPEN_AB;
	assert_int_equal(decide(way).reason, SG_NONE);
}

static void mp10_rtcp_leaves_on_the_active_path(void **state)
{
	struct way *way = *state;
	struct model_verdict verdict;

	way->packet.component = SG_MUX;
	way->payload[1] = 200;
	way->packet.length = 8;
	way->stream.route &= ~SG_ROUTE_OPEN_AB;
	way->stream.route |= 1ull << 36;
	for (int i = 0; i < 2; i++) {
		verdict = decide(way);
		assert_int_equal(verdict.reason, SG_NONE);
		assert_int_equal(verdict.copies, 2);
		assert_false(verdict.windowed);
	}
	way->packet.length = 7;
	assert_int_equal(decide(way).reason, SG_BAD_RTP);
}

static void mp4_a_failed_leg_leaves_the_others(void **state)
{
	struct way *way = *state;

	way->stream.path[1][0].hop_usable = false;
	assert_int_equal(decide(way).copies, 2);
	way->payload[3] = 1;
	way->stream.path[1][1].hop_usable = false;
	assert_int_equal(decide(way).reason, SG_NEXT_HOP);
	way->payload[3] = 2;
	way->stream.route &= ~(0xffull << 16);
	assert_int_equal(decide(way).reason, SG_NO_PATH);
}

/* A trace that misses a case proves nothing about it. */
static void generator_reaches_every_verdict(void **state)
{
	struct way *way = *state;
	struct generator_options options = {.seed = 5, .params = defaults, .admission = true};
	static struct generator_item item;
	uint64_t reasons[SG_REASON_COUNT] = {0}, late = 0;
	static const enum sg_reason wanted[] = {
		SG_NONE,     SG_SOURCE, SG_STANDBY, SG_DIRECTION, SG_BAD_RTP,	SG_DUPLICATE,
		SG_TOO_LATE, SG_JUMP,	SG_NO_PATH, SG_NEXT_HOP,  SG_NOT_MEDIA, SG_CLOSED,
	};

	generator_init(&way->generator, &options);
	for (int i = 0; i < 300000; i++) {
		struct model_verdict verdict;

		generator_next(&way->generator, &item);
		if (item.kind == GENERATOR_ROUTE)
			way->stream.route = item.route;
		if (item.kind == GENERATOR_HOP)
			way->stream.path[item.side][item.slot].hop_usable = item.usable;
		if (item.kind != GENERATOR_PACKET)
			continue;
		model_decide(&way->stream, &item.packet, &verdict);
		reasons[verdict.reason]++;
		late += verdict.late;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (reasons[wanted[i]] < 100)
			fail_msg("reason %d only %lu times", wanted[i], reasons[wanted[i]]);
	}
	assert_true(late > 1000);
}

static void generator_repeats_itself(void **state)
{
	struct way *way = *state;
	struct generator_options options = {.seed = 9, .params = defaults, .admission = true};
	struct generator *other = calloc(1, sizeof(*other));
	static struct generator_item first, second;

	generator_init(&way->generator, &options);
	generator_init(other, &options);
	for (int i = 0; i < 20000; i++) {
		generator_next(&way->generator, &first);
		generator_next(other, &second);
		first.packet.payload = second.packet.payload = NULL;
		assert_memory_equal(&first, &second, sizeof(first));
	}
	free(other);
}

#define WAY(test) cmocka_unit_test_setup_teardown(test, way_setup, way_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mp5_first_copy_passes),
		cmocka_unit_test(mp5_edges_of_the_window),
		cmocka_unit_test(mp5_restart_needs_two_and_silence),
		cmocka_unit_test(mp5_suspect_survives_an_accepted_packet),
		cmocka_unit_test(mp5_reset_after_silence),
		cmocka_unit_test(mp5_history_survives_a_pause),
		cmocka_unit_test(mp7_wrap),
		cmocka_unit_test(mp8_fifth_ssrc_takes_the_oldest),
		WAY(mp4_a_copy_to_each),
		WAY(mp2_source_and_standby),
		WAY(mp3_first_byte_and_length),
		WAY(mp13_hold_stops_rtp_before_the_window),
		WAY(mp10_rtcp_leaves_on_the_active_path),
		WAY(mp4_a_failed_leg_leaves_the_others),
		WAY(generator_reaches_every_verdict),
		WAY(generator_repeats_itself),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
