// SPDX-License-Identifier: BSD-2-Clause
/*
 * Require: handover between caller and callee (HH-5 to HH-9, E3), and calls whose media goes past
 * the relay: who moves is served by the far end (HH-11), else the relay comes in late. Alice is a
 * trunk and calls, Bob is a subscriber.
 */
#include <stdio.h>
#include <unistd.h>

#include "sip/digest.h"
#include "ua.h"

#define REQUIRE "Require: handover\r\n"
#define REFUSES "Unsupported: handover\r\n"

struct world {
	struct call_rig rig;
	struct ua alice, bob;
	struct ua moved;      /* alice's other network */
	struct ua bob_moved;  /* bob's other network */
	struct ua bob_second; /* bob's other device, or his second leg */
	char offer[1024], answer[1024];
	char led[4096]; /* what leads alice's old leg to the relay */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	w->rig.config.handover_anchor = CONFIG_ANCHOR_AUTO;
	w->rig.config.handover_window_ms = 10000;
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->moved, &w->rig, "alice", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->bob_moved, &w->rig, "bob", "127.0.0.44");
	ua_open(&w->bob_second, &w->rig, "bob", "127.0.0.5");
	ua_register(&w->bob, "");
	snprintf(w->offer, sizeof(w->offer), "%s",
		 ua_sdp("198.51.100.1", 4000, "a=x-untouched\r\n"));
	snprintf(w->answer, sizeof(w->answer), "%s", ua_sdp("203.0.113.2", 5000, "a=x-too\r\n"));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->moved);
	ua_close(&w->bob);
	ua_close(&w->bob_moved);
	ua_close(&w->bob_second);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

static const char *tag_of(const char *party)
{
	const char *tag = strstr(party, ";tag=");

	return tag ? tag + 5 : "";
}

static bool has(const char *message, const char *line)
{
	const char *at = strstr(message, line), *end = strstr(message, "\r\n\r\n");

	return at && end && at < end;
}

/* The header that names the party's own dialog, as segued sees it. */
static const char *naming(const struct ua *ua, const char *header)
{
	static char text[4][512];
	static unsigned turn;
	char *out = text[turn++ % 4];

	snprintf(out, sizeof(text[0]), "%s: %s;from-tag=%s;to-tag=%s\r\n", header, ua->call_id,
		 tag_of(ua->from), tag_of(ua->to));
	return out;
}

/* ... as its owner has to get it: its own tag is to-tag. */
static void expect_names(const char *invite, const struct ua *ua, const char *header)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s: %s;to-tag=%s;from-tag=%s\r\n", header,
		 ua->call_id, tag_of(ua->from), tag_of(ua->to));
	if (!has(invite, expected))
		fail_msg("no '%s' in %s", expected, invite);
}

static void ack_refusal(struct ua *ua, const char *response)
{
	peer_send(&ua->peer, &ua->rig->rig.at[SIP_UDP],
		  "ACK %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"
		  "Call-ID: %s\r\nCSeq: %u ACK\r\nContent-Length: 0\r\n\r\n",
		  ua->target, header_of(response, "Via"), ua->from, header_of(response, "To"),
		  ua->call_id, ua->cseq);
}

static void expect_refusal(struct ua *ua, const char *start)
{
	ack_refusal(ua, ua_expect(ua, start));
}

static void expect_nothing_relayed(struct world *w)
{
	assert_string_equal(w->rig.media.story, "");
	assert_int_equal(w->rig.media.reserved, 0);
}

static void call_bob(struct world *w)
{
	ua_invite(&w->alice, "bob", REQUIRE, w->offer);
}

/* The far end answers, the caller hears it. */
static void answer(struct world *w, struct ua *bob)
{
	ua_reply(bob, bob->invite, 200, "Supported: handover\r\n", w->answer);
	ua_expect(bob, "ACK ");
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
}

static void connect_assisted(struct world *w)
{
	const char *text;

	call_bob(w);
	text = ua_expect_invite(&w->bob);
	assert_true(has(text, REQUIRE));
	assert_string_equal(ua_body(text), w->offer);
	ua_reply(&w->bob, w->bob.invite, 200, "", w->answer);
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(ua_body(text), w->answer);
	ua_ack(&w->alice, text, NULL);
	rig_run_ms(&w->rig.rig, 20);
	expect_nothing_relayed(w);
}

