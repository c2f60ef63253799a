// SPDX-License-Identifier: BSD-2-Clause
/* The E-model against the table of REQUIREMENTS, section C, within 0.1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call/media.h"
#include "call/quality.h"

static const struct {
	double delay_ms, loss;
} column[] = {{50, 0}, {150, 0}, {150, 0.01}, {150, 0.03}, {300, 0.01}};

static void check_row(const struct quality_codec *codec, const double wanted[5])
{
	for (unsigned i = 0; i < 5; i++) {
		double r = quality_r(codec, column[i].delay_ms, column[i].loss);

		if (fabs(r - wanted[i]) > 0.1)
			fail_msg("%s, %.0f ms, %.2f: R %.2f, wanted %.1f", codec->encoding,
				 column[i].delay_ms, column[i].loss, r, wanted[i]);
	}
}

static void test_table(void **state)
{
	/* Telephones conceal, so that no encoding chooses this row. */
	static const struct quality_codec bare = {"G.711 without concealment", 0, 4.3};

	(void)state;
	check_row(&bare, (const double[]){92.0, 89.6, 71.7, 50.6, 54.6});
	check_row(quality_codec("PCMU"), (const double[]){92.0, 89.6, 86.0, 79.5, 68.9});
	check_row(quality_codec("g729"), (const double[]){81.0, 78.6, 74.4, 67.1, 57.3});
	check_row(quality_codec("G723"), (const double[]){77.0, 74.6, 69.9, 62.0, 52.8});
}

static void test_mos(void **state)
{
	static const double pair[][2] = {{90, 4.34}, {80, 4.02}, {70, 3.60}, {60, 3.10}};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_true(fabs(quality_mos(pair[i][0]) - pair[i][1]) < 0.01);
	assert_true(fabs(quality_mos(quality_r(quality_codec(NULL), 0, 0)) - 4.41) < 0.01);
	for (double r = 0; r <= 93.2; r += 0.1)
		assert_true(quality_mos(r) >= 1 && quality_mos(r) <= 4.5);
}

static void test_bounds(void **state)
{
	(void)state;
	assert_true(quality_r(quality_codec("PCMA"), 5000, 1) == 0);
	assert_string_equal(quality_codec("no-such")->encoding, "PCMU");
	assert_string_equal(quality_codec("amr")->encoding, "AMR");
}

static void test_of_a_path(void **state)
{
	struct sg_path_info path = {.packets = 990, .lost = 10, .jitter_ms = 15};
	struct media_quality quality;

	(void)state;
	media_quality(&quality, &path, "PCMU");
	assert_true(fabs(quality.loss - 0.01) < 1e-9);
	assert_true(fabs(quality.r - quality_r(quality_codec("PCMU"), 50, 0.01)) < 1e-9);
	assert_true(quality.jitter_ms == 15 && quality.mos > 4);
	path.packets = 0;
	media_quality(&quality, &path, "PCMU");
	assert_true(quality.r == 0 && quality.mos == 0 && quality.loss == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_mos),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_of_a_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
