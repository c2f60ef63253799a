// SPDX-License-Identifier: BSD-2-Clause
/* The packet builder against published examples: everything else here leans on it. */
#include <string.h>

#include "../model/tap.h"
#include "frame.h"

static void checksum_of_rfc_1071(void **state)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(frame_checksum(0, example, sizeof(example)), (uint16_t)~0xddf2);
}

static void checksum_of_a_well_known_header(void **state)
{
	static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
					 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
					 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	(void)state;
	assert_int_equal(frame_checksum(0, header, sizeof(header)), 0);
}

static const uint8_t payload[] = "an odd number of bytes";

static struct frame_spec v4(void)
{
	return (struct frame_spec){
		.src = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, 1234},
		.dst = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 2}, 5678},
		.vlan = 7,
		.tos = 0xb8,
		.ttl = 64,
		.id = 99,
		.fragment = FRAME_DF,
		.payload = payload,
		.length = sizeof(payload),
	};
}

static struct frame_spec v6(void)
{
	return (struct frame_spec){
		.src = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 1234},
		.dst = {{0x20, 0x01, 0x0d, 0xb8, [15] = 2}, 5678},
		.tos = 0xb8,
		.ttl = 64,
		.flow_label = 0xabcde,
		.payload = payload,
		.length = sizeof(payload) - 1,
	};
}

static void reads_what_it_built(struct frame_spec spec)
{
	struct frame frame;
	struct frame_spec read;

	frame_build(&frame, &spec);
	assert_null(frame_read(&frame, &read));
	assert_memory_equal(read.payload, spec.payload, spec.length);
	read.payload = spec.payload;
	assert_memory_equal(&read, &spec, sizeof(spec));
	for (size_t at = 14; at < frame.length; at++) {
		frame.data[at] ^= 0x10;
		if (!frame_read(&frame, &read) && memcmp(&read.src, &spec.src, sizeof(spec.src)))
			fail_msg("a wrong byte %zu was not seen", at);
		frame.data[at] ^= 0x10;
	}
}

static void both_ways(void **state)
{
	(void)state;
	reads_what_it_built(v4());
	reads_what_it_built(v6());
}

static void wrong_checksums_are_seen(void **state)
{
	struct frame_spec spec = v4(), read;
	struct frame frame;

	(void)state;
	frame_build(&frame, &spec);
	frame.data[frame.length - 1] ^= 1;
	assert_string_equal(frame_read(&frame, &read), "UDP checksum");
	frame.data[frame.length - 1] ^= 1;
	frame.data[18 + 8]--;
	assert_string_equal(frame_read(&frame, &read), "IPv4 header checksum");
	spec = v6();
	spec.no_checksum = true;
	frame_build(&frame, &spec);
	assert_string_equal(frame_read(&frame, &read), "UDP checksum 0 over IPv6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_of_rfc_1071),
		cmocka_unit_test(checksum_of_a_well_known_header),
		cmocka_unit_test(both_ways),
		cmocka_unit_test(wrong_checksums_are_seen),
	};

	return cmocka_run_group_tests_name("packet builder", tests, NULL, NULL);
}
