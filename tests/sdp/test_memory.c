// SPDX-License-Identifier: BSD-2-Clause
/* Memory that runs out at every allocation in turn: an error, no leak, nothing half done. */
#include <errno.h>

#include "corpus.h"
#include "describe.h"

#define OFFER                                                                                      \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5 "      \
	"RTP/AVP 0\r\n"

static size_t left = SIZE_MAX; /* allocations that still succeed */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool granted(void)
{
	if (!left)
		return false;
	left -= left != SIZE_MAX;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return granted() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return granted() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return granted() ? __real_realloc(old, size) : NULL;
}

static int write_with(const struct sdp *sdp, const struct sdp_edit *edit, size_t allocations)
{
	struct buf out = BUF_EMPTY;
	int ret;

	left = allocations;
	ret = sdp_write(sdp, edit, &out);
	left = SIZE_MAX;
	buf_free(&out);
	return ret;
}

static void writing(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		struct sdp_edit edit;
		struct sdp sdp;
		size_t n;

		assert_int_equal(sdp_parse(&sdp, str_of(body->text), NULL), 0);
		edit = anchor(&sdp, OUR_IPV4);
		for (n = 0; write_with(&sdp, &edit, n) == -ENOMEM; n++)
			assert_in_range(n, 0, 20);
		assert_in_range(n, 1, 20);
		assert_int_equal(write_with(&sdp, &edit, n), 0);
	}
}

static void reading_needs_none(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		struct sdp sdp;

		left = 0;
		assert_int_equal(sdp_parse(&sdp, str_of(body->text), NULL), 0);
		left = SIZE_MAX;
	}
}

static void offer_and_answer(void **state)
{
	struct offer_answer oa;

	(void)state;
	oa_init(&oa, 1);
	left = 0;
	assert_int_equal(oa_receive_offer(&oa, STR(OFFER)), -ENOMEM);
	assert_int_equal(oa_send_offer(&oa, STR(OFFER)), -ENOMEM);
	assert_int_equal(oa.state, OA_IDLE);
	left = SIZE_MAX;
	assert_int_equal(oa_receive_offer(&oa, STR(OFFER)), 0);
	left = 0;
	assert_int_equal(oa_send_answer(&oa, STR(OFFER), NULL), -ENOMEM);
	assert_int_equal(oa.state, OA_OFFER_RECEIVED);
	assert_null(oa.local);
	left = SIZE_MAX;
	assert_int_equal(oa_send_answer(&oa, STR(OFFER), NULL), 0);
	oa_free(&oa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writing),
		cmocka_unit_test(reading_needs_none),
		cmocka_unit_test(offer_and_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
