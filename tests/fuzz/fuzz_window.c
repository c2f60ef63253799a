// SPDX-License-Identifier: BSD-2-Clause
/*
 * segue/window.h on any order of packets: it agrees with the reference model, and by itself it
 * never lets a packet pass twice.
 */
#include <string.h>

#include "../model/model.h"
#include "../model/tested.h"
#include "fuzz.h"

#define MS 1000000ull

/* One packet of the input, five bytes. */
struct step {
	uint64_t wait_ns;
	uint32_t ssrc;
	uint16_t sequence;
};

#define STEP_BYTES 5u

/* Waits at the edges of the time rules, and numbers near the last one, are what matters. */
static struct step read_step(const uint8_t *bytes, uint16_t last)
{
	static const uint64_t waits[8] = {1,	    MS,	       20 * MS,	      200 * MS - 1,
					  200 * MS, 1999 * MS, 2000 * MS - 1, 2000 * MS};
	uint16_t number = (uint16_t)(bytes[3] << 8 | bytes[4]);
	struct step step = {
		.wait_ns = waits[bytes[0] & 7],
		.ssrc = bytes[1] % 6,
	};

	if (bytes[2] & 1) /* small steps forth and back */
		step.sequence = (uint16_t)(last + (int16_t)number % 40);
	else
		step.sequence = (uint16_t)(last + number);
	return step;
}

static void agrees_with_the_model(const uint8_t *data, size_t size, unsigned window)
{
	struct sg_window_params params = {window, 2000 * MS, 200 * MS};
	struct model_params model_params = {window, 2000 * MS, 200 * MS};
	struct tested_window *tested = calloc(1, sizeof(*tested));
	struct model_window *model = calloc(1, sizeof(*model));
	uint64_t now_ns = 1;
	uint16_t last = 65500;

	for (; size >= STEP_BYTES; data += STEP_BYTES, size -= STEP_BYTES) {
		struct step step = read_step(data, last);
		bool late;
		uint32_t wanted, got;

		now_ns += step.wait_ns;
		last = step.sequence;
		wanted = model_window_accept(model, &model_params, step.ssrc, step.sequence, now_ns,
					     &late);
		wanted |= late ? TESTED_LATE : 0;
		got = tested_accept(tested, &params, step.ssrc, step.sequence, now_ns);
		FUZZ_ASSERT(got == wanted);
	}
	free(model);
	free(tested);
}

/*
 * One SSRC, and no time passes, so nothing restarts: a number may pass again only when it has come
 * round, half a cycle ahead at the least.
 */
static void passes_once(const uint8_t *data, size_t size, unsigned window)
{
	struct sg_window_params params = {window, 2000 * MS, 200 * MS};
	struct tested_window *tested = calloc(1, sizeof(*tested));
	uint64_t *passed_at = calloc(65536, sizeof(*passed_at));
	uint64_t travelled = 65536; /* so that 0 means never */
	uint16_t last = 65500, highest = 0;

	for (; size >= STEP_BYTES; data += STEP_BYTES, size -= STEP_BYTES) {
		uint16_t sequence = read_step(data, last).sequence;
		uint32_t got = tested_accept(tested, &params, 1, sequence, 1);

		last = sequence;
		if ((got & ~TESTED_LATE) != SG_NONE)
			continue;
		if (!(got & TESTED_LATE)) {
			travelled += (uint16_t)(sequence - highest);
			highest = sequence;
		}
		FUZZ_ASSERT(!passed_at[sequence] || travelled - passed_at[sequence] > 32768);
		passed_at[sequence] = travelled;
	}
	free(passed_at);
	free(tested);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned window;

	if (size < 2)
		return 0;
	window = SG_WINDOW_MIN +
		 (unsigned)(data[0] << 8 | data[1]) % (SG_WINDOW_MAX - SG_WINDOW_MIN + 1);
	agrees_with_the_model(data + 2, size - 2, window);
	passes_once(data + 2, size - 2, window);
	return 0;
}