/* ---- the callee is asked ------------------------------------------------------------------------
 */

/* HH-5: untouched both ways, nothing in the relay, Contact is ours. */
static void test_assisted(void **state)
{
	struct world *w = *state;
	char port[16];

	connect_assisted(w);
	snprintf(port, sizeof(port), ":%u", w->rig.rig.at[SIP_UDP].port);
	assert_non_null(strstr(w->bob.target, port));
	assert_non_null(strstr(w->alice.target, port));
	ua_hang_up(&w->alice, &w->bob);
	expect_nothing_relayed(w);
}

/* HH-17: what only moves a party crosses too, since nobody else could follow it. */
static void test_reinvite_crosses(void **state)
{
	struct world *w = *state;
	char offer[1024];
	const char *text;

	connect_assisted(w);
	snprintf(offer, sizeof(offer), "%s", ua_sdp("198.51.100.99", 4100, "a=x-untouched\r\n"));
	ua_request(&w->alice, "INVITE", "", offer);
	text = ua_expect(&w->bob, "INVITE ");
	assert_string_equal(ua_body(text), offer);
	ua_reply(&w->bob, text, 200, "", w->answer);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(ua_body(text), w->answer);
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	expect_nothing_relayed(w);
	ua_hang_up(&w->bob, &w->alice);
}

static void test_early_media(void **state)
{
	struct world *w = *state;

	call_bob(w);
	ua_expect_invite(&w->bob);
	ua_reply(&w->bob, w->bob.invite, 183, "", w->answer);
	assert_string_equal(ua_body(ua_expect(&w->alice, "SIP/2.0 183")), w->answer);
	expect_nothing_relayed(w);
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
	expect_nothing_relayed(w);
}

/* HH-6: two INVITEs at the callee, alike but for CSeq, Require and the SDP; the caller sees none.
 */
static void expect_second(struct world *w, struct ua *bob, const char *first)
{
	char call_id[128], from[256], to[256];
	unsigned cseq = (unsigned)atoi(header_of(first, "CSeq"));
	const char *text;

	snprintf(call_id, sizeof(call_id), "%s", header_of(first, "Call-ID"));
	snprintf(from, sizeof(from), "%s", header_of(first, "From"));
	snprintf(to, sizeof(to), "%s", header_of(first, "To"));
	text = ua_expect_invite(bob);
	assert_string_equal(header_of(text, "Call-ID"), call_id);
	assert_string_equal(header_of(text, "From"), from);
	assert_string_equal(header_of(text, "To"), to);
	assert_int_equal(atoi(header_of(text, "CSeq")), cseq + 1);
	assert_false(has(text, "Require:"));
	assert_string_not_equal(ua_body(text), w->offer);
	assert_null(strstr(ua_body(text), "198.51.100.1"));
}

static void refuse_tag(struct ua *bob, const char *unsupported)
{
	ua_reply(bob, bob->invite, 420, unsupported, NULL);
	ua_expect(bob, "ACK ");
}

static void test_420(void **state)
{
	struct world *w = *state;
	char first[4096];

	call_bob(w);
	snprintf(first, sizeof(first), "%s", ua_expect_invite(&w->bob));
	assert_true(has(first, REQUIRE));
	refuse_tag(&w->bob, REFUSES);
	expect_second(w, &w->bob, first);
	answer(w, &w->bob);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 420"), 0);
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
}

/* HH-8: the next call is spared the round trip. */
static void test_420_is_remembered(void **state)
{
	struct world *w = *state;

	call_bob(w);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, REFUSES);
	ua_expect_invite(&w->bob);
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
	call_bob(w);
	assert_false(has(ua_expect_invite(&w->bob), "Require:"));
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
}

/* A provisional made an early dialog first: the second INVITE begins without its tag. */
static void test_420_after_180(void **state)
{
	struct world *w = *state;
	char first[4096];

	call_bob(w);
	snprintf(first, sizeof(first), "%s", ua_expect_invite(&w->bob));
	ua_reply(&w->bob, first, 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	refuse_tag(&w->bob, REFUSES);
	expect_second(w, &w->bob, first);
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
}

/* HH-7: something that the caller insists on is missing as well. */
static void test_420_for_more(void **state)
{
	struct world *w = *state;

	ua_invite(&w->alice, "bob", "Require: handover, 100rel\r\n", w->offer);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, "Unsupported: handover, 100rel\r\n");
	expect_refusal(&w->alice, "SIP/2.0 420");
	call_rig_expect_empty(&w->rig);
}

