// SPDX-License-Identifier: BSD-2-Clause
/* make_seeds DIRECTORY: writes the inputs that the fuzzers start from, a directory for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../bpf/frame.h"
#include "../model/rng.h"

#define REWRITE_CONFIG 52u /* bytes of fuzz_rewrite.c before the frame */

static void write_seed(const char *directory, const char *fuzzer, unsigned number,
		       const uint8_t *data, size_t size)
{
	char name[512];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%s", directory, fuzzer);
	if (mkdir(name, 0755) && errno != EEXIST) {
		perror(name);
		exit(1);
	}
	snprintf(name, sizeof(name), "%s/%s/seed-%u", directory, fuzzer, number);
	file = fopen(name, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(name);
		exit(1);
	}
}

/* IPv4 and IPv6, with and without a tag, options, extension headers, fragments. */
static struct frame_spec kind_of(unsigned number)
{
	static const uint8_t rtp[40] = {0x80, 8, 0xff, 0xfe};
	static const uint8_t extensions[4] = {0, 60, 43, 44};
	struct frame_spec spec = {
		.src = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, 1234},
		.dst = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 2}, 5678},
		.vlan = number & 2 ? 7 : 0,
		.ttl = 64,
		.option_bytes = number & 4 ? 4 : 0,
		.fragment = number & 8 ? FRAME_MF : FRAME_DF,
		.payload = rtp,
		.length = sizeof(rtp),
	};

	if (number & 1) {
		spec.src.addr[0] = 0x20;
		spec.dst.addr[0] = 0x20;
		spec.extension = extensions[number / 4 % 4];
	}
	return spec;
}

static void frames(const char *directory)
{
	for (unsigned number = 0; number < 16; number++) {
		struct frame_spec spec = kind_of(number);
		uint8_t rewrite[REWRITE_CONFIG + FRAME_MAX];
		struct frame frame;

		frame_build(&frame, &spec);
		write_seed(directory, "parse", number, frame.data, frame.length);
		for (size_t i = 0; i < REWRITE_CONFIG; i++)
			rewrite[i] = (uint8_t)(number * 37 + i * 11);
		memcpy(rewrite + REWRITE_CONFIG, frame.data, frame.length);
		write_seed(directory, "rewrite", number, rewrite, REWRITE_CONFIG + frame.length);
	}
}

/* Mostly small steps on few SSRCs, as media is; see fuzz_window.c for the five bytes of a packet.
 */
static void packets(const char *directory)
{
	struct rng rng;

	rng_seed(&rng, 1);
	for (unsigned number = 0; number < 16; number++) {
		uint8_t data[2 + 5 * 200];

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)rng_u64(&rng);
		for (size_t at = 2; at < sizeof(data); at += 5) {
			data[at] = rng_one_in(&rng, 10) ? data[at] : 1;
			data[at + 1] = rng_one_in(&rng, 1 + number) ? data[at + 1] : 0;
			data[at + 2] = !rng_one_in(&rng, 10);
		}
		write_seed(directory, "window", number, data, sizeof(data));
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_seeds DIRECTORY\n");
		return 2;
	}
	frames(argv[1]);
	packets(argv[1]);
	return 0;
}
