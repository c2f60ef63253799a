// SPDX-License-Identifier: BSD-2-Clause
/* REFER: blind and attended, from either side, and what may go wrong (RFC 5359 2.4, 2.5; SG-52). */
#include "ua.h"

struct world {
	struct call_rig rig;
	struct ua alice, bob, carol;
	struct ua second; /* alice's or bob's other line: the same host */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->carol, &w->rig, "carol", "127.0.0.4");
	ua_open(&w->second, &w->rig, "alice", TRUNK);
	ua_register(&w->bob, "");
	ua_register(&w->carol, "");
	ua_connect(&w->alice, &w->bob);
	peer_drain(&w->bob.peer, "");
	fake_media_tell(&w->rig.media);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->bob);
	ua_close(&w->carol);
	ua_close(&w->second);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

static const char *expect_notify(struct ua *ua, const char *status_line)
{
	const char *text = ua_expect(ua, "NOTIFY ");

	assert_string_equal(header_of(text, "Event"), "refer");
	assert_string_equal(header_of(text, "Content-Type"), "message/sipfrag;version=2.0");
	if (strncmp(ua_body(text), status_line, strlen(status_line)) != 0)
		fail_msg("'%s' does not begin with '%s'", ua_body(text), status_line);
	ua_reply(ua, text, 200, "", NULL);
	return text;
}

static void refer(struct ua *ua, const char *headers)
{
	ua_request(ua, "REFER", headers, NULL);
	ua_expect(ua, "SIP/2.0 200");
	expect_notify(ua, "SIP/2.0 100 ");
}

/* Bob sends Alice on to Carol; who stays hears nothing, its port stays. */
static void test_blind(void **state)
{
	struct world *w = *state;
	unsigned port = fake_media_only(&w->rig.media)->path[SG_SIDE_B].local.port;
	const char *text;

	refer(&w->bob,
	      "Refer-To: <sip:carol@example.net>\r\nReferred-By: <sip:bob@example.net>\r\n");
	text = ua_expect_invite(&w->carol);
	assert_string_equal(header_of(text, "Referred-By"), "<sip:bob@example.net>");
	assert_non_null(strstr(header_of(text, "From"), "sip:alice@"));
	assert_int_equal(ua_port(text), port);
	ua_reply(&w->carol, text, 180, "", NULL);
	expect_notify(&w->bob, "SIP/2.0 180 ");
	assert_string_equal(w->rig.media.story, "");
	ua_reply(&w->carol, w->carol.invite, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&w->carol, "ACK ");
	text = expect_notify(&w->bob, "SIP/2.0 200 ");
	assert_non_null(strstr(header_of(text, "Subscription-State"), "terminated"));
	assert_string_equal(w->rig.media.story, "move b to 203.0.113.77:7000; ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->carol);
}

/* The usual way: hold, REFER, and hang up without waiting. Alice is taken off hold at the end. */
static void test_blind_from_hold(void **state)
{
	struct world *w = *state;
	const char *text;

	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, "a=sendonly\r\n"));
	text = ua_expect(&w->alice, "INVITE ");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4000, "a=recvonly\r\n"));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	ua_expect(&w->alice, "ACK ");
	refer(&w->bob, "Refer-To: sip:carol@example.net\r\n");
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	text = ua_expect_invite(&w->carol);
	assert_null(strstr(text, "a=recvonly"));
	ua_reply(&w->carol, text, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&w->carol, "ACK ");
	text = ua_expect(&w->alice, "INVITE ");
	assert_null(strstr(text, "a=sendonly"));
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&w->alice, "ACK ");
	assert_int_equal(fake_media_only(&w->rig.media)->direction, SG_DIRECTION_BOTH);
	ua_hang_up(&w->carol, &w->alice);
}

/* Carol is busy: the call is as it was. */
static void test_blind_fails(void **state)
{
	struct world *w = *state;

	refer(&w->alice, "Refer-To: <sip:carol@example.net>\r\n");
	ua_reply(&w->carol, ua_expect_invite(&w->carol), 486, "", NULL);
	ua_expect(&w->carol, "ACK ");
	expect_notify(&w->alice, "SIP/2.0 486 ");
	assert_string_equal(w->rig.media.story, "");
	ua_request(&w->bob, "INFO", "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "INFO "), 200, "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->alice, &w->bob);
}

