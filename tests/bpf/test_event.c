// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel reports in sg_event. */
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <bpf/libbpf.h>

#include "../model/tap.h"
#include "rig.h"

struct seen {
	unsigned count;
	struct sg_event last;
};

static int remember(void *context, void *data, size_t size)
{
	struct seen *seen = context;

	assert_int_equal(size, sizeof(struct sg_event));
	seen->count++;
	memcpy(&seen->last, data, sizeof(seen->last));
	return 0;
}

/* Everything in the ring; returns how many events came, and the last of them. */
static struct seen drain(struct rig *rig)
{
	struct seen seen = {0};
	struct ring_buffer *ring =
		ring_buffer__new(kernel_map(rig->kernel, "sg_event"), remember, &seen, NULL);

	assert_non_null(ring);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return seen;
}

static int reset_and_drain(void **state)
{
	rig_reset(state);
	drain(*state);
	return 0;
}

static void run(struct rig *rig, const struct frame_spec *spec)
{
	struct frame in, out;

	frame_build(&in, spec);
	kernel_run(rig->kernel->main_fd, &in, &out);
}

static void is_about(const struct seen *seen, unsigned type, unsigned side, unsigned slot)
{
	assert_int_equal(seen->count, 1);
	assert_int_equal(seen->last.type, type);
	assert_int_equal(seen->last.stream, RIG_STREAM);
	assert_int_equal(seen->last.generation, RIG_GENERATION);
	assert_int_equal(seen->last.side, side);
	assert_int_equal(seen->last.slot, slot);
}

static void first_packet(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 1, 0);
	struct seen seen;
	uint64_t first_ns;

	assert_int_equal(rig_rare(rig, 1, 0)->first_ns, 0);
	run(rig, &spec);
	seen = drain(rig);
	is_about(&seen, SG_EVENT_FIRST_PACKET, 1, 0);
	first_ns = rig_rare(rig, 1, 0)->first_ns;
	assert_int_equal(first_ns, seen.last.time_ns);
	assert_int_equal(seen.last.ssrc, 0xfeedbe01);
	assert_int_equal(seen.last.sequence, 65530);
	spec = rig_packet(rig, 1, 0);
	run(rig, &spec);
	assert_int_equal(drain(rig).count, 0);
	assert_int_equal(rig_rare(rig, 1, 0)->first_ns, first_ns);
}

static void ssrc_change(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct seen seen;

	run(rig, &spec);
	drain(rig);
	spec = rig_packet(rig, 0, 0);
	rig->payload[11] = 0x55;
	run(rig, &spec);
	seen = drain(rig);
	is_about(&seen, SG_EVENT_SSRC_CHANGE, 0, 0);
	assert_int_equal(seen.last.old_ssrc, 0xfeedbe00);
	assert_int_equal(seen.last.ssrc, 0xfeedbe55);
}

/* With what is needed to judge whether the same party goes on from there. */
static void new_source(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct seen seen;

	run(rig, &spec);
	drain(rig);
	spec = rig_packet(rig, 0, 0);
	spec.src.port++;
	spec.src.addr[15]++;
	run(rig, &spec);
	seen = drain(rig);
	is_about(&seen, SG_EVENT_NEW_SOURCE, 0, 0);
	assert_memory_equal(seen.last.addr, spec.src.addr, 16);
	assert_int_equal(ntohs(seen.last.port), spec.src.port);
	assert_int_equal(seen.last.ssrc, 0xfeedbe00);
	assert_int_equal(seen.last.old_ssrc, 0xfeedbe00);
	assert_int_equal(seen.last.sequence, 65531);
	assert_int_equal(seen.last.old_sequence, 65530);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Spraying cannot fill the ring (an event in 20 ms), and what is no RTP is no news. */
static void new_sources_are_limited(void **state)
{
	struct rig *rig = *state;
	uint64_t began = now_ms();
	struct frame_spec spec;

	for (uint16_t i = 0; i < 100; i++) {
		spec = rig_packet(rig, 0, 0);
		spec.src.port = (uint16_t)(1000 + i);
		run(rig, &spec);
	}
	assert_in_range(drain(rig).count, 1, (now_ms() - began) / 20 + 2);
	rig_rare(rig, 0, 0)->event_ns = 0;
	rig->payload[0] = 0;
	run(rig, &spec);
	assert_int_equal(drain(rig).count, 0);
}

static void next_hop(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct seen seen;

	run(rig, &spec);
	drain(rig);
	rig->stream.path[1][0].hop_usable = false;
	rig_install(rig);
	spec = rig_packet(rig, 0, 0);
	run(rig, &spec);
	seen = drain(rig);
	is_about(&seen, SG_EVENT_NEXT_HOP, 0, 0);
}

#define T(test) cmocka_unit_test_setup(test, reset_and_drain)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(first_packet), T(ssrc_change), T(new_source), T(new_sources_are_limited),
		T(next_hop),
	};

	return cmocka_run_group_tests_name("events", tests, rig_setup, rig_teardown);
}