/* ... or something that nobody asked for: that is no reason to give up. */
static void test_420_for_less(void **state)
{
	struct world *w = *state;

	call_bob(w);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, "Unsupported: handover, timer\r\n");
	assert_false(has(ua_expect_invite(&w->bob), "Require:"));
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_420_twice(void **state)
{
	struct world *w = *state;

	call_bob(w);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, REFUSES);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, REFUSES);
	expect_refusal(&w->alice, "SIP/2.0 420");
	assert_int_equal(peer_drain(&w->bob.peer, "INVITE "), 0);
	call_rig_expect_empty(&w->rig);
}

/* E3: 320 redirects, like 300; it is no 420. */
static void test_320(void **state)
{
	static const int status[] = {300, 320};
	char answer[2][32];
	struct world *w = *state;

	for (unsigned i = 0; i < 2; i++) {
		call_bob(w);
		ua_expect_invite(&w->bob);
		ua_reply(&w->bob, w->bob.invite, status[i], REFUSES, NULL);
		ua_expect(&w->bob, "ACK ");
		snprintf(answer[i], sizeof(answer[i]), "%.12s", ua_expect(&w->alice, "SIP/2.0 4"));
		ack_refusal(&w->alice, w->alice.peer.text);
		assert_int_equal(peer_drain(&w->bob.peer, "INVITE "), 0);
		call_rig_expect_empty(&w->rig);
	}
	assert_string_equal(answer[0], answer[1]);
	call_bob(w);
	assert_true(has(ua_expect_invite(&w->bob), REQUIRE)); /* and nothing was learnt from it */
	answer[0][0] = '\0';
	ua_reply(&w->bob, w->bob.invite, 486, "", NULL);
	ua_expect(&w->bob, "ACK ");
	expect_refusal(&w->alice, "SIP/2.0 486");
	call_rig_expect_empty(&w->rig);
}

