// SPDX-License-Identifier: BSD-2-Clause
/* Phase 5: what a path's counters say (RFC 3550 A.3, A.8), on one CPU and on two. */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "../model/tap.h"
#include "copies.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void run_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

static int run(struct rig *rig, const struct frame_spec *spec)
{
	struct frame in, out;

	frame_build(&in, spec);
	return kernel_run(rig->kernel->main_fd, &in, &out);
}

static void send_numbers(struct rig *rig, uint16_t first, unsigned count)
{
	rig->sequence = first;
	for (unsigned i = 0; i < count; i++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		run(rig, &spec);
	}
}

static void received_and_sent(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0), *out = rig_sent(rig, 1, 0);
	uint64_t before = now_ns();

	send_numbers(rig, 100, 10);
	assert_int_equal(in->rx_packets, 10);
	assert_int_equal(in->rx_octets, 10 * 172);
	assert_int_equal(rig_sent(rig, 0, 0)->tx_packets, 0);
	assert_int_equal(out->tx_packets, 10);
	assert_int_equal(out->tx_octets, 10 * 172);
	assert_int_equal(rig_stat(rig, 1, 0)->rx_packets, 0);
	assert_int_equal(in->ssrc, 0xfeedbe00);
	/* The clock may be a tick old. */
	assert_in_range(in->last_ns, before - 20000000, now_ns());
}

/* Copies are what a path received too, but only the first left. */
static void duplicates_and_late(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0);

	send_numbers(rig, 100, 1);
	send_numbers(rig, 102, 1);
	send_numbers(rig, 101, 1);
	send_numbers(rig, 100, 3);
	assert_int_equal(in->rx_packets, 6);
	assert_int_equal(rig_rare(rig, 0, 0)->reason[SG_DUPLICATE], 3);
	assert_int_equal(rig_rare(rig, 0, 0)->late, 1);
	assert_int_equal(rig_sent(rig, 1, 0)->tx_packets, 3);
}

static void rtcp_is_counted_apart(void **state)
{
	struct rig *rig = *state;
	struct frame_spec spec = rig_rtcp(rig, 0, 0);

	run(rig, &spec);
	assert_int_equal(rig_rare(rig, 0, 0)->rtcp_packets, 1);
	assert_int_equal(rig_stat(rig, 0, 0)->rx_packets, 0);
	assert_int_equal(rig_sent(rig, 1, 0)->tx_packets, 0);
}

static int32_t lost(const struct sg_path_stat *stat)
{
	return (int32_t)(stat->highest - stat->base + 1 - stat->received);
}

/* RFC 3550 A.3, over the wrap. */
static void loss(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0);

	send_numbers(rig, 65530, 3); /* 65530..65532 */
	send_numbers(rig, 2, 2);     /* 65533..1 lost */
	assert_int_equal(lost(in), 5);
	send_numbers(rig, 65534, 1); /* late, not lost */
	assert_int_equal(lost(in), 4);
	assert_int_equal(in->received, 6);
}

/* A new SSRC starts anew; what was lost before is kept. */
static void loss_survives_a_change_of_ssrc(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0);
	struct frame_spec spec;

	send_numbers(rig, 100, 1);
	send_numbers(rig, 104, 1);
	spec = rig_packet(rig, 0, 0);
	rig->payload[11] = 0x55;
	run(rig, &spec);
	assert_int_equal(in->lost_before, 3);
	assert_int_equal(lost(in), 0);
	assert_int_equal(in->ssrc, 0xfeedbe55);
}

/* Only so many packets in a tick of the kernel are timed, and the tests before used them up. */
static void next_tick(void)
{
	usleep(20000);
}

/*
 * RFC 3550 A.8: packets whose timestamps are a second apart come at once, so each differs by about
 * a second, of which a sixteenth counts.
 */
static void jitter(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0);

	next_tick();
	for (unsigned i = 0; i < 3; i++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		frame_put16(rig->payload + 6, (uint16_t)(8000 * i));
		run(rig, &spec);
	}
	/* 1/16, then + 15/16 of a sixteenth: 121 ms; the machine may pause for some. */
	assert_in_range(in->jitter_ns, 110000000, 125000000);
}

static void no_jitter_without_delay_variation(void **state)
{
	struct rig *rig = *state;

	next_tick();
	for (unsigned i = 0; i < 10; i++) {
		struct frame_spec spec = rig_packet(rig, 0, 0);

		frame_put16(rig->payload + 6, 0);
		run(rig, &spec);
	}
	assert_true(rig_stat(rig, 0, 0)->timed_ns > 0);
	assert_true(rig_stat(rig, 0, 0)->jitter_ns < 5000000);
}

static void two_cpus_lose_no_count(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat *in = rig_stat(rig, 0, 0), *out = rig_sent(rig, 1, 0);

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		diag("one CPU only");
		skip();
	}
	send_numbers(rig, 100, 10);
	run_on(1);
	send_numbers(rig, 110, 7);
	run_on(0);
	assert_int_equal(in->rx_owner, 1);
	assert_int_equal(in->rx_packets, 10);
	assert_int_equal(in->rx_octets, 10 * 172);
	assert_int_equal(rig_rare(rig, 0, 0)->other_rx_packets, 7);
	assert_int_equal(rig_rare(rig, 0, 0)->other_rx_octets, 7 * 172);
	assert_int_equal(out->tx_packets + rig_rare(rig, 1, 0)->other_tx_packets, 17);
	assert_int_equal(out->tx_octets + rig_rare(rig, 1, 0)->other_tx_octets, 17 * 172);
}

static void copies_are_counted_where_they_leave(void **state)
{
	static const enum kernel_nic nics[] = {KERNEL_LOOPBACK, KERNEL_LOOPBACK};
	struct rig *rig = *state;
	struct frame_spec spec = rig_packet(rig, 0, 0);

	rig_fanout(rig, nics, 2);
	rig_route(rig, rig_make_route(1, 1, 3, 3));
	copies_check(rig, &spec, 0, 3);
	for (unsigned slot = 0; slot < 2; slot++) {
		assert_int_equal(rig_sent(rig, 1, slot)->tx_packets, 1);
		assert_int_equal(rig_sent(rig, 1, slot)->tx_octets, 172);
	}
	assert_int_equal(rig_stat(rig, 0, 0)->rx_packets, 1);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(received_and_sent),
		T(duplicates_and_late),
		T(rtcp_is_counted_apart),
		T(loss),
		T(loss_survives_a_change_of_ssrc),
		T(jitter),
		T(no_jitter_without_delay_variation),
		T(two_cpus_lose_no_count),
		T(copies_are_counted_where_they_leave),
	};

	return cmocka_run_group_tests_name("counters", tests, rig_setup, rig_teardown);
}
