// SPDX-License-Identifier: BSD-2-Clause
/* Offers and answers (RFC 3264, RFC 6337): the states, and which answers fit. */
#include <errno.h>

#include "describe.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define OFFER HEAD "m=audio 5004 RTP/AVP 0 8\r\n"
#define ANSWER HEAD "m=audio 6004 RTP/AVP 8\r\n"
#define ANOTHER HEAD "m=audio 7004 RTP/AVP 0\r\n"

/* ---- states
 * ---------------------------------------------------------------------------------------
 */

enum step { RECEIVE_OFFER, SEND_OFFER, RECEIVE_ANSWER, SEND_ANSWER, ABANDON, STEPS };

static int take(struct offer_answer *oa, enum step step)
{
	switch (step) {
	case RECEIVE_OFFER:
		return oa_receive_offer(oa, STR(OFFER));
	case SEND_OFFER:
		return oa_send_offer(oa, STR(OFFER));
	case RECEIVE_ANSWER:
		return oa_receive_answer(oa, STR(ANSWER), NULL);
	case SEND_ANSWER:
		return oa_send_answer(oa, STR(ANSWER), NULL);
	default:
		oa_abandon(oa);
		return 0;
	}
}

struct transition {
	int ret;
	enum oa_state then;
};

/* From each state, by each step. A late offer is an offer of ours in OA_IDLE that waits for the
 * ACK.
 */
static const struct transition transitions[][STEPS] = {
	[OA_IDLE] = {[RECEIVE_OFFER] = {0, OA_OFFER_RECEIVED},
		     [SEND_OFFER] = {0, OA_OFFER_SENT},
		     [RECEIVE_ANSWER] = {-EPROTO, OA_IDLE},
		     [SEND_ANSWER] = {-EPROTO, OA_IDLE},
		     [ABANDON] = {0, OA_IDLE}},
	[OA_OFFER_SENT] = {[RECEIVE_OFFER] = {-EALREADY, OA_OFFER_SENT},
			   [SEND_OFFER] = {-EINPROGRESS, OA_OFFER_SENT},
			   [RECEIVE_ANSWER] = {0, OA_AGREED},
			   [SEND_ANSWER] = {-EPROTO, OA_OFFER_SENT},
			   [ABANDON] = {0, OA_IDLE}},
	[OA_OFFER_RECEIVED] = {[RECEIVE_OFFER] = {-EINPROGRESS, OA_OFFER_RECEIVED},
			       [SEND_OFFER] = {-EALREADY, OA_OFFER_RECEIVED},
			       [RECEIVE_ANSWER] = {-EPROTO, OA_OFFER_RECEIVED},
			       [SEND_ANSWER] = {0, OA_AGREED},
			       [ABANDON] = {0, OA_IDLE}},
	[OA_AGREED] = {[RECEIVE_OFFER] = {0, OA_OFFER_RECEIVED},
		       [SEND_OFFER] = {0, OA_OFFER_SENT},
		       [RECEIVE_ANSWER] = {-EPROTO, OA_AGREED},
		       [SEND_ANSWER] = {-EPROTO, OA_AGREED},
		       [ABANDON] = {0, OA_AGREED}},
};

static void bring_into(struct offer_answer *oa, enum oa_state state, bool agreed_before)
{
	oa_init(oa, 1);
	if (state == OA_AGREED || agreed_before) {
		assert_int_equal(oa_receive_offer(oa, STR(OFFER)), 0);
		assert_int_equal(oa_send_answer(oa, STR(ANSWER), NULL), 0);
	}
	if (state == OA_OFFER_SENT)
		assert_int_equal(oa_send_offer(oa, STR(OFFER)), 0);
	if (state == OA_OFFER_RECEIVED)
		assert_int_equal(oa_receive_offer(oa, STR(OFFER)), 0);
	assert_int_equal(oa->state, state);
}

static void check(enum oa_state from, enum step step, bool agreed_before)
{
	struct transition wanted = transitions[from][step];
	struct offer_answer oa;

	/* What was agreed before holds when an offer comes to nothing. */
	if (agreed_before && step == ABANDON)
		wanted.then = OA_AGREED;
	bring_into(&oa, from, agreed_before);
	if (take(&oa, step) != wanted.ret || oa.state != wanted.then)
		fail_msg("state %d, step %d: now in state %d", from, step, oa.state);
	assert_int_equal(oa.agreed_before, oa.local != NULL);
	assert_int_equal(oa.state == OA_OFFER_SENT || oa.state == OA_OFFER_RECEIVED,
			 oa.offer != NULL);
	oa_free(&oa);
}

static void goes_from_state_to_state(void **state)
{
	(void)state;
	for (enum oa_state from = OA_IDLE; from <= OA_AGREED; from++) {
		for (enum step step = 0; step < STEPS; step++) {
			check(from, step, from == OA_AGREED);
			if (from == OA_OFFER_SENT || from == OA_OFFER_RECEIVED)
				check(from, step, true);
		}
	}
}

