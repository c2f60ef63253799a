// SPDX-License-Identifier: BSD-2-Clause
/*
 * A second leg joins and one of two leaves: HH-1 to HH-4, HH-10, HH-13 to HH-16, SG-41. Bob, a
 * subscriber, is called by a trunk and moves; the far end must hear nothing of it.
 */
#include <stdio.h>

#include "sip/digest.h"
#include "ua.h"

struct world {
	struct call_rig rig;
	struct ua alice, bob, moved; /* bob's other network */
	char challenge[4096];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	w->rig.config.handover_window_ms = 10000;
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->moved, &w->rig, "bob", "127.0.0.44");
	ua_register(&w->bob, "");
	ua_connect(&w->alice, &w->bob);
	fake_media_tell(&w->rig.media);
	peer_drain(&w->bob.peer, "");
	peer_drain(&w->alice.peer, "");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->bob);
	ua_close(&w->moved);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

static const char *tag_of(const char *party)
{
	const char *tag = strstr(party, ";tag=");

	return tag ? tag + 5 : "";
}

/* The header that names bob's dialog, as he sees it: to-tag is segued's, from-tag his own. */
static const char *naming(const struct world *w, const char *header)
{
	static char text[4][512];
	static unsigned turn;
	char *out = text[turn++ % 4];

	snprintf(out, sizeof(text[0]), "%s: %s;from-tag=%s;to-tag=%s\r\n", header, w->bob.call_id,
		 tag_of(w->bob.from), tag_of(w->bob.to));
	return out;
}

static const char *new_sdp(void)
{
	return ua_sdp("203.0.113.77", 7000, "");
}

static void ask_plain(struct world *w, const char *headers, const char *sdp)
{
	ua_invite(&w->moved, "alice", headers, sdp);
}

/* ACK of a final response that is no 2xx: the transaction's, with its branch. */
static void ack_refusal(struct ua *ua, const char *response)
{
	peer_send(&ua->peer, &ua->rig->rig.at[SIP_UDP],
		  "ACK %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"
		  "Call-ID: %s\r\nCSeq: %u ACK\r\nContent-Length: 0\r\n\r\n",
		  ua->target, header_of(response, "Via"), ua->from, header_of(response, "To"),
		  ua->call_id, ua->cseq);
}

static void expect_refusal(struct world *w, const char *start)
{
	snprintf(w->challenge, sizeof(w->challenge), "%s", ua_expect(&w->moved, start));
	ack_refusal(&w->moved, w->challenge);
}

/* Authorization for the last 401 or 407, by that user. */
static void prove(struct world *w, const char *user, struct buf *out)
{
	char password[64];
	const struct digest_credentials credentials = {.user = user, .password = password};
	struct sip_flow flow = {
		.proto = SIP_UDP, .local = w->moved.peer.at, .remote = w->rig.rig.at[SIP_UDP]};
	struct sip_verdict verdict;
	struct sip_message *challenge;

	snprintf(password, sizeof(password), "%s-secret", user);
	assert_int_equal(sip_message_parse(&challenge, &flow, str_of(w->challenge), &verdict), 0);
	assert_int_equal(digest_answer(out, challenge, &credentials, STR("INVITE"),
				       str_of(w->moved.target), 1),
			 0);
	sip_message_unref(challenge);
}

/* The INVITE, challenged and sent again with credentials. */
static void ask_as(struct world *w, const char *user, const char *headers, const char *sdp)
{
	struct buf all = BUF_EMPTY;

	ask_plain(w, headers, sdp);
	expect_refusal(w, "SIP/2.0 401");
	buf_add(&all, str_of(headers));
	prove(w, user, &all);
	ua_request(&w->moved, "INVITE", all.data, sdp);
	buf_free(&all);
}

static void ask(struct world *w, const char *headers, const char *sdp)
{
	ask_as(w, "bob", headers, sdp);
}

static void expect_untouched(struct world *w)
{
	assert_string_equal(w->rig.media.story, "");
	assert_int_equal(w->rig.media.reserved, 0);
	ua_hang_up(&w->alice, &w->bob);
}

static void hand_over(struct world *w)
{
	const char *text;

	ask(w, naming(w, "Handover"), new_sdp());
	text = ua_expect(&w->moved, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "join b to 203.0.113.77:7000; ");
	assert_true(ua_port(text) != 0);
	ua_ack(&w->moved, text, NULL);
	rig_run_ms(&w->rig.rig, 20);
	fake_media_tell(&w->rig.media);
}

