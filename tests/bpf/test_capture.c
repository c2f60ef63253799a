// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies for whoever captures (bpf/capture.h): of a stream with the flag what came, byte by byte as
 * it came, and what leaves, as it leaves; of one without it nothing.
 */
#include <bpf/libbpf.h>

#include "../model/tap.h"
#include "copies.h"

#define SEEN 8

struct seen {
	struct sg_capture_head head;
	struct frame frame;
};

struct world {
	struct perf_buffer *buffer;
	struct seen seen[SEEN];
	unsigned count;
};

static void on_sample(void *context, int cpu, void *data, uint32_t size)
{
	struct world *world = context;
	struct seen *seen = &world->seen[world->count++ % SEEN];

	(void)cpu;
	assert_true(size >= sizeof(seen->head));
	memcpy(&seen->head, data, sizeof(seen->head));
	assert_true(size >= sizeof(seen->head) + seen->head.length);
	seen->frame.length = seen->head.length;
	memcpy(seen->frame.data, (const char *)data + sizeof(seen->head), seen->head.length);
}

static void world_open(struct world *world, const struct rig *rig)
{
	*world = (struct world){.buffer = NULL};
	world->buffer = perf_buffer__new(kernel_map(rig->kernel, "sg_capture"), 16, on_sample, NULL,
					 world, NULL);
	assert_non_null(world->buffer);
}

static void expect_seen(struct world *world, unsigned count)
{
	perf_buffer__poll(world->buffer, 0);
	assert_int_equal(world->count, count);
	perf_buffer__free(world->buffer);
}

static void flag(struct rig *rig)
{
	rig->kernel->stream[RIG_STREAM].flags |= SG_STREAM_CAPTURE;
}

static void others_are_not_copied(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0),
			  out = rig_expected(rig, &spec, 0, 0, SG_RTP);
	struct world world;

	world_open(&world, rig);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &out);
	expect_seen(&world, 0);
}

static void as_it_came_and_as_it_leaves(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0),
			  out = rig_expected(rig, &spec, 0, 0, SG_RTP);
	struct frame wanted;
	struct world world;

	flag(rig);
	world_open(&world, rig);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &out);
	expect_seen(&world, 2);
	frame_build(&wanted, &spec);
	assert_int_equal(world.seen[0].head.direction, SG_CAPTURE_IN);
	assert_int_equal(world.seen[0].head.stream, RIG_STREAM);
	rig_same_frame(&world.seen[0].frame, &wanted);
	frame_build(&wanted, &out);
	assert_int_equal(world.seen[1].head.direction, SG_CAPTURE_OUT);
	assert_int_equal(world.seen[1].head.ifindex, rig->kernel->ifindex[KERNEL_LOOPBACK]);
	rig_same_frame(&world.seen[1].frame, &wanted);
}

/* Clones are written behind the entry program: each is shown there. */
static void each_copy_leaves(void **state)
{
	static const enum kernel_nic nics[] = {KERNEL_LOOPBACK, KERNEL_LOOPBACK};
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct world world;

	flag(rig);
	rig_fanout(rig, nics, 2);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	world_open(&world, rig);
	copies_check(rig, &spec, 0, 3);
	expect_seen(&world, 3);
	assert_int_equal(world.seen[0].head.direction, SG_CAPTURE_IN);
	for (unsigned i = 1; i < 3; i++) {
		struct frame_spec out = rig_expected(rig, &spec, 0, i - 1, SG_RTP);
		struct frame wanted;

		frame_build(&wanted, &out);
		assert_int_equal(world.seen[i].head.direction, SG_CAPTURE_OUT);
		rig_same_frame(&world.seen[i].frame, &wanted);
	}
}

/* What ends here came all the same. */
static void refused_ones_came(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);
	struct frame wanted;
	struct world world;

	flag(rig);
	world_open(&world, rig);
	spec.src.port++;
	rig_ends(rig, &spec, SG_SOURCE);
	expect_seen(&world, 1);
	frame_build(&wanted, &spec);
	assert_int_equal(world.seen[0].head.direction, SG_CAPTURE_IN);
	rig_same_frame(&world.seen[0].frame, &wanted);
}

static void without_a_reader_nothing_changes(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0),
			  out = rig_expected(rig, &spec, 0, 0, SG_RTP);

	flag(rig);
	rig_leaves(rig, &spec, KERNEL_LOOPBACK, &out);
}

#define T(name) cmocka_unit_test_setup(name, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(others_are_not_copied), T(as_it_came_and_as_it_leaves),      T(each_copy_leaves),
		T(refused_ones_came),	  T(without_a_reader_nothing_changes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("captures", tests, rig_setup, rig_teardown);
}
