/* SPDX-License-Identifier: BSD-2-Clause */
/* The reasons in words: complete, distinct, and never renumbered. */
#include "unit.h"

static void every_reason_has_its_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SG_REASON_COUNT; i++) {
		assert_non_null(sg_reason_name((enum sg_reason)i));
		assert_non_null(sg_reason_text((enum sg_reason)i));
		assert_true(strlen(sg_reason_text((enum sg_reason)i)) > 0);
	}
}

static void every_fate_is_one_of_three(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SG_REASON_COUNT; i++) {
		const char *fate = sg_reason_fate((enum sg_reason)i);

		assert_non_null(fate);
		if (strcmp(fate, "drop") != 0 && strcmp(fate, "pass") != 0 &&
		    strcmp(fate, "answer") != 0)
			fail_msg("%s: fate '%s'", sg_reason_name((enum sg_reason)i), fate);
	}
}

/* Names are keys of the JSON output: lower case, digits and '-'. */
static void names_are_distinct_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SG_REASON_COUNT; i++) {
		const char *name = sg_reason_name((enum sg_reason)i);

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(name));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(name, sg_reason_name((enum sg_reason)j));
	}
}

/* Numbers are in maps that outlive this build, and in what operators recorded. */
static void numbers_stay(void **state)
{
	static const char *const names[] = {
		"none",	    "source",	  "standby",  "direction", "bad-rtp", "duplicate",
		"too-late", "jump",	  "no-path",  "next-hop",  "too-big", "not-media",
		"no-room",  "fan-out",	  "copy",     "ttl",	   "closed",  "stale",
		"resting",  "ip-options", "fragment", "icmp",	   "banned",
	};

	(void)state;
	assert_true(sizeof(names) / sizeof(names[0]) <= SG_REASON_COUNT);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(sg_reason_name((enum sg_reason)i), names[i]);
}

static void out_of_range_is_nothing(void **state)
{
	(void)state;
	assert_null(sg_reason_name(SG_REASON_COUNT));
	assert_null(sg_reason_fate(SG_REASON_COUNT));
	assert_null(sg_reason_text((enum sg_reason) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_words),
		cmocka_unit_test(every_fate_is_one_of_three),
		cmocka_unit_test(names_are_distinct_words),
		cmocka_unit_test(numbers_stay),
		cmocka_unit_test(out_of_range_is_nothing),
	};

	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
