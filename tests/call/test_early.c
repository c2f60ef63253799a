// SPDX-License-Identifier: BSD-2-Clause
/* Before the answer: early media, reliable provisionals across and by halves (SG-12, SG-54),
 * UPDATE. */
#include "ua.h"

#define OFFER ua_sdp("198.51.100.1", 4000, "")
#define ANSWER ua_sdp("203.0.113.2", 5000, "")

static void invite(struct pair *w, const char *headers, const char *sdp)
{
	ua_invite(&w->alice, "bob", headers, sdp);
	ua_expect_invite(&w->bob);
}

/* RAck of the provisional in `text`, as the party that got it. */
static const char *rack(const char *text)
{
	static char line[96];

	snprintf(line, sizeof(line), "RAck: %s %s\r\n", header_of(text, "RSeq"),
		 header_of(text, "CSeq"));
	return line;
}

/* ---- several early dialogs of B's (RFC 3261 13.2.2.4) are one of A's ----------------------------
 */

#define OTHER ua_sdp("203.0.113.9", 6000, "a=ptime:60\r\n")

static unsigned version_of(const char *text)
{
	unsigned version = 0;

	assert_int_equal(sscanf(strstr(ua_body(text), "o="), "o=- %*u %u", &version), 1);
	return version;
}

/* The last to speak is heard: at the port that A was told first, and in the same dialog. */
static void test_forks_with_media(void **state)
{
	struct pair *w = *state;
	char first[4096];
	const char *text;

	invite(w, "", OFFER);
	ua_reply_as(&w->bob, w->bob.invite, 183, "one", "", ANSWER);
	snprintf(first, sizeof(first), "%.4000s", ua_expect(&w->alice, "SIP/2.0 183"));
	ua_reply_as(&w->bob, w->bob.invite, 183, "two", "P-Early-Media: sendonly\r\n", OTHER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	assert_string_equal(header_of(text, "To"), header_of(first, "To"));
	assert_string_equal(header_of(text, "P-Early-Media"), "sendonly");
	assert_int_equal(ua_port(text), ua_port(first));
	assert_non_null(strstr(ua_body(text), "a=ptime:60"));
	assert_true(version_of(text) >= version_of(first));
	assert_non_null(strstr(w->rig.media.story, "move b to 203.0.113.9:6000; "));
	/* The other one answers: that is what holds. */
	ua_reply_as(&w->bob, w->bob.invite, 200, "one", "", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(header_of(text, "To"), header_of(first, "To"));
	assert_int_equal(ua_port(text), ua_port(first));
	assert_null(strstr(ua_body(text), "a=ptime:60"));
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_B].remote.port, 5000);
	snprintf(w->bob.from, sizeof(w->bob.from), "%s;tag=one", header_of(w->bob.invite, "To"));
	ua_hang_up(&w->bob, &w->alice);
}

/*
 * A took the answer of the one (reliably: it holds), and the other one wins: A is offered what that
 * one said, as soon as it has acknowledged.
 */
static void test_another_fork_wins(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "Supported: 100rel\r\n", OFFER);
	ua_reply_as(&w->bob, w->bob.invite, 183, "one", "Require: 100rel\r\nRSeq: 7\r\n", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", rack(text), NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "PRACK "), 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply_as(&w->bob, w->bob.invite, 200, "two", "", OTHER);
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(ua_body(text), "");
	ua_ack(&w->alice, text, NULL);
	text = ua_expect(&w->alice, "INVITE ");
	assert_non_null(strstr(ua_body(text), "a=ptime:60"));
	ua_reply(&w->alice, text, 200, "", OFFER);
	ua_expect(&w->alice, "ACK ");
	snprintf(w->bob.from, sizeof(w->bob.from), "%s;tag=two", header_of(w->bob.invite, "To"));
	ua_hang_up(&w->bob, &w->alice);
}

