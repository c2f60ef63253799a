// SPDX-License-Identifier: BSD-2-Clause
#include "base.h"

static void equality_knows_length_and_case(void **state)
{
	(void)state;
	assert_true(str_eq(STR("a"), STR("a")));
	assert_true(str_eq(STR_NONE, STR("")));
	assert_false(str_eq(STR("a"), STR("A")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_case_eq(STR("Call-ID"), STR("cALL-iD")));
	assert_false(str_case_eq(STR("a["), STR("a{"))); /* letters only */
	assert_false(str_case_eq(STR("@"), STR("`")));
	assert_false(str_case_eq(STR("\304"), STR("\344"))); /* ASCII only */
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_true(str_case_starts(STR("ABC"), STR("ab")));
	assert_int_equal(str_of(NULL).n, 0);
}

static void trim_and_index(void **state)
{
	(void)state;
	assert_str(str_trim(STR(" \t\r\n a b \r\n")), "a b");
	assert_str(str_trim(STR("  ")), "");
	assert_str(str_trim(STR_NONE), "");
	assert_int_equal(str_index(STR("abc"), 'c'), 2);
	assert_int_equal(str_index(STR("abc"), 'x'), 3);
	assert_int_equal(str_index(STR_NONE, 'x'), 0);
}

static void split_takes_parts_off(void **state)
{
	struct str rest = STR("a,,b"), part;

	(void)state;
	assert_true(str_split(&rest, ',', &part));
	assert_str(part, "a");
	assert_true(str_split(&rest, ',', &part));
	assert_str(part, "");
	assert_true(str_split(&rest, ',', &part));
	assert_str(part, "b");
	assert_false(str_split(&rest, ',', &part));
	rest = STR("a,");
	assert_true(str_split(&rest, ',', &part));
	assert_false(str_split(&rest, ',', &part));
}

static void numbers_are_decimal_and_fit(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1a", "4294967296"};
	uint32_t number = 77;
	uint64_t big = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(str_to_u32(str_of(bad[i]), &number));
		assert_int_equal(number, 77);
	}
	assert_true(str_to_u32(STR("4294967295"), &number));
	assert_int_equal(number, UINT32_MAX);
	assert_true(str_to_u32(STR("0000000000000000000000009"), &number));
	assert_int_equal(number, 9);
	assert_true(str_to_u64(STR("18446744073709551615"), &big));
	assert_true(big == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &big));
	assert_false(str_to_u64(STR("184467440737095516150"), &big));
}

static void a_copy_has_its_end(void **state)
{
	char *copy = str_dup((struct str){"abc", 2});

	(void)state;
	assert_string_equal(copy, "ab");
	free(copy);
	copy = str_dup(STR_NONE);
	assert_string_equal(copy, "");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_knows_length_and_case),
		cmocka_unit_test(trim_and_index),
		cmocka_unit_test(split_takes_parts_off),
		cmocka_unit_test(numbers_are_decimal_and_fit),
		cmocka_unit_test(a_copy_has_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