/* HH-10, HH-13: joins, then the old leg's BYE takes its path away. The far end hears no SIP. */
static void test_soft_handover(void **state)
{
	struct world *w = *state;

	hand_over(w);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->moved);
}

/* The record of the call has the report of its handover. */
static void test_record(void **state)
{
	struct world *w = *state;
	json_t *details, *report;

	hand_over(w);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->alice, &w->moved);
	details = call_rig_cdr_details(&w->rig);
	report = json_array_get(json_object_get(details, "handovers"), 0);
	assert_string_equal(json_string_value(json_object_get(report, "state")), "finished");
	assert_true(json_is_integer(json_object_get(report, "changed_us")));
	assert_int_equal(json_array_size(json_object_get(details, "streams")), 1);
	json_decref(details);
}

/* The other way round: the new leg is the one that hangs up afterwards. */
static void test_new_leg_hangs_up(void **state)
{
	struct world *w = *state;

	hand_over(w);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->moved, &w->alice);
}

/* HH-14: the old dialog's BYE comes over the new network: believed with credentials only. */
static void test_bye_over_new(void **state)
{
	struct world *w = *state;
	struct peer old = w->bob.peer;

	hand_over(w);
	w->bob.peer = w->moved.peer;
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 407");
	assert_string_equal(w->rig.media.story, "");
	w->bob.peer = old;
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->alice, &w->moved);
}

/* HH-15: BYE on the new dialog: the old path alone, the call stays up. */
static void test_abort(void **state)
{
	struct world *w = *state;

	hand_over(w);
	ua_request(&w->moved, "BYE", "", NULL);
	ua_expect(&w->moved, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "leave b 1; ");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->bob);
}

/* HH-16: nobody says BYE: one leg is kept, the other one gets a BYE, once. */
static void test_window(void **state)
{
	struct world *w = *state;

	w->rig.config.handover_window_ms = 200;
	hand_over(w);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	ua_hang_up(&w->alice, &w->moved);
}

/* PH-10: the 200 is never acknowledged: the new leg goes, the old one plays on. */
static void test_no_ack(void **state)
{
	struct world *w = *state;

	ask(w, naming(w, "Handover"), new_sdp());
	ua_learn(&w->moved, ua_expect(&w->moved, "SIP/2.0 200"));
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	assert_non_null(strstr(w->rig.media.story, "leave b 1; "));
	ua_hang_up(&w->alice, &w->bob);
}

static void test_replaces(void **state)
{
	struct world *w = *state;
	const char *text;

	ask(w, naming(w, "Replaces"), new_sdp());
	text = ua_expect(&w->moved, "SIP/2.0 200");
	ua_ack(&w->moved, text, NULL);
	/* RFC 3891 3: whoever replaces ends what it replaced: here the party itself. */
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->alice, &w->moved);
}

