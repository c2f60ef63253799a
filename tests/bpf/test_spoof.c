// SPDX-License-Identifier: BSD-2-Clause
/*
 * 1000 forgeries, 10000 times each, to the ports of a call from sources that are not its party:
 * none is accepted, none changes anything of the call, and the party's own packets go on between
 * them. Ten million different ones, to a call that goes on: tests/flood/spoof.sh.
 */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../model/tap.h"
#include "rig.h"

/* Each call of the kernel waits some 10 ms for RCU, so there are few of them. */
#define FORGERIES 1000u /* different ones */
#define REPEATS 10000u	/* of each */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Always one thing at least is wrong: the address, the port, or both; the rest may be right. */
static void forge(struct frame_spec *spec, uint32_t *random)
{
	uint32_t wrong = 1 + next_random(random) % 3;
	struct model_endpoint right = spec->src;

	if (wrong & 1)
		spec->src.port = (uint16_t)(1 + next_random(random) % 65535);
	if (wrong & 2) {
		for (unsigned i = frame_is_v4(right.addr) ? 12 : 8; i < 16; i++)
			spec->src.addr[i] = (uint8_t)next_random(random);
	}
	if (!memcmp(&right, &spec->src, sizeof(right)))
		spec->src.port ^= 1;
}

static void send_repeatedly(struct rig *rig, const struct frame_spec *spec)
{
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .repeat = REPEATS);

	frame_build(&frame, spec);
	opts.data_size_in = (uint32_t)frame.length;
	assert_int_equal(bpf_prog_test_run_opts(rig->kernel->main_fd, &opts), 0);
	assert_int_equal(opts.retval, XDP_DROP);
}

static void own_packet_passes(struct rig *rig)
{
	struct frame_spec own = rig_packet(rig, 0, 0);
	struct frame_spec expected = rig_expected(rig, &own, 0, 0, SG_RTP);

	rig_leaves(rig, &own, KERNEL_LOOPBACK, &expected);
}

static void none_of_ten_million_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct sg_path_stat before[2][4];
	uint64_t dropped = kernel_drops(rig->kernel, SG_SOURCE);
	uint32_t random = 1;

	own_packet_passes(rig);
	for (unsigned i = 0; i < FORGERIES; i++) {
		struct frame_spec spec = i % 5 == 4 ? rig_rtcp(rig, i & 1, 0)
						    : rig_packet(rig, i & 1, i % 7 ? 0 : 3);

		if (i % 50 == 0) {
			/* What the rig counted on for the forged ones was not sent by anybody. */
			rig->sequence = (uint16_t)(65531 + i / 50);
			own_packet_passes(rig);
			for (unsigned side = 0; side < 2; side++) {
				for (unsigned slot = 0; slot < 4; slot++)
					before[side][slot] = *rig_stat(rig, side, slot);
			}
		}
		forge(&spec, &random);
		send_repeatedly(rig, &spec);
		for (unsigned side = 0; side < 2; side++) {
			for (unsigned slot = 0; slot < 4; slot++)
				assert_memory_equal(&before[side][slot], rig_stat(rig, side, slot),
						    sizeof(before[side][slot]));
		}
	}
	assert_int_equal(kernel_drops(rig->kernel, SG_SOURCE) - dropped,
			 (uint64_t)FORGERIES * REPEATS);
	diag("%u packets, each dropped for its source", FORGERIES * REPEATS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none_of_ten_million_is_accepted, rig_reset),
	};

	return cmocka_run_group_tests_name("forged sources", tests, rig_setup, rig_teardown);
}