/* 183 with SDP: the relay carries before the 183 leaves; CANCEL takes it away again (SG-26). */
static void test_early_media(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "", OFFER);
	ua_reply(&w->bob, w->bob.invite, 183, "", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	assert_int_equal(ua_port(text), fake_media_only(&w->rig.media)->path[SG_SIDE_A].local.port);
	ua_cancel(&w->alice);
	ua_expect(&w->alice, "SIP/2.0 487");
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	ua_request(&w->alice, "ACK", "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "CANCEL "), 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 487, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* The 200 has no SDP: what the 183 said is the answer. */
static void test_answer_came_early(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "", OFFER);
	ua_reply(&w->bob, w->bob.invite, 183, "", ANSWER);
	ua_expect(&w->alice, "SIP/2.0 183");
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_int_not_equal(ua_port(text), 0);
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* Both have 100rel: each leg its own RSeq, A's PRACK goes on to B with B's. */
static void test_prack_across(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "Supported: 100rel\r\n", OFFER);
	assert_non_null(strstr(header_of(w->bob.invite, "Supported"), "100rel"));
	ua_reply(&w->bob, w->bob.invite, 183, "Require: 100rel\r\nRSeq: 4711\r\n", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	assert_string_equal(header_of(text, "Require"), "100rel");
	assert_string_not_equal(header_of(text, "RSeq"), "4711");
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", "RAck: 1 1 INVITE\r\n", NULL);
	ua_expect(&w->alice, "SIP/2.0 481");
	ua_expect(&w->alice, "SIP/2.0 183"); /* again, until it is acknowledged */
	ua_request(&w->alice, "PRACK", rack(w->alice.peer.text), NULL);
	text = ua_expect(&w->bob, "PRACK ");
	assert_string_equal(header_of(text, "RAck"), "4711 1 INVITE");
	ua_reply(&w->bob, text, 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(ua_body(text), ""); /* answered already */
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->bob, &w->alice);
}

/* Only B has: we acknowledge. */
static void test_prack_for_a(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "", OFFER);
	ua_reply(&w->bob, w->bob.invite, 183, "Require: 100rel\r\nRSeq: 7\r\n", ANSWER);
	text = ua_expect(&w->bob, "PRACK ");
	assert_string_equal(header_of(text, "RAck"), "7 1 INVITE");
	ua_reply(&w->bob, text, 200, "", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	assert_string_equal(header_of(text, "Require"), "");
	/* The same again, and one too many: neither is taken. */
	ua_reply(&w->bob, w->bob.invite, 183, "Require: 100rel\r\nRSeq: 7\r\n", ANSWER);
	ua_reply(&w->bob, w->bob.invite, 180, "Require: 100rel\r\nRSeq: 9\r\n", NULL);
	ua_reply(&w->bob, w->bob.invite, 180, "Require: 100rel\r\nRSeq: 8\r\n", NULL);
	text = ua_expect(&w->bob, "PRACK ");
	assert_string_equal(header_of(text, "RAck"), "8 1 INVITE");
	ua_reply(&w->bob, text, 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_int_not_equal(ua_port(text), 0);
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* Only A has, and insists: our provisionals are reliable, B hears nothing of it. */
static void test_prack_for_b(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "Require: 100rel\r\n", OFFER);
	ua_reply(&w->bob, w->bob.invite, 180, "", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 180");
	assert_string_equal(header_of(text, "Require"), "100rel");
	ua_reply(&w->bob, w->bob.invite, 200, "", ANSWER);
	rig_run_ms(&w->rig.rig, 30);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 200"), 0); /* PRACK first */
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", rack(text), NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->bob, "ACK ");
	assert_int_equal(peer_drain(&w->bob.peer, "PRACK "), 0);
	ua_hang_up(&w->alice, &w->bob);
}

/* The offer comes in a reliable provisional, the answer in the PRACK (RFC 3262 5). */
static void test_offer_in_183(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "Supported: 100rel\r\n", NULL);
	ua_reply(&w->bob, w->bob.invite, 183, "Require: 100rel\r\nRSeq: 5\r\n", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	assert_int_not_equal(ua_port(text), 0);
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", rack(text), OFFER);
	text = ua_expect(&w->bob, "PRACK ");
	assert_int_equal(ua_port(text), fake_media_only(&w->rig.media)->path[SG_SIDE_B].local.port);
	ua_reply(&w->bob, text, 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* UPDATE before the answer, once offer and answer were reliable (RFC 3311 5.1). */
static void test_early_update(void **state)
{
	struct pair *w = *state;
	const char *text;

	invite(w, "Supported: 100rel\r\nAllow: INVITE, UPDATE\r\n", OFFER);
	ua_reply(&w->bob, w->bob.invite, 183,
		 "Require: 100rel\r\nRSeq: 5\r\nAllow: INVITE, UPDATE\r\n", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", rack(text), NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "PRACK "), 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_request(&w->alice, "UPDATE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	text = ua_expect(&w->bob, "UPDATE ");
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=recvonly\r\n"));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "a=recvonly"));
	assert_int_equal(fake_media_only(&w->rig.media)->direction, SG_DIRECTION_A_TO_B);
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	w->alice.cseq = 1;
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	w->alice.cseq = 10;
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* Both ring reliably, and then only say where they are: neither hears of the other's UPDATE. */
static void test_move_while_ringing(void **state)
{
	struct pair *w = *state;
	const struct media_stream *stream;
	const char *text;

	invite(w, "Supported: 100rel\r\nAllow: INVITE, UPDATE\r\n", OFFER);
	ua_reply(&w->bob, w->bob.invite, 183,
		 "Require: 100rel\r\nRSeq: 5\r\nAllow: INVITE, UPDATE\r\n", ANSWER);
	text = ua_expect(&w->alice, "SIP/2.0 183");
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "PRACK", rack(text), NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "PRACK "), 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	stream = fake_media_only(&w->rig.media);
	ua_request(&w->alice, "UPDATE", "", ua_sdp("198.51.100.9", 4400, ""));
	assert_int_equal(ua_port(ua_expect(&w->alice, "SIP/2.0 200")),
			 stream->path[SG_SIDE_A].local.port);
	assert_int_equal(stream->path[SG_SIDE_A].remote.port, 4400);
	assert_int_equal(peer_drain(&w->bob.peer, "UPDATE "), 0);
	ua_reply(&w->bob, w->bob.invite, 200, "", NULL);
	w->alice.cseq = 1;
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	w->alice.cseq = 10;
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* The caller has second thoughts in the early dialog: BYE instead of CANCEL (RFC 3261 15). */
static void test_early_bye(void **state)
{
	struct pair *w = *state;

	invite(w, "", OFFER);
	ua_reply(&w->bob, w->bob.invite, 180, "", NULL);
	ua_learn(&w->alice, ua_expect(&w->alice, "SIP/2.0 180"));
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_expect(&w->alice, "SIP/2.0 487");
	w->alice.cseq = 1;
	ua_request(&w->alice, "ACK", "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "CANCEL "), 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 487, "", NULL);
	call_rig_expect_empty(&w->rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_forks_with_media), TEST(test_another_fork_wins),
		TEST(test_early_media),	     TEST(test_answer_came_early),
		TEST(test_prack_across),     TEST(test_prack_for_a),
		TEST(test_prack_for_b),	     TEST(test_offer_in_183),
		TEST(test_early_update),     TEST(test_move_while_ringing),
		TEST(test_early_bye),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