static void keeps_both_texts(void **state)
{
	struct offer_answer oa;

	(void)state;
	oa_init(&oa, 5);
	assert_int_equal(oa_receive_offer(&oa, STR(OFFER)), 0);
	assert_int_equal(oa_send_answer(&oa, STR(ANSWER), NULL), 0);
	assert_string_equal(oa.remote, OFFER);
	assert_string_equal(oa.local, ANSWER);
	assert_int_equal(oa_send_offer(&oa, STR(ANOTHER)), 0);
	assert_string_equal(oa.offer, ANOTHER);
	assert_string_equal(oa.remote, OFFER);
	assert_int_equal(oa_receive_answer(&oa, STR(ANOTHER), NULL), 0);
	assert_string_equal(oa.local, ANOTHER);
	assert_string_equal(oa.remote, ANOTHER);
	oa_free(&oa);
	assert_null(oa.local);
}

/* The INVITE had none: the 200 offers, the ACK answers (SG-30). */
static void a_late_offer_is_an_offer(void **state)
{
	struct offer_answer oa;

	(void)state;
	oa_init(&oa, 5);
	assert_int_equal(oa_send_offer(&oa, STR(OFFER)), 0);
	assert_int_equal(oa_receive_answer(&oa, STR(ANSWER), NULL), 0);
	assert_string_equal(oa.local, OFFER);
	assert_string_equal(oa.remote, ANSWER);
	oa_free(&oa);
}

static void a_failed_offer_leaves_the_agreement(void **state)
{
	struct offer_answer oa;

	(void)state;
	bring_into(&oa, OA_AGREED, true);
	assert_int_equal(oa_receive_offer(&oa, STR(ANOTHER)), 0);
	oa_abandon(&oa);
	assert_int_equal(oa.state, OA_AGREED);
	assert_string_equal(oa.remote, OFFER);
	assert_string_equal(oa.local, ANSWER);
	oa_free(&oa);
}

static void a_wrong_answer_leaves_the_offer(void **state)
{
	struct offer_answer oa;
	struct error err = {""};

	(void)state;
	bring_into(&oa, OA_OFFER_SENT, false);
	assert_int_equal(oa_receive_answer(&oa, STR("rubbish"), &err), -EBADMSG);
	assert_string_equal(err.text, "SDP line 1, \"rubbish\", is not of the form TYPE=VALUE");
	assert_int_equal(oa_receive_answer(&oa, STR(HEAD), &err), -EBADMSG);
	assert_string_equal(err.text, "the offer has 1 m= lines, the answer 0");
	assert_int_equal(oa.state, OA_OFFER_SENT);
	assert_int_equal(oa_receive_answer(&oa, STR(ANSWER), &err), 0);
	oa_free(&oa);
}

/* SG-30: one more exactly when something changed. */
static void counts_versions(void **state)
{
	struct offer_answer oa;
	uint64_t first;

	(void)state;
	oa_init(&oa, 1000);
	first = oa_next_version(&oa, false);
	assert_int_equal(oa_next_version(&oa, false), first);
	assert_int_equal(oa_next_version(&oa, true), first + 1);
	assert_int_equal(oa_next_version(&oa, true), first + 2);
	assert_int_equal(oa_next_version(&oa, false), first + 2);
	assert_int_equal(oa.session_id, 1000);
}

/* ---- answers
 * --------------------------------------------------------------------------------------
 */

struct fit {
	const char *name, *offer, *answer;
	const char *says; /* NULL: it fits */
};