/* The call ends while both are there: each leg gets its BYE. */
static void test_far_end_hangs_up(void **state)
{
	struct world *w = *state;

	hand_over(w);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* ---- refusals: nothing has moved ---------------------------------------------------------------
 */

static void test_no_credentials(void **state)
{
	struct world *w = *state;

	ask_plain(w, naming(w, "Handover"), new_sdp());
	expect_refusal(w, "SIP/2.0 401");
	expect_untouched(w);
}

/* HH-4: who knows our nonce from a 407 pays no round trip for the proof. */
static void test_proof_ahead(void **state)
{
	struct world *w = *state;
	struct buf all = BUF_EMPTY;

	ask_plain(w, "", new_sdp());
	expect_refusal(w, "SIP/2.0 407");
	buf_add(&all, str_of(naming(w, "Handover")));
	prove(w, "bob", &all);
	assert_non_null(strstr(all.data, "Proxy-Authorization"));
	ask_plain(w, all.data, new_sdp());
	buf_free(&all);
	ua_ack(&w->moved, ua_expect(&w->moved, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "join b to 203.0.113.77:7000; ");
}

static void test_other_user(void **state)
{
	struct world *w = *state;
	struct ua eve;

	ua_open(&eve, &w->rig, "eve", "127.0.0.66");
	ua_register(&eve, "");
	ask_as(w, "eve", naming(w, "Handover"), new_sdp());
	expect_refusal(w, "SIP/2.0 403");
	expect_untouched(w);
	ua_close(&eve);
}

static void test_wrong_tag(void **state)
{
	struct world *w = *state;
	char headers[512];

	snprintf(headers, sizeof(headers), "Handover: %s;to-tag=%s;from-tag=wrong\r\n",
		 w->bob.call_id, tag_of(w->bob.to));
	ask_plain(w, headers, new_sdp());
	expect_refusal(w, "SIP/2.0 481");
	expect_untouched(w);
}

/* HH-2: the tags are told apart. */
static void test_tags_swapped(void **state)
{
	struct world *w = *state;
	char headers[512];

	snprintf(headers, sizeof(headers), "Handover: %s;from-tag=%s;to-tag=%s\r\n", w->bob.call_id,
		 tag_of(w->bob.to), tag_of(w->bob.from));
	ask_plain(w, headers, new_sdp());
	expect_refusal(w, "SIP/2.0 481");
	expect_untouched(w);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"Handover: no-tags\r\n",
		"Handover: x;to-tag=a\r\n",
		"Handover: x;to-tag=a;to-tag=b;from-tag=c\r\n",
		"Handover: x;to-tag=a;from-tag=c\r\nHandover: x;to-tag=a;from-tag=c\r\n",
		"Handover: x;to-tag=a;from-tag=c\r\nReplaces: x;to-tag=a;from-tag=c\r\n",
		"Handover: x;to-tag=a;from-tag=c\r\nJoin: x;to-tag=a;from-tag=c\r\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_plain(w, bad[i], new_sdp());
		expect_refusal(w, "SIP/2.0 400");
	}
	expect_untouched(w);
}

static void test_other_media(void **state)
{
	struct world *w = *state;

	ask(w, naming(w, "Handover"),
	    ua_sdp("203.0.113.77", 7000, "m=video 7002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"));
	expect_refusal(w, "SIP/2.0 488");
	expect_untouched(w);
}

static void test_no_common_codec(void **state)
{
	struct world *w = *state;

	ask(w, naming(w, "Handover"),
	    "v=0\r\no=- 1 1 IN IP4 203.0.113.77\r\ns=-\r\nc=IN IP4 203.0.113.77\r\nt=0 0\r\n"
	    "m=audio 7000 RTP/AVP 18\r\n");
	expect_refusal(w, "SIP/2.0 488");
	expect_untouched(w);
}

static void test_no_offer(void **state)
{
	struct world *w = *state;

	ask(w, naming(w, "Handover"), NULL);
	expect_refusal(w, "SIP/2.0 488");
	expect_untouched(w);
}

/* The relay cannot (its answer comes late, or at once): the old path plays on. */
static void test_relay_refuses(void **state)
{
	struct world *w = *state;

	w->rig.media.slow = true;
	ask(w, naming(w, "Handover"), new_sdp());
	call_rig_until(&w->rig, fake_media_finish(&w->rig.media, -EHOSTUNREACH));
	expect_refusal(w, "SIP/2.0 488");
	w->rig.media.slow = false;
	ua_hang_up(&w->alice, &w->bob);
}

/* The far end hangs up while the relay looks for the next hop. */
static void test_call_ends_while_joining(void **state)
{
	struct world *w = *state;

	w->rig.media.slow = true;
	ask(w, naming(w, "Handover"), new_sdp());
	call_rig_until(&w->rig, strstr(w->rig.media.story, "join"));
	w->rig.media.slow = false;
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	expect_refusal(w, "SIP/2.0 487");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_cancel_while_joining(void **state)
{
	struct world *w = *state;

	w->rig.media.slow = true;
	ask(w, naming(w, "Handover"), new_sdp());
	call_rig_until(&w->rig, strstr(w->rig.media.story, "join"));
	ua_cancel(&w->moved);
	ua_expect(&w->moved, "SIP/2.0 200");
	w->rig.media.slow = false;
	assert_int_equal(fake_media_finish(&w->rig.media, 0), 1);
	expect_refusal(w, "SIP/2.0 487");
	assert_non_null(strstr(w->rig.media.story, "leave b 1; "));
	ua_hang_up(&w->alice, &w->bob);
}

/* One at a time for a party. */
static void test_second_at_once(void **state)
{
	struct world *w = *state;
	struct ua third = w->moved;

	hand_over(w);
	ask(w, naming(w, "Handover"), new_sdp());
	expect_refusal(w, "SIP/2.0 491");
	w->moved = third;
	assert_string_equal(w->rig.media.story, "");
	/* The first one's dialog is what `moved` was before it asked again: the far end ends all.
	 */
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* HH-3: a dialog that is over is 603, one that never was 481. */
static void test_over(void **state)
{
	struct world *w = *state;
	char headers[512];

	snprintf(headers, sizeof(headers), "%s", naming(w, "Handover"));
	ua_hang_up(&w->alice, &w->bob);
	ask_plain(w, headers, new_sdp());
	expect_refusal(w, "SIP/2.0 603");
	call_rig_expect_empty(&w->rig);
}

static void test_join_is_refused(void **state)
{
	struct world *w = *state;

	ask_plain(w, naming(w, "Join"), new_sdp());
	expect_refusal(w, "SIP/2.0 488");
	expect_untouched(w);
}

/* ---- backup sessions (PH-7 to PH-10) -------------------------------------------------------- */

/* An INVITE of the moved party with bob's Call-ID, a From tag of its own, and credentials. */
static void ask_backup(struct world *w, const char *user, const char *sdp)
{
	struct buf proof = BUF_EMPTY;

	snprintf(w->moved.call_id, sizeof(w->moved.call_id), "%s", w->bob.call_id);
	snprintf(w->moved.from, sizeof(w->moved.from), "<sip:bob@example.net>;tag=backup");
	snprintf(w->moved.to, sizeof(w->moved.to), "<sip:alice@example.net>");
	snprintf(w->moved.target, sizeof(w->moved.target), "sip:alice@example.net");
	ua_request(&w->moved, "INVITE", "", sdp);
	expect_refusal(w, "SIP/2.0 401");
	prove(w, user, &proof);
	ua_request(&w->moved, "INVITE", proof.data, sdp);
	buf_free(&proof);
}

static void stand_by(struct world *w)
{
	const char *text;

	ask_backup(w, "bob", ua_sdp("203.0.113.77", 7000, "a=sendonly\r\n"));
	text = ua_expect(&w->moved, "SIP/2.0 200");
	assert_non_null(strstr(text, "a=recvonly"));
	assert_string_equal(w->rig.media.story, "join b to 203.0.113.77:7000; set b 1 000; ");
	ua_ack(&w->moved, text, NULL);
	rig_run_ms(&w->rig.rig, 20);
	fake_media_tell(&w->rig.media);
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
}

/* PH-9: on the re-INVITE itself, before the ACK: the new path carries, the old one is heard on. */
static void test_backup_takes_over(void **state)
{
	struct world *w = *state;
	const char *text;

	stand_by(w);
	ua_request(&w->moved, "INVITE", "", ua_sdp("203.0.113.77", 7000, ""));
	text = ua_expect(&w->moved, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "set b 1 111; set b 0 010; ");
	ua_ack(&w->moved, text, NULL);
	fake_media_tell(&w->rig.media);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->moved);
}

/* And back; then PH-8: the main one's BYE ends the call and the one that stands by. */
static void test_backup_and_back(void **state)
{
	struct world *w = *state;

	stand_by(w);
	ua_request(&w->moved, "INVITE", "", ua_sdp("203.0.113.77", 7000, ""));
	ua_ack(&w->moved, ua_expect(&w->moved, "SIP/2.0 200"), NULL);
	rig_run_ms(&w->rig.rig, 20);
	fake_media_tell(&w->rig.media);
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, ""));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "set b 0 111; set b 1 010; ");
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* PH-10: the former one carries the call again. */
static void test_backup_not_acknowledged(void **state)
{
	struct world *w = *state;

	stand_by(w);
	ua_request(&w->moved, "INVITE", "", ua_sdp("203.0.113.77", 7000, ""));
	ua_expect(&w->moved, "SIP/2.0 200");
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	assert_non_null(strstr(w->rig.media.story, "set b 0 111; set b 1 010; leave b 1; "));
	ua_hang_up(&w->alice, &w->bob);
}

