// SPDX-License-Identifier: BSD-2-Clause
/* Calls that are made, answered and ended; and the ways in which they are not (RFC 3665 3). */
#include "ua.h"

/* INVITE, 180, 200, ACK, BYE: the relay is told before the 200 leaves, and after the BYE. */
static void test_plain(void **state)
{
	struct pair *w = *state;
	struct media_stream *stream;
	const char *text;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect_invite(&w->bob);
	assert_null(strstr(text, "198.51.100.1"));
	assert_null(strstr(text, TRUNK));
	assert_non_null(strstr(text, "c=IN IP4 192.0.2.1\r\n"));
	assert_string_not_equal(w->alice.call_id, w->bob.call_id);
	assert_string_equal(header_of(text, "Max-Forwards"), "69");
	ua_reply(&w->bob, text, 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	stream = fake_media_only(&w->rig.media);
	assert_non_null(stream);
	assert_int_equal(ua_port(text), stream->path[SG_SIDE_A].local.port);
	assert_int_equal(ua_port(w->bob.invite), stream->path[SG_SIDE_B].local.port);
	assert_int_equal(stream->path[SG_SIDE_A].remote.port, 4000);
	assert_int_equal(stream->path[SG_SIDE_B].remote.port, 5000);
	assert_int_equal(stream->direction, SG_DIRECTION_BOTH);
	assert_null(strstr(text, "203.0.113.2"));
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
	assert_string_equal(call_rig_cdr(&w->rig), "200 BYE from A");
}

static void test_callee_hangs_up(void **state)
{
	struct pair *w = *state;

	ua_connect(&w->alice, &w->bob);
	ua_hang_up(&w->bob, &w->alice);
	assert_string_equal(call_rig_cdr(&w->rig), "200 BYE from B");
}

static void test_busy(void **state)
{
	struct pair *w = *state;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 486, "Retry-After: 5\r\n", NULL);
	ua_expect(&w->bob, "ACK ");
	assert_string_equal(header_of(ua_expect(&w->alice, "SIP/2.0 486"), "Retry-After"), "5");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "486 refused");
}

static void test_cancel(void **state)
{
	struct pair *w = *state;
	const char *cancel;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	ua_cancel(&w->alice);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_expect(&w->alice, "SIP/2.0 487");
	cancel = ua_expect(&w->bob, "CANCEL ");
	ua_reply(&w->bob, cancel, 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 487, "", NULL);
	ua_expect(&w->bob, "ACK ");
	call_rig_expect_empty(&w->rig);
}

