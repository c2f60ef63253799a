// SPDX-License-Identifier: BSD-2-Clause
/*
 * Phase 4 in the whole program: the window is asked, with the tunables of sg_meta, per side and per
 * SSRC. What it answers is compared with the model in test_agree.c and test_window_kernel.c.
 */
#include "../model/tap.h"
#include "rig.h"

static struct frame_spec numbered(struct rig *rig, unsigned side, unsigned slot, uint16_t sequence)
{
	rig->sequence = sequence;
	return rig_packet(rig, side, slot);
}

static void passes(struct rig *rig, const struct frame_spec *spec)
{
	struct frame_spec expected = rig_expected(rig, spec, 0, 0, SG_RTP);

	rig_leaves(rig, spec, KERNEL_LOOPBACK, &expected);
}

static void mp5_second_copy_is_a_duplicate(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 100);

	rig_route(rig, rig_make_route(3, 3, 1, 1));
	passes(rig, &spec);
	spec = numbered(rig, 0, 1, 100);
	rig_ends(rig, &spec, SG_DUPLICATE);
	assert_int_equal(rig_rare(rig, 0, 1)->reason[SG_DUPLICATE], 1);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_DUPLICATE], 0);
}

static void mp5_late_is_no_duplicate(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 100);

	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 99);
	passes(rig, &spec);
	rig_ends(rig, &spec, SG_DUPLICATE);
	assert_int_equal(rig_rare(rig, 0, 0)->late, 1);
}

static void mp5_behind_the_window_is_too_late(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 2000);

	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 2000 - 1023);
	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 2000 - 1024);
	rig_ends(rig, &spec, SG_TOO_LATE);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_TOO_LATE], 1);
}

static void mp5_far_ahead_is_a_jump(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 100);

	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 3100);
	rig_ends(rig, &spec, SG_JUMP);
	spec = numbered(rig, 0, 0, 3099);
	passes(rig, &spec);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_JUMP], 1);
}

static void mp5_window_size_is_tunable(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 2000);

	rig->kernel->meta->window = 64;
	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 2000 - 63);
	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 2000 - 64);
	rig_ends(rig, &spec, SG_TOO_LATE);
}

static void mp5_restart_and_reset_times_are_tunable(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 100);

	passes(rig, &spec);
	spec = numbered(rig, 0, 0, 20000);
	rig_ends(rig, &spec, SG_JUMP);
	spec = numbered(rig, 0, 0, 20001);
	rig_ends(rig, &spec, SG_JUMP); /* the guard time never comes */
	rig->kernel->meta->restart_ns = 0;
	spec = numbered(rig, 0, 0, 20002);
	passes(rig, &spec);
	rig->kernel->meta->reset_ns = 0; /* any packet comes after the reset time */
	passes(rig, &spec);
	passes(rig, &spec);
}

/* Both sides may use one SSRC and one number: they are different packets. */
static void mp8_sides_have_windows_of_their_own(void **state)
{
	struct rig *rig = *state;

	for (unsigned side = 0; side < SG_SIDES; side++) {
		struct frame_spec spec = numbered(rig, side, 0, 100), expected;

		rig->payload[11] = 1;
		expected = rig_expected(rig, &spec, side, 0, SG_RTP);
		rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
		rig_ends(rig, &spec, SG_DUPLICATE);
	}
}

static void mp8_four_ssrcs_are_remembered(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = numbered(rig, 0, 0, 100);

	for (uint8_t ssrc = 0; ssrc < 5; ssrc++) {
		rig->payload[11] = ssrc;
		passes(rig, &spec);
	}
	for (uint8_t ssrc = 1; ssrc < 5; ssrc++) {
		rig->payload[11] = ssrc;
		rig_ends(rig, &spec, SG_DUPLICATE);
	}
	rig->payload[11] = 0;
	passes(rig, &spec);
}

static void mp10_rtcp_is_never_a_duplicate(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_rtcp(rig, 0, 0);
	struct frame_spec expected = rig_expected(rig, &spec, 0, 0, SG_RTCP);

	for (int i = 0; i < 3; i++)
		rig_leaves(rig, &spec, KERNEL_LOOPBACK, &expected);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mp5_second_copy_is_a_duplicate),	T(mp5_late_is_no_duplicate),
		T(mp5_behind_the_window_is_too_late),	T(mp5_far_ahead_is_a_jump),
		T(mp5_window_size_is_tunable),		T(mp5_restart_and_reset_times_are_tunable),
		T(mp8_sides_have_windows_of_their_own), T(mp8_four_ssrcs_are_remembered),
		T(mp10_rtcp_is_never_a_duplicate),
	};

	return cmocka_run_group_tests_name("once", tests, rig_setup, rig_teardown);
}