static void test_backup_of_another(void **state)
{
	struct world *w = *state;
	struct ua eve;

	ua_open(&eve, &w->rig, "eve", "127.0.0.66");
	ua_register(&eve, "");
	ask_backup(w, "eve", ua_sdp("203.0.113.77", 7000, "a=sendonly\r\n"));
	expect_refusal(w, "SIP/2.0 403");
	expect_untouched(w);
	ua_close(&eve);
}

/* ---- triggers (HH-21) ----------------------------------------------------------------------- */

static uint64_t clock_ns(void)
{
	return wheel_now_ms() * 1000000u;
}

static void test_old_link_down(void **state)
{
	struct world *w = *state;

	hand_over(w);
	fake_media_report(fake_media_only(&w->rig.media), MEDIA_LINK_DOWN, SG_SIDE_B, 0);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	ua_hang_up(&w->alice, &w->moved);
}

static void test_new_link_down(void **state)
{
	struct world *w = *state;

	hand_over(w);
	fake_media_report(fake_media_only(&w->rig.media), MEDIA_LINK_DOWN, SG_SIDE_B, 1);
	ua_reply(&w->moved, ua_expect(&w->moved, "BYE "), 200, "", NULL);
	assert_string_equal(w->rig.media.story, "leave b 1; ");
	ua_hang_up(&w->alice, &w->bob);
}