static const struct fit fits[] = {
	{"one of two", "m=audio 5 RTP/AVP 0 8\r\n", "m=audio 6 RTP/AVP 8\r\n", NULL},
	{"refused", "m=audio 5 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 0\r\n", NULL},
	{"refused with whatever format", "m=audio 5 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 99\r\n",
	 NULL},
	{"formats beyond the offer (E22)", "m=audio 5 RTP/AVP 0\r\n", "m=audio 6 RTP/AVP 0 18\r\n",
	 NULL},
	{"none of the offer: the source's own example (E22)",
	 "m=audio 5 RTP/AVP 97 98\r\na=rtpmap:97 AMR/8000\r\na=rtpmap:98 AMR-WB/16000\r\n",
	 "m=audio 6 RTP/AVP 8\r\n", "m= line 1: no format of the offer in the answer"},
	{"another number for the same codec (SG-32)",
	 "m=audio 5 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\n",
	 "m=audio 6 RTP/AVP 102\r\na=rtpmap:102 amr/8000/1\r\n", NULL},
	{"the same number for another codec", "m=audio 5 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\n",
	 "m=audio 6 RTP/AVP 97\r\na=rtpmap:97 opus/48000\r\n",
	 "m= line 1: no format of the offer in the answer"},
	{"the same codec at another rate", "m=audio 5 RTP/AVP 97\r\na=rtpmap:97 speex/8000\r\n",
	 "m=audio 6 RTP/AVP 97\r\na=rtpmap:97 speex/16000\r\n",
	 "m= line 1: no format of the offer in the answer"},
	{"a dynamic type without its rtpmap", "m=audio 5 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\n",
	 "m=audio 6 RTP/AVP 97\r\n", NULL},
	{"too few lines", "m=audio 5 RTP/AVP 0\r\nm=video 7 RTP/AVP 34\r\n",
	 "m=audio 6 RTP/AVP 0\r\n", "the offer has 2 m= lines, the answer 1"},
	{"too many lines", "m=audio 5 RTP/AVP 0\r\n",
	 "m=audio 6 RTP/AVP 0\r\nm=video 7 RTP/AVP 34\r\n",
	 "the offer has 1 m= lines, the answer 2"},
	{"lines in another order", "m=audio 5 RTP/AVP 0\r\nm=video 7 RTP/AVP 34\r\n",
	 "m=video 6 RTP/AVP 34\r\nm=audio 8 RTP/AVP 0\r\n",
	 "m= line 1: audio was offered, the answer says video"},
	{"what was off may not be switched on", "m=audio 0 RTP/AVP 0\r\n",
	 "m=audio 6 RTP/AVP 0\r\n", "m= line 1: offered with port 0, answered with 6"},
	{"another profile of RTP", "m=audio 5 RTP/AVPF 0\r\n", "m=audio 6 RTP/AVP 0\r\n", NULL},
	{"fax for voice", "m=audio 5 RTP/AVP 0\r\n", "m=audio 6 udptl t38\r\n",
	 "m= line 1: RTP/AVP was offered, the answer says udptl"},
	{"fax for fax", "m=image 5 udptl t38\r\n", "m=image 6 UDPTL T38\r\n", NULL},
	{"messages over another protocol", "m=message 5 TCP/MSRP *\r\n",
	 "m=message 6 TCP/TLS/MSRP *\r\n",
	 "m= line 1: TCP/MSRP was offered, the answer says "
	 "TCP/TLS/MSRP"},
	{"hold by zero, answered by its attribute", "m=audio 5 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
	 "m=audio 6 RTP/AVP 0\r\n", NULL},
	{"hold by zero, answered by its meaning", "m=audio 5 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
	 "m=audio 6 RTP/AVP 0\r\na=recvonly\r\n", NULL},
	{"the second line is looked at too", "m=audio 5 RTP/AVP 0\r\nm=video 7 RTP/AVP 34\r\n",
	 "m=audio 6 RTP/AVP 0\r\nm=video 8 RTP/AVP 31\r\n",
	 "m= line 2: no format of the offer in the answer"},
};

static struct sdp section(char text[1024], const char *media)
{
	struct sdp sdp;
	struct error err = {""};

	snprintf(text, 1024, HEAD "%s", media);
	if (sdp_parse(&sdp, str_of(text), &err))
		fail_msg("%s", err.text);
	return sdp;
}

static void answers_fit_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		char offer_text[1024], answer_text[1024];
		struct sdp offer = section(offer_text, fits[i].offer);
		struct sdp answer = section(answer_text, fits[i].answer);
		struct error err = {""};
		int ret = oa_check_answer(&offer, &answer, &err);

		if (ret != (fits[i].says ? -EBADMSG : 0) ||
		    strcmp(err.text, fits[i].says ? fits[i].says : ""))
			fail_msg("%s: %d \"%s\"", fits[i].name, ret, err.text);
	}
}

/* RFC 3264 6.1: the rows are offers, the columns answers. */
static void directions_fit_or_not(void **state)
{
	static const bool allowed[4][4] = {
		[SDP_INACTIVE] = {[SDP_INACTIVE] = true},
		[SDP_SENDONLY] = {[SDP_INACTIVE] = true, [SDP_RECVONLY] = true},
		[SDP_RECVONLY] = {[SDP_INACTIVE] = true, [SDP_SENDONLY] = true},
		[SDP_SENDRECV] = {true, true, true, true},
	};

	(void)state;
	for (unsigned offered = 0; offered < 4; offered++) {
		for (unsigned answered = 0; answered < 4; answered++) {
			char offer_text[1024], answer_text[1024], media[128];
			struct sdp offer, answer;

			snprintf(media, sizeof(media), "m=audio 5 RTP/AVP 0\r\na=%s\r\n",
				 sdp_direction_name(offered));
			offer = section(offer_text, media);
			snprintf(media, sizeof(media), "m=audio 6 RTP/AVP 0\r\na=%s\r\n",
				 sdp_direction_name(answered));
			answer = section(answer_text, media);
			assert_int_equal(oa_check_answer(&offer, &answer, NULL),
					 allowed[offered][answered] ? 0 : -EBADMSG);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_from_state_to_state),
		cmocka_unit_test(keeps_both_texts),
		cmocka_unit_test(a_late_offer_is_an_offer),
		cmocka_unit_test(a_failed_offer_leaves_the_agreement),
		cmocka_unit_test(a_wrong_answer_leaves_the_offer),
		cmocka_unit_test(counts_versions),
		cmocka_unit_test(answers_fit_or_not),
		cmocka_unit_test(directions_fit_or_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("offer_answer", tests, NULL, NULL);
}
