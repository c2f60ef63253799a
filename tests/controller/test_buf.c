// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "base/buf.h"

#include "base.h"

static void text_grows(void **state)
{
	struct buf buf = BUF_EMPTY;

	(void)state;
	assert_int_equal(buf_str(&buf).n, 0);
	buf_add(&buf, STR_NONE);
	buf_add(&buf, STR("a"));
	buf_add_char(&buf, 'b');
	buf_addf(&buf, "%s-%d", "c", 5);
	buf_add_u64(&buf, 0);
	buf_add_u64(&buf, UINT64_MAX);
	assert_str(buf_str(&buf), "abc-5018446744073709551615");
	assert_int_equal(buf.data[buf.len], 0);
	buf_reset(&buf);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_addf(&buf, "%s", "");
	assert_int_equal(buf_error(&buf), 0);
	buf_free(&buf);
	buf_free(&buf);
}

static void every_length_is_kept(void **state)
{
	struct buf buf = BUF_EMPTY;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		buf_add_char(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.len, i + 1);
		assert_int_equal(buf.data[i + 1], 0);
	}
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	buf_free(&buf);
}

static void errors_stick(void **state)
{
	struct buf buf = BUF_EMPTY;
	char *big = calloc(1, BUF_LIMIT);

	(void)state;
	assert_non_null(big);
	buf_add(&buf, (struct str){big, BUF_LIMIT - 1}); /* the most: a NUL is behind it */
	assert_int_equal(buf_error(&buf), 0);
	buf_add_char(&buf, 'x');
	assert_int_equal(buf_error(&buf), -EMSGSIZE);
	buf_reset(&buf);
	buf_add(&buf, (struct str){big, BUF_LIMIT});
	assert_int_equal(buf_error(&buf), -EMSGSIZE);
	buf_add(&buf, STR("more"));
	buf_addf(&buf, "%d", 1);
	assert_int_equal(buf.len, 0);
	buf_reset(&buf);
	buf_add(&buf, (struct str){big, SIZE_MAX});
	assert_int_equal(buf_error(&buf), -EMSGSIZE);
	buf_free(&buf);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),
		cmocka_unit_test(every_length_is_kept),
		cmocka_unit_test(errors_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