/* The old path is silent while the new one is heard: it is dead. */
static void test_old_path_silent(void **state)
{
	struct world *w = *state;
	struct media_stream *stream = fake_media_only(&w->rig.media);

	w->rig.config.handover_silence_ms = 500;
	hand_over(w);
	stream->last_packet_ns = clock_ns();
	for (unsigned i = 0; i < 200 && !*w->rig.media.story; i++) {
		stream->joined_ns[SG_SIDE_B] = clock_ns();
		rig_run_ms(&w->rig.rig, 20);
	}
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_hang_up(&w->alice, &w->moved);
}

/* Both are silent: a pause, and nobody is dead. */
static void test_pause(void **state)
{
	struct world *w = *state;
	struct media_stream *stream = fake_media_only(&w->rig.media);

	w->rig.config.handover_silence_ms = 500;
	hand_over(w);
	stream->last_packet_ns = stream->joined_ns[SG_SIDE_B] = clock_ns();
	rig_run_ms(&w->rig.rig, 1200);
	assert_string_equal(w->rig.media.story, "");
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_hang_up(&w->alice, &w->moved);
}

/* ---- begun by the operator ------------------------------------------------------------------ */

static void first_call(struct world *w, char id[64])
{
	json_t *list = calls_list(w->rig.calls, 0);

	snprintf(id, 64, "%s", json_string_value(json_object_get(json_array_get(list, 0), "id")));
	json_decref(list);
}

/* bob's second network is asked to take the call over, by the name that bob knows it by. */
static void ask_other_network(struct world *w)
{
	const char *invite;
	char id[64];

	ua_register(&w->moved, "");
	first_call(w, id);
	assert_int_equal(calls_handover_start(w->rig.calls, str_of(id)), 0);
	invite = ua_expect_invite(&w->moved);
	assert_non_null(strstr(invite, w->bob.call_id));
	assert_non_null(strstr(header_of(invite, "Replaces"), tag_of(w->bob.from)));
	assert_string_equal(w->rig.media.story, "");
}

static void test_operator_starts(void **state)
{
	struct world *w = *state;

	ask_other_network(w);
	ua_reply(&w->moved, w->moved.invite, 200, "", new_sdp());
	ua_expect(&w->moved, "ACK ");
	call_rig_until(&w->rig, *w->rig.media.story);
	assert_string_equal(w->rig.media.story, "join b to 203.0.113.77:7000; ");
	fake_media_tell(&w->rig.media);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "leave b 0; ");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	ua_hang_up(&w->alice, &w->moved);
}

static void test_operator_is_refused(void **state)
{
	struct world *w = *state;

	ask_other_network(w);
	ua_reply(&w->moved, w->moved.invite, 486, "", NULL);
	ua_expect(&w->moved, "ACK ");
	rig_run_ms(&w->rig.rig, 20);
	expect_untouched(w);
}

static void test_operator_finds_nobody(void **state)
{
	struct world *w = *state;
	char id[64];

	first_call(w, id);
	assert_int_equal(calls_handover_start(w->rig.calls, str_of(id)), -ESRCH);
	assert_int_equal(calls_handover_start(w->rig.calls, STR("no-such-call")), -ENOENT);
	expect_untouched(w);
}

/* The call ends while the other network is asked: it gets a CANCEL. */
static void test_call_ends_while_asking(void **state)
{
	struct world *w = *state;
	const char *cancel;

	ask_other_network(w);
	ua_reply(&w->moved, w->moved.invite, 180, "", NULL);
	rig_run_ms(&w->rig.rig, 20);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	cancel = ua_expect(&w->moved, "CANCEL ");
	ua_reply(&w->moved, cancel, 200, "", NULL);
	ua_reply(&w->moved, w->moved.invite, 487, "", NULL);
	ua_expect(&w->moved, "ACK ");
	call_rig_expect_empty(&w->rig);
}