/* ... and who asked has hung up already: then it is over for who stayed, too. */
static void test_blind_fails_alone(void **state)
{
	struct world *w = *state;

	refer(&w->alice, "Refer-To: <sip:carol@example.net>\r\n");
	ua_expect_invite(&w->carol);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->carol, w->carol.invite, 603, "", NULL);
	ua_expect(&w->carol, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* Who stays hangs up while the new party rings. */
static void test_blind_given_up(void **state)
{
	struct world *w = *state;

	refer(&w->bob, "Refer-To: <sip:carol@example.net>\r\nRefer-Sub: true\r\n");
	ua_expect_invite(&w->carol);
	ua_reply(&w->carol, w->carol.invite, 180, "", NULL);
	expect_notify(&w->bob, "SIP/2.0 180 ");
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_reply(&w->carol, ua_expect(&w->carol, "CANCEL "), 200, "", NULL);
	ua_reply(&w->carol, w->carol.invite, 487, "", NULL);
	ua_expect(&w->carol, "ACK ");
	call_rig_expect_empty(&w->rig);
}

/* ---- a target with several contacts -----------------------------------------------------------
 */

struct phones {
	struct ua desk, mobile;
};

/* Carol's phone and her desk ring at once; the mobile only when both have refused. */
static void more_phones(struct world *w, struct phones *phones)
{
	ua_open(&phones->desk, &w->rig, "desk", "127.0.0.5");
	ua_open(&phones->mobile, &w->rig, "mobile", "127.0.0.6");
	ua_register_as(&phones->desk, "carol", "");
	ua_register_as(&phones->mobile, "carol", ";q=0.5");
	refer(&w->bob, "Refer-To: <sip:carol@example.net>\r\n");
	ua_expect_invite(&w->carol);
	ua_expect_invite(&phones->desk);
}

static void close_phones(struct phones *phones)
{
	ua_close(&phones->desk);
	ua_close(&phones->mobile);
}

static void refuse(struct ua *ua, int status, const char *headers)
{
	ua_reply(ua, ua->invite, status, headers, NULL);
	ua_expect(ua, "ACK ");
}

static void test_forks(void **state)
{
	struct world *w = *state;
	struct phones phones;

	more_phones(w, &phones);
	assert_int_equal(ua_port(w->carol.invite), ua_port(phones.desk.invite));
	ua_reply(&w->carol, w->carol.invite, 180, "", NULL);
	expect_notify(&w->bob, "SIP/2.0 180 ");
	ua_reply(&phones.desk, phones.desk.invite, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&phones.desk, "ACK ");
	ua_reply(&w->carol, ua_expect(&w->carol, "CANCEL "), 200, "", NULL);
	refuse(&w->carol, 487, "");
	expect_notify(&w->bob, "SIP/2.0 200 ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	assert_string_equal(w->rig.media.story, "move b to 203.0.113.77:7000; ");
	assert_int_equal(peer_drain(&phones.mobile.peer, ""), 0);
	ua_hang_up(&w->alice, &phones.desk);
	close_phones(&phones);
}

/* Both pick up: the second one gets ACK and BYE. */
static void test_forks_answer_both(void **state)
{
	struct world *w = *state;
	struct phones phones;

	more_phones(w, &phones);
	ua_reply(&phones.desk, phones.desk.invite, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&phones.desk, "ACK ");
	ua_reply(&w->carol, w->carol.invite, 200, "", ua_sdp("203.0.113.78", 7000, ""));
	ua_expect(&w->carol, "ACK ");
	ua_reply(&w->carol, ua_expect(&w->carol, "BYE "), 200, "", NULL);
	expect_notify(&w->bob, "SIP/2.0 200 ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&phones.desk, &w->alice);
	close_phones(&phones);
}

static void test_forks_in_turn(void **state)
{
	struct world *w = *state;
	struct phones phones;

	more_phones(w, &phones);
	refuse(&w->carol, 486, "");
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&phones.mobile.peer, ""), 0);
	refuse(&phones.desk, 480, "");
	ua_expect_invite(&phones.mobile);
	ua_reply(&phones.mobile, phones.mobile.invite, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&phones.mobile, "ACK ");
	expect_notify(&w->bob, "SIP/2.0 200 ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &phones.mobile);
	close_phones(&phones);
}

/* Nobody wants to: the best of the answers is told, and the call is as it was. */
static void test_forks_all_refuse(void **state)
{
	struct world *w = *state;
	struct phones phones;

	more_phones(w, &phones);
	refuse(&w->carol, 503, "");
	refuse(&phones.desk, 486, "");
	ua_expect_invite(&phones.mobile);
	refuse(&phones.mobile, 500, "");
	expect_notify(&w->bob, "SIP/2.0 486 ");
	ua_hang_up(&w->bob, &w->alice);
	close_phones(&phones);
}

/* 603 is for all of them; and who is elsewhere is called there. */
static void test_forks_declined(void **state)
{
	struct world *w = *state;
	struct phones phones;

	more_phones(w, &phones);
	ua_reply(&phones.desk, phones.desk.invite, 180, "", NULL);
	expect_notify(&w->bob, "SIP/2.0 180 ");
	refuse(&w->carol, 603, "");
	ua_reply(&phones.desk, ua_expect(&phones.desk, "CANCEL "), 200, "", NULL);
	refuse(&phones.desk, 487, "");
	expect_notify(&w->bob, "SIP/2.0 603 ");
	assert_int_equal(peer_drain(&phones.mobile.peer, ""), 0);
	ua_hang_up(&w->bob, &w->alice);
	close_phones(&phones);
}

static void test_redirected(void **state)
{
	struct world *w = *state;
	struct ua dora;

	ua_open(&dora, &w->rig, "dora", "127.0.0.5");
	ua_register(&dora, "");
	refer(&w->bob, "Refer-To: <sip:carol@example.net>\r\n");
	ua_expect_invite(&w->carol);
	ua_reply(&w->carol, w->carol.invite, 302, "Contact: <sip:dora@example.net>\r\n", NULL);
	ua_expect(&w->carol, "ACK ");
	ua_expect_invite(&dora);
	ua_reply(&dora, dora.invite, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&dora, "ACK ");
	expect_notify(&w->bob, "SIP/2.0 200 ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &dora);
	ua_close(&dora);
}

static void test_refused(void **state)
{
	struct world *w = *state;

	ua_request(&w->bob, "REFER", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 400");
	ua_request(&w->bob, "REFER", "Refer-To: <sip:carol@example.net;method=BYE>\r\n", NULL);
	ua_expect(&w->bob, "SIP/2.0 501");
	ua_request(&w->bob, "REFER", "Refer-To: <sip:nobody@example.net>\r\n", NULL);
	ua_expect(&w->bob, "SIP/2.0 404");
	/* A trunk's party may not send ours into the world at our expense. */
	ua_request(&w->alice, "REFER", "Refer-To: <sip:x@198.51.100.250>\r\n", NULL);
	ua_expect(&w->alice, "SIP/2.0 403");
	ua_hang_up(&w->bob, &w->alice);
}

/* Alice has called Carol on her second line, and joins Bob with her. */
static void attended(struct world *w)
{
	char headers[600], to[256], *tag;

	ua_connect(&w->second, &w->carol);
	peer_drain(&w->carol.peer, "");
	fake_media_tell(&w->rig.media);
	snprintf(to, sizeof(to), "%s", w->second.to);
	tag = strstr(to, ";tag=");
	assert_non_null(tag);
	snprintf(headers, sizeof(headers),
		 "Refer-To: <sip:carol@example.net?Replaces=%.*s%%40%s%%3Bto-tag%%3D%s%%3B"
		 "from-tag%%3D%s>\r\n",
		 (int)strcspn(w->second.call_id, "@"), w->second.call_id,
		 strchr(w->second.call_id, '@') + 1, tag + 5, strstr(w->second.from, ";tag=") + 5);
	refer(&w->alice, headers);
}

static void test_attended(void **state)
{
	struct world *w = *state;
	const char *text;

	attended(w);
	text = ua_expect(&w->carol, "INVITE ");
	assert_non_null(strstr(header_of(text, "To"), "carol-tag")); /* the dialog that she has */
	ua_reply(&w->carol, text, 200, "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&w->carol, "ACK ");
	expect_notify(&w->alice, "SIP/2.0 200 ");
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->second, ua_expect(&w->second, "BYE "), 200, "", NULL);
	assert_int_equal(calls_count(w->rig.calls), 1);
	assert_non_null(strstr(w->rig.media.story, "move a to 203.0.113.77:7000; "));
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_A].remote.port, 7000);
	assert_int_equal(peer_drain(&w->bob.peer, ""), 0);
	ua_hang_up(&w->bob, &w->carol);
}

/* Carol does not agree: both calls are as they were. */
static void test_attended_refused(void **state)
{
	struct world *w = *state;

	attended(w);
	ua_reply(&w->carol, ua_expect(&w->carol, "INVITE "), 488, "", NULL);
	ua_expect(&w->carol, "ACK ");
	expect_notify(&w->alice, "SIP/2.0 488 ");
	assert_string_equal(w->rig.media.story, "");
	assert_int_equal(calls_count(w->rig.calls), 2);
	ua_request(&w->second, "BYE", "", NULL);
	ua_expect(&w->second, "SIP/2.0 200");
	ua_reply(&w->carol, ua_expect(&w->carol, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &w->bob);
}

/* Carol hangs up in the middle of it. */
static void test_attended_vanishes(void **state)
{
	struct world *w = *state;

	attended(w);
	ua_expect(&w->carol, "INVITE ");
	ua_request(&w->carol, "BYE", "", NULL);
	ua_expect(&w->carol, "SIP/2.0 200");
	expect_notify(&w->alice, "SIP/2.0 487 ");
	ua_reply(&w->second, ua_expect(&w->second, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &w->bob);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blind),
		TEST(test_blind_from_hold),
		TEST(test_blind_fails),
		TEST(test_blind_fails_alone),
		TEST(test_blind_given_up),
		TEST(test_forks),
		TEST(test_forks_answer_both),
		TEST(test_forks_in_turn),
		TEST(test_forks_all_refuse),
		TEST(test_forks_declined),
		TEST(test_redirected),
		TEST(test_refused),
		TEST(test_attended),
		TEST(test_attended_refused),
		TEST(test_attended_vanishes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
