// SPDX-License-Identifier: BSD-2-Clause
/* Our descriptions: an offer, answers to those of others, and what was agreed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "describe.h"
#include "sdp/offer_answer.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static const struct netaddr here = {.addr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
				    .port = 40000};

static struct ua_describe self(enum sdp_direction direction)
{
	return (struct ua_describe){
		.rtp = &here, .direction = direction, .session_id = 7, .version = 8};
}

static struct sdp parsed(const char *text)
{
	struct error err = {""};
	struct sdp sdp;

	if (sdp_parse(&sdp, str_of(text), &err))
		fail_msg("%s", err.text);
	return sdp;
}

static void offers_both_laws(void **state)
{
	struct ua_describe describe = self(SDP_SENDRECV);
	struct buf text = BUF_EMPTY;

	(void)state;
	ua_describe_offer(&text, &describe);
	assert_string_equal(text.data,
			    "v=0\r\no=- 7 8 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\n"
			    "t=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
			    "a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n");
	buf_reset(&text);
	describe.a_law = true;
	ua_describe_offer(&text, &describe);
	assert_non_null(strstr(text.data, "m=audio 40000 RTP/AVP 8 0\r\n"));
	buf_free(&text);
}

struct answer {
	const char *offer; /* its m= sections */
	enum sdp_direction we, agreed;
	const char *media; /* of the answer; NULL: there can be none */
};

static const struct answer answers[] = {
	{"m=audio 5004 RTP/AVP 0 8\r\n", SDP_SENDRECV, SDP_SENDRECV, "m=audio 40000 RTP/AVP 0\r\n"},
	{"m=audio 5004 RTP/AVP 18 8 0\r\n", SDP_SENDRECV, SDP_SENDRECV,
	 "m=audio 40000 RTP/AVP 8\r\n"},
	{"m=audio 5004 RTP/AVP 0\r\na=sendonly\r\n", SDP_SENDRECV, SDP_RECVONLY, "a=recvonly\r\n"},
	{"m=audio 5004 RTP/AVP 0\r\na=inactive\r\n", SDP_SENDRECV, SDP_INACTIVE, "a=inactive\r\n"},
	{"m=audio 5004 RTP/AVP 0\r\n", SDP_SENDONLY, SDP_SENDONLY, "a=sendonly\r\n"},
	{"m=audio 5004 RTP/AVP 0\r\na=sendonly\r\n", SDP_SENDONLY, SDP_INACTIVE, "a=inactive\r\n"},
	{"m=audio 5004 RTP/AVP 0\r\nm=video 5006 RTP/AVP 34\r\n", SDP_SENDRECV, SDP_SENDRECV,
	 "m=video 0 RTP/AVP 34\r\n"},
	{"m=video 5006 RTP/AVP 34 96\r\nm=audio 5004 RTP/AVPF 8\r\n", SDP_SENDRECV, SDP_SENDRECV,
	 "m=video 0 RTP/AVP 34 96\r\nm=audio 40000 RTP/AVPF 8\r\n"},
	{"m=audio 5004 RTP/AVP 18\r\n", SDP_SENDRECV, SDP_SENDRECV, NULL},
	{"m=audio 5004 RTP/SAVP 0\r\n", SDP_SENDRECV, SDP_SENDRECV, NULL},
	{"m=audio 0 RTP/AVP 0\r\n", SDP_SENDRECV, SDP_SENDRECV, NULL},
	{"m=image 5004 udptl t38\r\n", SDP_SENDRECV, SDP_SENDRECV, NULL},
	{"", SDP_SENDRECV, SDP_SENDRECV, NULL},
};

static void answers_what_it_can(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct ua_describe describe = self(answers[i].we);
		struct buf offer = BUF_EMPTY, text = BUF_EMPTY;
		struct ua_agreed agreed;
		struct error err = {""};
		struct sdp asked, answered;

		buf_addf(&offer, HEAD "%s", answers[i].offer);
		asked = parsed(offer.data);
		ua_describe_answer(&text, &describe, &asked, &agreed);
		assert_int_equal(agreed.stream[UA_AUDIO].there, answers[i].media != NULL);
		if (agreed.stream[UA_AUDIO].there) {
			assert_int_equal(agreed.stream[UA_AUDIO].direction, answers[i].agreed);
			assert_int_equal(agreed.stream[UA_AUDIO].remote.port, 5004);
			assert_non_null(strstr(text.data, answers[i].media));
			answered = parsed(text.data);
			if (oa_check_answer(&asked, &answered, &err))
				fail_msg("%s", err.text);
		} else {
			assert_int_equal(text.len, 0);
		}
		buf_free(&offer);
		buf_free(&text);
	}
}

static void takes_the_answer_to_its_offer(void **state)
{
	struct sdp answer = parsed(HEAD "m=audio 5004 RTP/AVP 8 101\r\na=recvonly\r\n");
	struct ua_agreed agreed;

	(void)state;
	ua_describe_agree(&answer, &agreed);
	assert_true(agreed.stream[UA_AUDIO].there);
	assert_int_equal(agreed.stream[UA_AUDIO].codec.law, G711_A);
	assert_int_equal(agreed.stream[UA_AUDIO].codec.payload_type, 8);
	assert_int_equal(agreed.stream[UA_AUDIO].direction, SDP_SENDONLY);
	answer = parsed(HEAD "m=audio 0 RTP/AVP 8\r\n");
	ua_describe_agree(&answer, &agreed);
	assert_false(agreed.stream[UA_AUDIO].there);
}

static void takes_a_picture_where_it_is_wanted(void **state)
{
	const struct netaddr there = {.addr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
				      .port = 40002};
	struct ua_describe describe = self(SDP_SENDRECV);
	struct buf offer = BUF_EMPTY, text = BUF_EMPTY;
	struct ua_agreed agreed;
	struct sdp asked, answered;

	(void)state;
	describe.video = &there;
	ua_describe_offer(&offer, &describe);
	asked = parsed(offer.data);
	assert_int_equal(asked.medias, 2);
	assert_int_equal(asked.media[1].port, 40002);
	assert_int_equal(asked.media[1].clock_hz, 90000);
	ua_describe_answer(&text, &describe, &asked, &agreed);
	answered = parsed(text.data);
	assert_int_equal(oa_check_answer(&asked, &answered, NULL), 0);
	assert_true(agreed.stream[UA_VIDEO].there);
	assert_int_equal(agreed.stream[UA_VIDEO].codec.payload_type, 34);
	assert_int_equal(answered.media[1].port, 40002);
	describe.video = NULL;
	buf_reset(&text);
	ua_describe_answer(&text, &describe, &asked, &agreed);
	assert_false(agreed.stream[UA_VIDEO].there);
	assert_int_equal(parsed(text.data).media[1].port, 0);
	buf_free(&offer);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_both_laws),
		cmocka_unit_test(answers_what_it_can),
		cmocka_unit_test(takes_a_picture_where_it_is_wanted),
		cmocka_unit_test(takes_the_answer_to_its_offer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
