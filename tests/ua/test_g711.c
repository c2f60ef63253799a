// SPDX-License-Identifier: BSD-2-Clause
/* G.711 by its own properties and by values of ITU-T G.711, tables 1 and 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "g711.h"

static int16_t decoded(enum g711_law law, uint8_t code)
{
	int16_t sample;

	g711_decode(law, &code, 1, &sample);
	return sample;
}

static uint8_t encoded(enum g711_law law, int16_t sample)
{
	uint8_t code;

	g711_encode(law, &sample, 1, &code);
	return code;
}

/* Every code is the code of what it means; mu-law has two zeros. */
static void codes_come_back(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		assert_int_equal(encoded(G711_A, decoded(G711_A, (uint8_t)code)), code);
		if (code != 0x7f)
			assert_int_equal(encoded(G711_MU, decoded(G711_MU, (uint8_t)code)), code);
	}
}

/* The step is a sixteenth of the segment at most: the error is below a 32nd of the value, or 8. */
static void samples_come_near(void **state)
{
	(void)state;
	for (int sample = -32768; sample < 32768; sample++) {
		for (enum g711_law law = G711_MU; law <= G711_A; law++) {
			int error = abs(decoded(law, encoded(law, (int16_t)sample)) - sample);
			int allowed = abs(sample) / 30 + 8;

			/* Beyond what the laws can say. */
			if (abs(sample) > 32124)
				allowed = 1024;
			assert_true(error <= allowed);
		}
	}
}

static void knows_the_tables(void **state)
{
	(void)state;
	assert_int_equal(encoded(G711_MU, 0), 0xff);
	assert_int_equal(decoded(G711_MU, 0xff), 0);
	assert_int_equal(decoded(G711_MU, 0x80), 32124);
	assert_int_equal(decoded(G711_MU, 0x00), -32124);
	assert_int_equal(encoded(G711_A, 0), 0xd5);
	assert_int_equal(encoded(G711_A, -1), 0x55);
	assert_int_equal(decoded(G711_A, 0xd5), 8);
	assert_int_equal(decoded(G711_A, 0xaa), 32256);
	assert_int_equal(decoded(G711_A, 0x2a), -32256);
	assert_int_equal(encoded(G711_A, -32768), 0x2a);
	assert_int_equal(encoded(G711_MU, -32768), 0x00);
}

static void louder_is_larger(void **state)
{
	(void)state;
	for (int sample = -32767; sample < 32768; sample++) {
		for (enum g711_law law = G711_MU; law <= G711_A; law++)
			assert_true(decoded(law, encoded(law, (int16_t)sample)) >=
				    decoded(law, encoded(law, (int16_t)(sample - 1))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_come_back),
		cmocka_unit_test(samples_come_near),
		cmocka_unit_test(knows_the_tables),
		cmocka_unit_test(louder_is_larger),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("g711", tests, NULL, NULL);
}