/* ---- the report
 * ---------------------------------------------------------------------------------- */

static void test_report(void **state)
{
	struct world *w = *state;
	json_t *show, *report;
	char id[64];

	first_call(w, id);
	hand_over(w);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	show = calls_show(w->rig.calls, str_of(id));
	report = json_array_get(json_object_get(show, "handover_reports"), 0);
	assert_string_equal(json_string_value(json_object_get(report, "state")), "finished");
	assert_string_equal(json_string_value(json_object_get(report, "scheme")), "handover");
	assert_true(json_is_integer(json_object_get(report, "changed_us")));
	assert_true(json_integer_value(json_object_get(report, "answered_us")) >=
		    json_integer_value(json_object_get(report, "changed_us")));
	assert_true(json_is_null(json_object_get(report, "first_new_us")));
	json_decref(show);
	/* Looked at early, it goes on counting: the first packet is still on its way. */
	fake_media_report(fake_media_only(&w->rig.media), MEDIA_FIRST_PACKET, SG_SIDE_B, 1);
	show = calls_show(w->rig.calls, str_of(id));
	report = json_array_get(json_object_get(show, "handover_reports"), 0);
	assert_true(json_is_integer(json_object_get(report, "first_new_us")));
	json_decref(show);
	ua_hang_up(&w->alice, &w->moved);
}

/* The place of a step in the story; a message of the third leg where `direction` is said. */
static size_t place_of(json_t *call, const char *what, const char *direction, int status)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(call, "steps"), i, step)
	{
		const char *said = json_string_value(json_object_get(step, "direction"));

		if (!strcmp(json_string_value(json_object_get(step, "what")), what) &&
		    json_integer_value(json_object_get(step, "status")) == status &&
		    (direction ? said && !strcmp(said, direction) &&
					 json_integer_value(json_object_get(step, "leg")) == 3
			       : !said))
			return i;
	}
	fail_msg("the story has no %s", what);
	return 0;
}

/* The path joins between the INVITE and its 200 ("map first"), and leaves when the old leg does. */
static void test_story(void **state)
{
	struct world *w = *state;
	json_t *list = calls_list(w->rig.calls, 0), *call;
	const char *id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
	size_t joins;

	hand_over(w);
	fake_media_report(fake_media_only(&w->rig.media), MEDIA_FIRST_PACKET, SG_SIDE_B, 1);
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	call = calls_show(w->rig.calls, str_of(id));
	joins = place_of(call, "path joins", NULL, 0);
	assert_true(place_of(call, "INVITE", "in", 0) < joins);
	assert_true(joins < place_of(call, "INVITE", "out", 200));
	assert_true(place_of(call, "first packet", NULL, 0) <
		    place_of(call, "path leaves", NULL, 0));
	assert_int_equal(json_array_size(json_object_get(call, "parties")), 3);
	json_decref(call);
	json_decref(list);
	ua_hang_up(&w->alice, &w->moved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_soft_handover),
		TEST(test_record),
		TEST(test_new_leg_hangs_up),
		TEST(test_bye_over_new),
		TEST(test_abort),
		TEST(test_window),
		TEST(test_no_ack),
		TEST(test_replaces),
		TEST(test_far_end_hangs_up),
		TEST(test_no_credentials),
		TEST(test_proof_ahead),
		TEST(test_other_user),
		TEST(test_wrong_tag),
		TEST(test_tags_swapped),
		TEST(test_malformed),
		TEST(test_other_media),
		TEST(test_no_common_codec),
		TEST(test_no_offer),
		TEST(test_relay_refuses),
		TEST(test_call_ends_while_joining),
		TEST(test_cancel_while_joining),
		TEST(test_second_at_once),
		TEST(test_over),
		TEST(test_join_is_refused),
		TEST(test_backup_takes_over),
		TEST(test_backup_and_back),
		TEST(test_backup_not_acknowledged),
		TEST(test_backup_of_another),
		TEST(test_old_link_down),
		TEST(test_new_link_down),
		TEST(test_old_path_silent),
		TEST(test_pause),
		TEST(test_operator_starts),
		TEST(test_operator_is_refused),
		TEST(test_operator_finds_nobody),
		TEST(test_call_ends_while_asking),
		TEST(test_report),
		TEST(test_story),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
