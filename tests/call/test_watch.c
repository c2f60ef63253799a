// SPDX-License-Identifier: BSD-2-Clause
/* What a call that is up is watched for: session timers on each leg (RFC 4028), silence, duration.
 */
#include "ua.h"

#include "call/internal.h"

static struct leg *leg_of(struct pair *w, const struct ua *ua)
{
	struct leg *leg = leg_of_call_id(w->rig.calls, str_of(ua->call_id), NULL);

	assert_non_null(leg);
	return leg;
}

/* Its session timer has run for so long: the half of 90 s is too long for a test. */
static void time_passes(struct leg *leg)
{
	timer_fn *fn = leg->session.timer.fn;

	assert_true(timer_running(&leg->session.timer));
	timer_stop(&leg->session.timer);
	fn(leg);
}

static const char *call_with(struct pair *w, const char *asked, const char *answered)
{
	static char text[2048];

	ua_invite(&w->alice, "bob", asked, ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->bob);
	ua_reply(&w->bob, w->bob.invite, 200, answered, ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	snprintf(text, sizeof(text), "%s", ua_expect(&w->alice, "SIP/2.0 200"));
	ua_ack(&w->alice, text, NULL);
	return text;
}

/* Alice knows timers and refreshes; Bob does not know them: we ask him ourselves, by re-INVITE. */
static void test_each_leg_its_own(void **state)
{
	struct pair *w = *state;
	const char *text;

	w->rig.config.session_expires = 1800;
	w->rig.config.min_se = 90;
	text = call_with(w, "Supported: timer\r\nSession-Expires: 600\r\n", "");
	assert_string_equal(header_of(text, "Session-Expires"), "600;refresher=uac");
	assert_string_equal(header_of(text, "Require"), "timer");
	assert_string_equal(header_of(w->bob.invite, "Session-Expires"), "1800");
	assert_string_equal(header_of(w->bob.invite, "Min-SE"), "90");
	assert_false(leg_of(w, &w->alice)->session.we_refresh);
	assert_true(leg_of(w, &w->bob)->session.we_refresh);
	fake_media_tell(&w->rig.media);
	time_passes(leg_of(w, &w->bob));
	text = ua_expect(&w->bob, "INVITE ");
	assert_non_null(strstr(text, "m=audio"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	assert_string_equal(w->rig.media.story, "");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	call_rig_until(&w->rig, timer_running(&leg_of(w, &w->bob)->session.timer));
	ua_request(&w->alice, "UPDATE",
		   "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(header_of(text, "Session-Expires"), "600;refresher=uac");
	ua_hang_up(&w->alice, &w->bob);
}

/* Bob wants us to refresh, and knows UPDATE: no SDP is needed. */
static void test_refresh_by_update(void **state)
{
	struct pair *w = *state;
	const char *text;

	w->rig.config.session_expires = 1800;
	call_with(w, "", "Allow: INVITE, UPDATE\r\nSession-Expires: 120;refresher=uac\r\n");
	assert_int_equal(leg_of(w, &w->bob)->session.interval_s, 120);
	time_passes(leg_of(w, &w->bob));
	text = ua_expect(&w->bob, "UPDATE ");
	assert_string_equal(header_of(text, "Session-Expires"), "120;refresher=uac");
	assert_string_equal(ua_body(text), "");
	ua_reply(&w->bob, text, 200, "Session-Expires: 120;refresher=uac\r\n", NULL);
	ua_hang_up(&w->bob, &w->alice);
}

static void test_refresh_fails(void **state)
{
	struct pair *w = *state;

	w->rig.config.session_expires = 1800;
	call_with(w, "", "");
	time_passes(leg_of(w, &w->bob));
	ua_reply(&w->bob, ua_expect(&w->bob, "INVITE "), 481, "", NULL);
	ua_expect(&w->bob, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 481, "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "200 peer is gone");
}

/* Who promised to refresh did not. */
static void test_expired(void **state)
{
	struct pair *w = *state;

	w->rig.config.session_expires = 1800;
	call_with(w, "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", "");
	time_passes(leg_of(w, &w->alice));
	assert_non_null(strstr(header_of(ua_expect(&w->alice, "BYE "), "Reason"), "cause=408"));
	ua_reply(&w->alice, w->alice.peer.text, 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "200 session timer");
}

static void test_too_small(void **state)
{
	struct pair *w = *state;

	w->rig.config.min_se = 300;
	ua_invite(&w->alice, "bob", "Supported: timer\r\nSession-Expires: 100\r\n",
		  ua_sdp("198.51.100.1", 4000, ""));
	assert_string_equal(header_of(ua_expect(&w->alice, "SIP/2.0 422"), "Min-SE"), "300");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* ---- a callee that wants a longer timer than ours (RFC 4028 7.3) -------------------------------
 */

/* Bob's 422 is answered with what he wants; Alice never hears of it. */
static void too_small_for_bob(struct pair *w, const char *request, const char *least)
{
	char text[4096], headers[64];

	snprintf(text, sizeof(text), "%.4000s", request);
	snprintf(headers, sizeof(headers), "Min-SE: %s\r\n", least);
	ua_reply(&w->bob, text, 422, headers, NULL);
	if (!strncmp(text, "INVITE ", 7))
		ua_expect(&w->bob, "ACK ");
}

static void test_callee_wants_more(void **state)
{
	struct pair *w = *state;
	const char *text;
	unsigned cseq;
	char call_id[128];

	w->rig.config.session_expires = 1800;
	ua_invite(&w->alice, "bob", "Supported: timer\r\nSession-Expires: 600\r\n",
		  ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect_invite(&w->bob);
	cseq = (unsigned)atoi(header_of(text, "CSeq"));
	snprintf(call_id, sizeof(call_id), "%s", header_of(text, "Call-ID"));
	too_small_for_bob(w, text, "2400");
	text = ua_expect_invite(&w->bob);
	assert_string_equal(header_of(text, "Call-ID"), call_id);
	assert_int_equal(atoi(header_of(text, "CSeq")), cseq + 1);
	assert_null(strstr(header_of(text, "To"), "tag="));
	assert_string_equal(header_of(text, "Session-Expires"), "2400");
	assert_string_equal(header_of(text, "Min-SE"), "2400");
	assert_non_null(strstr(text, "m=audio"));
	too_small_for_bob(w, text, "3600"); /* a hop further on */
	text = ua_expect_invite(&w->bob);
	assert_string_equal(header_of(text, "Session-Expires"), "3600");
	ua_reply(&w->bob, text, 200, "Session-Expires: 3600;refresher=uac\r\n",
		 ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 ");
	if (!strncmp(text, "SIP/2.0 100", 11))
		text = ua_expect(&w->alice, "SIP/2.0 ");
	assert_memory_equal(text, "SIP/2.0 200", 11);
	assert_string_equal(header_of(text, "Session-Expires"), "600;refresher=uac");
	ua_ack(&w->alice, text, NULL);
	assert_int_equal(leg_of(w, &w->bob)->session.interval_s, 3600);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_callee_makes_no_sense(void **state)
{
	static const char *const least[] = {"1800", "100", "90000", "soon"};
	struct pair *w = *state;

	w->rig.config.session_expires = 1800;
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
		too_small_for_bob(w, ua_expect_invite(&w->bob), least[i]);
		ua_expect(&w->alice, "SIP/2.0 480");
		ua_request(&w->alice, "ACK", "", NULL);
		call_rig_expect_empty(&w->rig);
	}
}

static void test_refresh_wants_more(void **state)
{
	struct pair *w = *state;
	const char *text;

	w->rig.config.session_expires = 1800;
	call_with(w, "", "");
	time_passes(leg_of(w, &w->bob));
	too_small_for_bob(w, ua_expect(&w->bob, "INVITE "), "2000");
	text = ua_expect(&w->bob, "INVITE ");
	assert_string_equal(header_of(text, "Session-Expires"), "2000;refresher=uac");
	assert_non_null(strstr(text, "m=audio"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* What Alice asks goes on with the longer timer, offer and all. */
static void test_change_wants_more(void **state)
{
	struct pair *w = *state;
	const char *text;

	w->rig.config.session_expires = 1800;
	call_with(w, "", "");
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	too_small_for_bob(w, ua_expect(&w->bob, "INVITE "), "2000");
	text = ua_expect(&w->bob, "INVITE ");
	assert_string_equal(header_of(text, "Min-SE"), "2000");
	assert_non_null(strstr(ua_body(text), "a=sendonly"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=recvonly\r\n"));
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(ua_body(text), "a=recvonly"));
	ua_ack(&w->alice, text, NULL);
	ua_hang_up(&w->alice, &w->bob);
}

/* No packet from either side: BYE to both, with the reason (SG-51). */
static void test_silence(void **state)
{
	struct pair *w = *state;

	w->rig.config.media_timeout = 1;
	ua_connect(&w->alice, &w->bob);
	assert_non_null(strstr(header_of(ua_expect(&w->alice, "BYE "), "Reason"), "No media"));
	ua_reply(&w->alice, w->alice.peer.text, 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "200 media silence");
}

static void test_hold_may_be_silent(void **state)
{
	struct pair *w = *state;

	w->rig.config.media_timeout = 1;
	call_with(w, "", "");
	fake_media_only(&w->rig.media)->direction = SG_DIRECTION_A_TO_B;
	leg_of(w, &w->alice)->call->stream[0].direction = SG_DIRECTION_A_TO_B;
	rig_run_ms(&w->rig.rig, 1500);
	assert_int_equal(calls_count(w->rig.calls), 1);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_duration(void **state)
{
	struct pair *w = *state;

	w->rig.config.max_duration = 1;
	ua_connect(&w->alice, &w->bob);
	assert_non_null(
		strstr(header_of(ua_expect(&w->bob, "BYE "), "Reason"), "Maximum duration"));
	ua_reply(&w->bob, w->bob.peer.text, 200, "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void on_drained(void *context)
{
	++*(unsigned *)context;
}

static void test_drain(void **state)
{
	struct pair *w = *state;
	unsigned drained = 0;

	ua_connect(&w->alice, &w->bob);
	calls_drain(w->rig.calls, on_drained, &drained);
	assert_int_equal(drained, 0);
	{
		struct ua carol;

		ua_open(&carol, &w->rig, "carol", TRUNK);
		ua_invite(&carol, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
		assert_string_equal(header_of(ua_expect(&carol, "SIP/2.0 503"), "Retry-After"),
				    "10");
		ua_close(&carol);
	}
	ua_hang_up(&w->alice, &w->bob);
	assert_int_equal(drained, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_leg_its_own),
		TEST(test_refresh_by_update),
		TEST(test_refresh_fails),
		TEST(test_expired),
		TEST(test_too_small),
		TEST(test_callee_wants_more),
		TEST(test_callee_makes_no_sense),
		TEST(test_refresh_wants_more),
		TEST(test_change_wants_more),
		TEST(test_silence),
		TEST(test_hold_may_be_silent),
		TEST(test_duration),
		TEST(test_drain),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