/* Cancelled between the two INVITEs' answers: the second one is cancelled. */
static void test_cancel_after_420(void **state)
{
	struct world *w = *state;

	call_bob(w);
	ua_expect_invite(&w->bob);
	refuse_tag(&w->bob, REFUSES);
	ua_expect_invite(&w->bob);
	ua_reply(&w->bob, w->bob.invite, 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	ua_cancel(&w->alice);
	expect_refusal(&w->alice, "SIP/2.0 487");
	ua_reply(&w->bob, ua_expect(&w->bob, "CANCEL "), 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 487, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* Each fork is asked, and asked again, for itself; the one that wins says what the call is. */
static void test_forks(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct ua *winner = i ? &w->bob_second : &w->bob;
		struct ua *loser = i ? &w->bob : &w->bob_second;

		ua_register_as(&w->bob_second, "bob", "");
		call_bob(w);
		ua_expect_invite(&w->bob);
		ua_expect_invite(&w->bob_second);
		if (!i) { /* else it is remembered */
			assert_true(has(w->bob.invite, REQUIRE));
			refuse_tag(&w->bob, REFUSES);
			ua_expect_invite(&w->bob);
		}
		assert_false(has(w->bob.invite, "Require:"));
		assert_true(has(w->bob_second.invite, REQUIRE));
		ua_reply(&w->bob, w->bob.invite, 183, "", w->answer);
		ua_expect(&w->alice, "SIP/2.0 183");
		assert_int_equal(fake_media_streams(&w->rig.media), 1);
		ua_reply(loser, loser->invite, 180, "", NULL);
		ua_expect(&w->alice, "SIP/2.0 180");
		answer(w, winner);
		ua_reply(loser, ua_expect(loser, "CANCEL "), 200, "", NULL);
		ua_reply(loser, loser->invite, 487, "", NULL);
		ua_expect(loser, "ACK ");
		assert_int_equal(fake_media_streams(&w->rig.media), i ? 0 : 1);
		ua_hang_up(&w->alice, winner);
	}
}

/* The default: segued itself answers for the far end. */
static void test_anchor_always(void **state)
{
	struct world *w = *state;

	w->rig.config.handover_anchor = CONFIG_ANCHOR_ALWAYS;
	call_bob(w);
	assert_false(has(ua_expect_invite(&w->bob), "Require:"));
	assert_string_not_equal(ua_body(w->bob.invite), w->offer);
	answer(w, &w->bob);
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
}

/* Who does not ask for it is served by the relay. */
static void test_not_asked_for(void **state)
{
	struct world *w = *state;

	ua_invite(&w->alice, "bob", "Supported: handover\r\n", w->offer);
	assert_false(has(ua_expect_invite(&w->bob), "Require:"));
	answer(w, &w->bob);
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
}

/* HH-8, probe: supported. The first answer tells; nobody waits for a 420. */
static void test_probe_supported(void **state)
{
	struct world *w = *state;

	w->rig.config.handover_probe = CONFIG_PROBE_SUPPORTED;
	call_bob(w);
	ua_expect_invite(&w->bob);
	assert_false(has(w->bob.invite, "Require:"));
	assert_non_null(strstr(header_of(w->bob.invite, "Supported"), "handover"));
	answer(w, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
	fake_media_tell(&w->rig.media);
	connect_assisted(w);
	ua_hang_up(&w->alice, &w->bob);
}

/* ---- a party moves ------------------------------------------------------------------------------
 */

static const char *new_sdp(void)
{
	return ua_sdp("198.51.100.77", 7000, "a=x-moved\r\n");
}

/* Alice's INVITE over her other network, and bob's; his second leg is w->bob_second. */
static const char *ask(struct world *w, const char *header)
{
	int fd = w->bob_second.peer.fd;
	const char *invite;

	ua_invite(&w->moved, "bob", naming(&w->alice, header), new_sdp());
	if (fd != w->bob.peer.fd)
		ua_close(&w->bob_second);
	w->bob_second = w->bob;
	w->bob_second.peer.fd = dup(w->bob.peer.fd);
	w->bob_second.branches += 100; /* of its own */
	invite = ua_expect_invite(&w->bob_second);
	expect_names(invite, &w->bob, header);
	assert_string_equal(ua_body(invite), new_sdp());
	assert_string_not_equal(header_of(invite, "Call-ID"), w->bob.call_id);
	return w->bob_second.invite;
}

static void accept_move(struct world *w)
{
	const char *text;
	char second[1024];

	snprintf(second, sizeof(second), "%s", ua_sdp("203.0.113.2", 5002, ""));
	ua_reply(&w->bob_second, w->bob_second.invite, 200, "", second);
	ua_expect(&w->bob_second, "ACK ");
	text = ua_expect(&w->moved, "SIP/2.0 200");
	assert_string_equal(ua_body(text), second);
	ua_ack(&w->moved, text, NULL);
	rig_run_ms(&w->rig.rig, 20);
}

static void hand_over(struct world *w)
{
	const char *invite = ask(w, "Handover");

	assert_true(has(invite, REQUIRE));
	accept_move(w);
	expect_nothing_relayed(w);
}

/* `who` says BYE in one of two pairs: it crosses to the other leg of that pair. */
static void leave(struct ua *who, struct ua *other)
{
	const char *bye;

	ua_request(who, "BYE", "", NULL);
	ua_expect(who, "SIP/2.0 200");
	bye = ua_expect(other, "BYE ");
	assert_string_equal(header_of(bye, "Call-ID"), other->call_id);
	ua_reply(other, bye, 200, "", NULL);
}

/* HH-11: the far end duplicates; HH-13 by each dialog's own BYE. */
static void test_handover(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	hand_over(w);
	leave(&w->alice, &w->bob);
	assert_int_equal(calls_count(w->rig.calls), 1);
	ua_hang_up(&w->moved, &w->bob_second);
	expect_nothing_relayed(w);
}

/* HH-15. */
static void test_abort(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	hand_over(w);
	leave(&w->moved, &w->bob_second);
	ua_hang_up(&w->bob, &w->alice);
}

static void test_moves_again(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	for (unsigned i = 0; i < 3; i++) {
		struct ua swap;

		hand_over(w);
		leave(&w->alice, &w->bob);
		swap = w->alice;
		w->alice = w->moved;
		w->moved = swap;
		swap = w->bob;
		w->bob = w->bob_second;
		w->bob_second = swap;
	}
	ua_hang_up(&w->alice, &w->bob);
}

/* Requests in each pair cross in that pair. */
static void test_pairs(void **state)
{
	struct world *w = *state;
	const char *text;

	connect_assisted(w);
	hand_over(w);
	ua_request(&w->bob_second, "INFO", "", NULL);
	text = ua_expect(&w->moved, "INFO ");
	assert_string_equal(header_of(text, "Call-ID"), w->moved.call_id);
	ua_reply(&w->moved, text, 200, "", NULL);
	ua_expect(&w->bob_second, "SIP/2.0 200");
	ua_request(&w->alice, "INVITE", "", w->offer);
	text = ua_expect(&w->bob, "INVITE ");
	assert_string_equal(header_of(text, "Call-ID"), w->bob.call_id);
	ua_reply(&w->bob, text, 200, "", w->answer);
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->bob, "ACK ");
	leave(&w->bob, &w->alice);
	ua_hang_up(&w->bob_second, &w->moved);
}

/* HH-2: the callee moves; he has to prove who he is. */
static void test_callee_moves(void **state)
{
	struct world *w = *state;
	const struct digest_credentials credentials = {.user = "bob", .password = "bob-secret"};
	struct sip_flow flow = {
		.proto = SIP_UDP, .local = w->bob_moved.peer.at, .remote = w->rig.rig.at[SIP_UDP]};
	struct buf headers = BUF_EMPTY;
	struct sip_verdict verdict;
	struct sip_message *challenge;
	struct ua second;
	const char *text;

	connect_assisted(w);
	ua_invite(&w->bob_moved, "alice", naming(&w->bob, "Handover"), new_sdp());
	text = ua_expect(&w->bob_moved, "SIP/2.0 401");
	assert_int_equal(sip_message_parse(&challenge, &flow, str_of(text), &verdict), 0);
	ack_refusal(&w->bob_moved, text);
	buf_add(&headers, str_of(naming(&w->bob, "Handover")));
	assert_int_equal(digest_answer(&headers, challenge, &credentials, STR("INVITE"),
				       str_of(w->bob_moved.target), 1),
			 0);
	sip_message_unref(challenge);
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_request(&w->bob_moved, "INVITE", headers.data, new_sdp());
	buf_free(&headers);
	second = w->alice;
	expect_names(ua_expect_invite(&second), &w->alice, "Handover");
	ua_reply(&second, second.invite, 200, "", w->offer);
	ua_expect(&second, "ACK ");
	ua_ack(&w->bob_moved, ua_expect(&w->bob_moved, "SIP/2.0 200"), NULL);
	leave(&w->bob, &w->alice);
	ua_hang_up(&second, &w->bob_moved);
	expect_nothing_relayed(w);
}

/* HH-4. */
static void test_not_the_owner(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ua_invite(&w->moved, "alice", naming(&w->bob, "Handover"), new_sdp()); /* the trunk does */
	expect_refusal(&w->moved, "SIP/2.0 401");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_no_offer(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ua_invite(&w->moved, "bob", naming(&w->alice, "Handover"), NULL);
	expect_refusal(&w->moved, "SIP/2.0 488");
	assert_int_equal(peer_drain(&w->bob.peer, ""), 0);
	ua_hang_up(&w->alice, &w->bob);
}

/* SG-41: the far end ends the replaced leg itself. */
static void test_replaces(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	assert_true(has(ask(w, "Replaces"), "Require: replaces\r\n"));
	accept_move(w);
	leave(&w->bob, &w->alice);
	ua_hang_up(&w->bob_second, &w->moved);
}

static void test_join(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	assert_true(has(ask(w, "Join"), "Require: join\r\n"));
	accept_move(w);
	leave(&w->alice, &w->bob);
	ua_hang_up(&w->moved, &w->bob_second);
}

/* A refusal that means no: it is passed on, the old path goes on. */
static void test_far_end_refuses(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ask(w, "Handover");
	ua_reply(&w->bob_second, w->bob_second.invite, 488, "Warning: 304 x \"no\"\r\n", NULL);
	ua_expect(&w->bob_second, "ACK ");
	assert_true(has(ua_expect(&w->moved, "SIP/2.0 488"), "Warning: 304 x \"no\""));
	ack_refusal(&w->moved, w->moved.peer.text);
	expect_nothing_relayed(w);
	ua_hang_up(&w->alice, &w->bob);
}

/* HH-16: nobody says BYE. */
static void test_window(void **state)
{
	struct world *w = *state;

	w->rig.config.handover_window_ms = 200;
	connect_assisted(w);
	hand_over(w);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&w->moved, &w->bob_second);
}

/* The operator ends one: both legs of the old pair go. */
static void test_operator(void **state)
{
	struct world *w = *state;
	json_t *list;
	const char *id;

	connect_assisted(w);
	hand_over(w);
	list = calls_list(w->rig.calls, 0);
	assert_true(json_is_false(json_object_get(json_array_get(list, 0), "anchored")));
	id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
	assert_int_equal(calls_handover_end(w->rig.calls, str_of(id), true), 0);
	json_decref(list);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&w->moved, &w->bob_second);
}

static void test_no_ack(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ask(w, "Handover");
	ua_reply(&w->bob_second, w->bob_second.invite, 200, "", w->answer);
	ua_expect(&w->bob_second, "ACK ");
	ua_learn(&w->moved, ua_expect(&w->moved, "SIP/2.0 200"));
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	ua_reply(&w->bob_second, ua_expect(&w->bob_second, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_cancel(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ask(w, "Handover");
	ua_reply(&w->bob_second, w->bob_second.invite, 180, "", NULL);
	rig_run_ms(&w->rig.rig, 20);
	ua_cancel(&w->moved);
	expect_refusal(&w->moved, "SIP/2.0 487");
	ua_reply(&w->bob_second, ua_expect(&w->bob_second, "CANCEL "), 200, "", NULL);
	ua_reply(&w->bob_second, w->bob_second.invite, 487, "", NULL);
	ua_hang_up(&w->alice, &w->bob);
}

/* The call ends, and the far end's 200 crosses our CANCEL: ACK and BYE. */
static void test_call_ends_meanwhile(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ask(w, "Handover");
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	expect_refusal(&w->moved, "SIP/2.0 487");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_reply(&w->bob_second, w->bob_second.invite, 200, "", w->answer);
	ua_expect(&w->bob_second, "ACK ");
	ua_reply(&w->bob_second, ua_expect(&w->bob_second, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_second_at_once(void **state)
{
	struct world *w = *state;
	struct ua third;

	connect_assisted(w);
	hand_over(w);
	third = w->alice;
	ua_invite(&third, "bob", naming(&w->alice, "Handover"), new_sdp());
	expect_refusal(&third, "SIP/2.0 491");
	leave(&w->alice, &w->bob);
	ua_hang_up(&w->moved, &w->bob_second);
}

/* ---- late anchoring -----------------------------------------------------------------------------
 */

static void refuse_move(struct world *w, int status)
{
	ask(w, "Handover");
	ua_reply(&w->bob_second, w->bob_second.invite, status, "", NULL);
	ua_expect(&w->bob_second, "ACK ");
}

/* The far end is led to the relay, and then the old leg, before the new one hears of anything: what
 * that was told is in w->led. */
static void expect_anchored(struct world *w)
{
	const char *text;

	/* The relay knows both before the far end is told. */
	text = ua_expect(&w->bob, "INVITE ");
	assert_string_equal(header_of(text, "Call-ID"), w->bob.call_id);
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	assert_null(strstr(ua_body(text), "198.51.100"));
	assert_non_null(strstr(ua_body(text), "o=- 1 2 "));
	ua_reply(&w->bob, text, 200, "", w->answer);
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "INVITE ");
	assert_string_equal(header_of(text, "Call-ID"), w->alice.call_id);
	assert_null(strstr(ua_body(text), "203.0.113.2"));
	snprintf(w->led, sizeof(w->led), "%s", text);
	rig_run_ms(&w->rig.rig, 20);
	assert_int_equal(peer_drain(&w->moved.peer, "SIP/2.0 200"), 0);
	assert_null(strstr(w->rig.media.story, "join a to"));
}

/* The new leg joins in the relay; the far end hears nothing more (HH-13: of an anchored call). */
static void expect_joined(struct world *w)
{
	const char *text = ua_expect(&w->moved, "SIP/2.0 200");
	char remote[64];

	assert_null(strstr(ua_body(text), "203.0.113.2"));
	ua_ack(&w->moved, text, NULL);
	netaddr_format(&fake_media_only(&w->rig.media)->path[SG_SIDE_A].remote, remote);
	assert_string_equal(remote, "198.51.100.1:4000");
	assert_non_null(strstr(w->rig.media.story, "join a to 198.51.100.77:7000"));
	rig_run_ms(&w->rig.rig, 20);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	assert_int_equal(peer_drain(&w->bob.peer, ""), 0);
	ua_hang_up(&w->moved, &w->bob);
	fake_media_tell(&w->rig.media);
}

static void test_late_anchoring(void **state)
{
	static const int refusals[] = {481, 420, 408};
	struct world *w = *state;

	for (unsigned i = 0; i < 3; i++) {
		connect_assisted(w);
		refuse_move(w, refusals[i]);
		expect_anchored(w);
		ua_reply(&w->alice, w->led, 200, "", w->offer);
		ua_expect(&w->alice, "ACK ");
		expect_joined(w);
	}
}

/* The old network is dead: what is in its place knows no call, and ours goes on. */
static void test_late_anchoring_old_leg_dead(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	refuse_move(w, 481);
	expect_anchored(w);
	ua_reply(&w->alice, w->led, 481, "", NULL);
	ua_expect(&w->alice, "ACK ");
	expect_joined(w);
}

/* Nobody answers there: the mover is not kept waiting. An answer that comes late is confirmed. */
static void test_late_anchoring_old_leg_silent(void **state)
{
	struct world *w = *state;
	const char *text;

	connect_assisted(w);
	refuse_move(w, 481);
	expect_anchored(w);
	text = ua_expect(&w->moved, "SIP/2.0 200"); /* of itself, in half a second */
	ua_ack(&w->moved, text, NULL);
	ua_reply(&w->alice, w->led, 200, "", w->offer);
	ua_expect(&w->alice, "ACK ");
	rig_run_ms(&w->rig.rig, 20);
	assert_int_equal(calls_count(w->rig.calls), 1);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_hang_up(&w->moved, &w->bob);
}

/* The ACK was lost: the answer to what we ask the caller comes again, and so does the ACK. */
static void test_late_anchoring_ack_again(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	refuse_move(w, 481);
	expect_anchored(w);
	for (int i = 0; i < 2; i++) {
		ua_reply(&w->alice, w->led, 200, "", w->offer);
		ua_expect(&w->alice, "ACK ");
	}
	expect_joined(w);
}

/* Not even that: the mover hears the far end's first word, and nothing has changed. */
static void test_late_anchoring_refused(void **state)
{
	struct world *w = *state;
	const char *text;

	connect_assisted(w);
	refuse_move(w, 420);
	text = ua_expect(&w->bob, "INVITE ");
	ua_reply(&w->bob, text, 488, "", NULL);
	ua_expect(&w->bob, "ACK ");
	expect_refusal(&w->moved, "SIP/2.0 420");
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	assert_int_equal(w->rig.media.reserved, 0);
	fake_media_tell(&w->rig.media);
	hand_over(w); /* it is as it was: the far end may think again */
	leave(&w->alice, &w->bob);
	ua_hang_up(&w->moved, &w->bob_second);
}

static void test_late_anchoring_no_relay(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	w->rig.media.refuse = -ENOSPC;
	refuse_move(w, 481);
	expect_refusal(&w->moved, "SIP/2.0 481");
	assert_int_equal(peer_drain(&w->bob.peer, "INVITE "), 0);
	w->rig.media.refuse = 0;
	ua_hang_up(&w->alice, &w->bob);
}

/* The relay takes its time, and the mover gives up meanwhile; or the call ends. */
static void begin_and_cancel(struct world *w)
{
	connect_assisted(w);
	w->rig.media.slow = true;
	refuse_move(w, 481);
	call_rig_until(&w->rig, fake_media_streams(&w->rig.media) == 1);
	ua_cancel(&w->moved);
	ua_expect(&w->moved, "SIP/2.0 200");
	w->rig.media.slow = false;
	fake_media_finish(&w->rig.media, 0);
	expect_anchored(w); /* all the same: the far end has agreed */
}

static void test_late_anchoring_is_cancelled(void **state)
{
	struct world *w = *state;

	begin_and_cancel(w);
	ua_reply(&w->alice, w->led, 200, "", w->offer);
	ua_expect(&w->alice, "ACK ");
	expect_refusal(&w->moved, "SIP/2.0 487");
	rig_run_ms(&w->rig.rig, 20);
	ua_hang_up(&w->alice, &w->bob);
}

/* The old leg stays, so its answer is waited for, if not by the mover. */
static void test_late_anchoring_is_cancelled_silent(void **state)
{
	struct world *w = *state;

	begin_and_cancel(w);
	expect_refusal(&w->moved, "SIP/2.0 487"); /* in half a second */
	assert_int_equal(peer_drain(&w->alice.peer, "CANCEL "), 0);
	ua_reply(&w->alice, w->led, 200, "", w->offer);
	ua_expect(&w->alice, "ACK ");
	rig_run_ms(&w->rig.rig, 20);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_late_anchoring_old_leg_ends(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	refuse_move(w, 481);
	expect_anchored(w);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	expect_refusal(&w->moved, "SIP/2.0 487");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_reply(&w->alice, w->led, 487, "", NULL);
	ua_expect(&w->alice, "ACK ");
	call_rig_expect_empty(&w->rig);
}

static void test_late_anchoring_call_ends(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	w->rig.media.slow = true;
	refuse_move(w, 481);
	call_rig_until(&w->rig, fake_media_streams(&w->rig.media) == 1);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	expect_refusal(&w->moved, "SIP/2.0 487");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* It rings and rings: after the window it is led to the relay. */
static void test_far_end_does_not_answer(void **state)
{
	struct world *w = *state;
	const char *text;

	w->rig.config.handover_window_ms = 500;
	connect_assisted(w);
	ask(w, "Handover");
	ua_reply(&w->bob_second, w->bob_second.invite, 180, "", NULL);
	text = ua_expect(&w->bob, "INVITE "); /* passes the CANCEL over */
	assert_string_equal(header_of(text, "Call-ID"), w->bob.call_id);
	w->rig.config.handover_window_ms = 10000;
	ua_reply(&w->bob, text, 200, "", w->answer);
	ua_expect(&w->bob, "ACK ");
	ua_reply(&w->bob_second, w->bob_second.invite, 487, "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "INVITE "), 200, "", w->offer);
	ua_expect(&w->alice, "ACK ");
	ua_ack(&w->moved, ua_expect(&w->moved, "SIP/2.0 200"), NULL);
	rig_run_ms(&w->rig.rig, 20);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_hang_up(&w->moved, &w->bob);
}

/* ---- others -------------------------------------------------------------------------------------
 */

/* After kill -9 the pairs are known, and that nothing of them is in the relay. */
static void test_restart(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	hand_over(w);
	assert_int_equal(store_flush(w->rig.store), 0);
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 1);
	leave(&w->alice, &w->bob);
	ua_hang_up(&w->moved, &w->bob_second);
	expect_nothing_relayed(w);
}

static void test_refer_is_declined(void **state)
{
	struct world *w = *state;

	connect_assisted(w);
	ua_request(&w->alice, "REFER", "Refer-To: <sip:bob@example.net>\r\n", NULL);
	ua_expect(&w->alice, "SIP/2.0 603");
	ua_hang_up(&w->alice, &w->bob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_assisted),
		TEST(test_reinvite_crosses),
		TEST(test_early_media),
		TEST(test_420),
		TEST(test_420_is_remembered),
		TEST(test_420_after_180),
		TEST(test_420_for_more),
		TEST(test_420_for_less),
		TEST(test_420_twice),
		TEST(test_320),
		TEST(test_cancel_after_420),
		TEST(test_forks),
		TEST(test_anchor_always),
		TEST(test_not_asked_for),
		TEST(test_probe_supported),
		TEST(test_handover),
		TEST(test_abort),
		TEST(test_moves_again),
		TEST(test_pairs),
		TEST(test_callee_moves),
		TEST(test_not_the_owner),
		TEST(test_no_offer),
		TEST(test_replaces),
		TEST(test_join),
		TEST(test_far_end_refuses),
		TEST(test_window),
		TEST(test_operator),
		TEST(test_no_ack),
		TEST(test_cancel),
		TEST(test_call_ends_meanwhile),
		TEST(test_second_at_once),
		TEST(test_late_anchoring),
		TEST(test_late_anchoring_old_leg_dead),
		TEST(test_late_anchoring_old_leg_silent),
		TEST(test_late_anchoring_ack_again),
		TEST(test_late_anchoring_refused),
		TEST(test_late_anchoring_no_relay),
		TEST(test_late_anchoring_is_cancelled),
		TEST(test_late_anchoring_is_cancelled_silent),
		TEST(test_late_anchoring_old_leg_ends),
		TEST(test_late_anchoring_call_ends),
		TEST(test_far_end_does_not_answer),
		TEST(test_restart),
		TEST(test_refer_is_declined),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