/* The 200 crosses the CANCEL: ACK and BYE for it, 487 for the caller (RFC 5407 3.1.2). */
static void test_cancel_crosses_200(void **state)
{
	struct pair *w = *state;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	ua_cancel(&w->alice);
	ua_expect(&w->alice, "SIP/2.0 487");
	ua_expect(&w->bob, "CANCEL ");
	ua_reply(&w->bob, w->bob.invite, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_byes_cross(void **state)
{
	struct pair *w = *state;

	ua_connect(&w->alice, &w->bob);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	peer_drain(&w->bob.peer, "BYE ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_nobody(void **state)
{
	struct pair *w = *state;

	ua_invite(&w->alice, "nobody", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&w->alice, "SIP/2.0 404");
	call_rig_expect_empty(&w->rig);
}

/* No trunk, no proof: no call. */
static void test_stranger(void **state)
{
	struct pair *w = *state;
	struct ua mallory;

	ua_open(&mallory, &w->rig, "mallory", "127.0.0.9");
	ua_invite(&mallory, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&mallory, "SIP/2.0 407");
	ua_close(&mallory);
	call_rig_expect_empty(&w->rig);
}

static void test_refused_at_the_door(void **state)
{
	struct pair *w = *state;

	ua_invite(&w->alice, "bob", "Require: teleport\r\n", ua_sdp("198.51.100.1", 4000, ""));
	assert_string_equal(header_of(ua_expect(&w->alice, "SIP/2.0 420"), "Unsupported"),
			    "teleport");
	ua_invite(&w->alice, "bob", "", "m=nonsense");
	ua_expect(&w->alice, "SIP/2.0 488");
	w->rig.media.ports = 1;
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->alice, "SIP/2.0 503");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	w->rig.media.ports = 0;
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&w->alice, "SIP/2.0 503");
	call_rig_expect_empty(&w->rig);
}

/* The relay has to ask a neighbour first: the answer waits, and so does what comes meanwhile. */
static void test_slow_relay(void **state)
{
	struct pair *w = *state;

	w->rig.media.slow = true;
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->bob);
	ua_reply(&w->bob, w->bob.invite, 183, "", ua_sdp("203.0.113.2", 5000, ""));
	call_rig_until(&w->rig, fake_media_streams(&w->rig.media) == 1);
	ua_reply(&w->bob, w->bob.invite, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 183"), 0);
	assert_int_equal(fake_media_finish(&w->rig.media, 0), 1);
	ua_expect(&w->alice, "SIP/2.0 183");
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_relay_refuses(void **state)
{
	struct pair *w = *state;

	w->rig.media.slow = true;
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 200, "", ua_sdp("203.0.113.2", 5000, ""));
	call_rig_until(&w->rig, fake_media_streams(&w->rig.media) == 1);
	fake_media_only(&w->rig.media)->used = false; /* gone with a failure */
	w->rig.media.stream[0].used = true;
	assert_int_equal(fake_media_finish(&w->rig.media, -EHOSTUNREACH), 1);
	w->rig.media.stream[0].used = false;
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* The INVITE has no offer: B makes it, A's ACK answers, only then is there media. */
static void test_late_offer(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_invite(&w->alice, "bob", "", NULL);
	text = ua_expect_invite(&w->bob);
	assert_string_equal(ua_body(text), "");
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_int_not_equal(ua_port(text), 0);
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	ua_ack(&w->alice, text, ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect(&w->bob, "ACK ");
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	assert_int_equal(ua_port(text), fake_media_only(&w->rig.media)->path[SG_SIDE_B].local.port);
	ua_hang_up(&w->alice, &w->bob);
}

/* A 2xx whose ACK never comes is the end of it (RFC 3261 13.3.1.4). */
static void test_no_ack(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 200, "", ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	ua_learn(&w->alice, text);
	ua_expect(&w->alice, "SIP/2.0 200"); /* again */
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "200 no ACK");
}

/* Our ACK was lost: the 2xx comes again, and is ACKed again. */
static void test_ack_again(void **state)
{
	struct pair *w = *state;

	ua_connect(&w->alice, &w->bob);
	ua_reply(&w->bob, w->bob.invite, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_video_and_fax(void **state)
{
	struct pair *w = *state;
	const char *text, *more = "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
				  "m=image 4004 udptl t38\r\n";

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, more));
	text = ua_expect_invite(&w->bob);
	assert_non_null(strstr(text, " udptl t38"));
	assert_null(strstr(text, "m=image 0"));
	assert_null(strstr(text, "m=image 4004"));
	assert_null(strstr(text, "m=video 0"));
	ua_reply(&w->bob, text, 200, "",
		 ua_sdp("203.0.113.2", 5000,
			"m=video 5002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
			"m=image 0 udptl t38\r\n"));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_int_equal(fake_media_streams(&w->rig.media), 2);
	ua_hang_up(&w->bob, &w->alice);
}

static void test_drain_and_limit(void **state)
{
	struct pair *w = *state;

	w->rig.config.max_calls = 1;
	ua_connect(&w->alice, &w->bob);
	{
		struct ua carol;

		ua_open(&carol, &w->rig, "carol", TRUNK);
		ua_invite(&carol, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
		ua_expect(&carol, "SIP/2.0 503");
		ua_close(&carol);
	}
	ua_hang_up(&w->alice, &w->bob);
}

static void test_operator(void **state)
{
	struct pair *w = *state;
	json_t *list, *show;
	const char *id;

	ua_connect(&w->alice, &w->bob);
	list = calls_list(w->rig.calls, 0);
	assert_int_equal(json_array_size(list), 1);
	id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
	show = calls_show(w->rig.calls, str_of(id));
	assert_int_equal(json_array_size(json_object_get(show, "legs")), 2);
	assert_int_equal(json_array_size(json_object_get(show, "streams")), 1);
	assert_true(json_array_size(json_object_get(show, "steps")) >= 5);
	assert_int_equal(calls_end(w->rig.calls, STR("none"), STR("x")), -ENOENT);
	assert_int_equal(calls_end(w->rig.calls, str_of(id), STR("a \"test\"")), 0);
	assert_string_equal(header_of(ua_expect(&w->alice, "BYE "), "Reason"),
			    "SIP;cause=487;text=\"a test\"");
	ua_reply(&w->alice, w->alice.peer.text, 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	json_decref(list);
	json_decref(show);
	call_rig_expect_empty(&w->rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_callee_hangs_up),
		TEST(test_busy),
		TEST(test_cancel),
		TEST(test_cancel_crosses_200),
		TEST(test_byes_cross),
		TEST(test_nobody),
		TEST(test_stranger),
		TEST(test_refused_at_the_door),
		TEST(test_slow_relay),
		TEST(test_relay_refuses),
		TEST(test_late_offer),
		TEST(test_no_ack),
		TEST(test_ack_again),
		TEST(test_video_and_fax),
		TEST(test_drain_and_limit),
		TEST(test_operator),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
