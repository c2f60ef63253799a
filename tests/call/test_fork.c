// SPDX-License-Identifier: BSD-2-Clause
/* Several contacts of one callee: all at once, one after the other, and who answers first (SG-21,
 * SG-22). */
#include "ua.h"

struct world {
	struct call_rig rig;
	struct ua alice, desk, mobile;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->desk, &w->rig, "desk", "127.0.0.3");
	ua_open(&w->mobile, &w->rig, "mobile", "127.0.0.4");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->desk);
	ua_close(&w->mobile);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

static void ring_both(struct world *w)
{
	ua_register_as(&w->desk, "bob", "");
	ua_register_as(&w->mobile, "bob", "");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->desk);
	ua_expect_invite(&w->mobile);
	ua_reply(&w->desk, w->desk.invite, 180, "", NULL);
	ua_reply(&w->mobile, w->mobile.invite, 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	ua_expect(&w->alice, "SIP/2.0 180");
}

static void cancelled(struct ua *ua)
{
	ua_reply(ua, ua_expect(ua, "CANCEL "), 200, "", NULL);
	ua_reply(ua, ua->invite, 487, "", NULL);
	ua_expect(ua, "ACK ");
}

static void test_parallel(void **state)
{
	struct world *w = *state;

	ring_both(w);
	ua_reply(&w->mobile, w->mobile.invite, 200, "", ua_sdp("203.0.113.4", 5000, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	cancelled(&w->desk);
	ua_expect(&w->mobile, "ACK ");
	ua_hang_up(&w->mobile, &w->alice);
}

/* Both answer: the first one wins, the other one gets ACK and BYE. */
static void test_double_answer(void **state)
{
	struct world *w = *state;

	ring_both(w);
	ua_reply(&w->mobile, w->mobile.invite, 200, "", ua_sdp("203.0.113.4", 5000, ""));
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->desk, w->desk.invite, 200, "", ua_sdp("203.0.113.3", 5000, ""));
	ua_ack(&w->alice, w->alice.peer.text, NULL);
	ua_expect(&w->desk, "ACK ");
	ua_reply(&w->desk, ua_expect(&w->desk, "BYE "), 200, "", NULL);
	ua_expect(&w->mobile, "ACK ");
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_B].remote.addr[15], 4);
	ua_hang_up(&w->alice, &w->mobile);
}

/* One refuses, the other one still rings; when all have refused, the best answer is passed on. */
static void test_all_refuse(void **state)
{
	struct world *w = *state;

	ring_both(w);
	ua_reply(&w->desk, w->desk.invite, 503, "", NULL);
	ua_expect(&w->desk, "ACK ");
	ua_reply(&w->mobile, w->mobile.invite, 486, "", NULL);
	ua_expect(&w->mobile, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 486");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_declined_everywhere(void **state)
{
	struct world *w = *state;

	ring_both(w);
	ua_reply(&w->desk, w->desk.invite, 603, "", NULL);
	ua_expect(&w->desk, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 603");
	ua_request(&w->alice, "ACK", "", NULL);
	cancelled(&w->mobile);
	call_rig_expect_empty(&w->rig);
}

static void test_sequential(void **state)
{
	struct world *w = *state;

	ua_register_as(&w->desk, "bob", ";q=0.9");
	ua_register_as(&w->mobile, "bob", ";q=0.2");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->desk);
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->mobile.peer, "INVITE "), 0);
	ua_reply(&w->desk, w->desk.invite, 486, "", NULL);
	ua_expect(&w->desk, "ACK ");
	ua_expect_invite(&w->mobile);
	ua_reply(&w->mobile, w->mobile.invite, 200, "", ua_sdp("203.0.113.4", 5000, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->mobile, "ACK ");
	ua_hang_up(&w->alice, &w->mobile);
}

/* Two interfaces of one device: the second only when the first is not there (PH-3). */
static void interfaces(struct world *w, int status)
{
	ua_register_as(&w->desk, "bob", ";ua_id=phone;if_q=0.9");
	ua_register_as(&w->mobile, "bob", ";ua_id=phone;if_q=0.3");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->desk);
	ua_reply(&w->desk, w->desk.invite, status, "", NULL);
	ua_expect(&w->desk, "ACK ");
}

static void test_second_interface(void **state)
{
	struct world *w = *state;

	interfaces(w, 430);
	ua_expect_invite(&w->mobile);
	ua_reply(&w->mobile, w->mobile.invite, 200, "", ua_sdp("203.0.113.4", 5000, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->mobile, "ACK ");
	ua_hang_up(&w->alice, &w->mobile);
}

static void test_busy_is_busy(void **state)
{
	struct world *w = *state;

	interfaces(w, 486);
	ua_expect(&w->alice, "SIP/2.0 486");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&w->mobile.peer, "INVITE "), 0);
}

/* A proxy behind the contact forks: two early dialogs of one INVITE, and two answers. */
static void test_forks_downstream(void **state)
{
	struct world *w = *state;
	const char *text;

	ua_register_as(&w->desk, "bob", "");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->desk);
	ua_reply_as(&w->desk, w->desk.invite, 183, "one", "", ua_sdp("203.0.113.1", 5001, ""));
	ua_expect(&w->alice, "SIP/2.0 183");
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_B].remote.port, 5001);
	ua_reply_as(&w->desk, w->desk.invite, 183, "two", "", ua_sdp("203.0.113.2", 5002, ""));
	ua_expect(&w->alice, "SIP/2.0 183");
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_B].remote.port, 5002);
	ua_reply_as(&w->desk, w->desk.invite, 200, "one", "", ua_sdp("203.0.113.1", 5001, ""));
	text = ua_expect(&w->desk, "ACK ");
	assert_non_null(strstr(header_of(text, "To"), "tag=one"));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_int_equal(fake_media_only(&w->rig.media)->path[SG_SIDE_B].remote.port, 5001);
	ua_reply_as(&w->desk, w->desk.invite, 200, "two", "", ua_sdp("203.0.113.2", 5002, ""));
	text = ua_expect(&w->desk, "ACK ");
	assert_non_null(strstr(header_of(text, "To"), "tag=two"));
	text = ua_expect(&w->desk, "BYE ");
	assert_non_null(strstr(header_of(text, "To"), "tag=two"));
	ua_reply(&w->desk, text, 200, "", NULL);
	ua_request(&w->alice, "BYE", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	text = ua_expect(&w->desk, "BYE ");
	assert_non_null(strstr(header_of(text, "To"), "tag=one"));
	ua_reply(&w->desk, text, 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* A 302 is followed; of its contacts, those that the caller may call (RFC 3261 8.1.3.4). */
static void test_redirected(void **state)
{
	struct world *w = *state;

	ua_register_as(&w->desk, "bob", "");
	ua_register(&w->mobile, "");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->desk);
	ua_reply(&w->desk, w->desk.invite, 302,
		 "Contact: <sip:mobile@example.net>;q=0.7, <sip:bob@example.net>\r\n", NULL);
	ua_expect(&w->desk, "ACK ");
	ua_reply(&w->mobile, ua_expect_invite(&w->mobile), 200, "",
		 ua_sdp("203.0.113.4", 5000, ""));
	ua_expect(&w->mobile, "ACK ");
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_int_equal(peer_drain(&w->desk.peer, "INVITE"), 0);
	ua_hang_up(&w->alice, &w->mobile);
}

/* In a circle: each place once, and then it is over. */
static void test_redirected_in_a_circle(void **state)
{
	struct world *w = *state;

	ua_register_as(&w->desk, "bob", "");
	ua_register(&w->mobile, "");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->desk, ua_expect_invite(&w->desk), 302, "Contact: <sip:mobile@example.net>\r\n",
		 NULL);
	ua_reply(&w->mobile, ua_expect_invite(&w->mobile), 302,
		 "Contact: <sip:bob@example.net>\r\n", NULL);
	ua_expect(&w->alice, "SIP/2.0 480");
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->desk.peer, "INVITE"), 0);
}

/* Nobody answers in time: CANCEL, and the answer of who rang. */
static void test_target_is_dead(void **state)
{
	struct world *w = *state;
	struct ua gone;

	ua_open(&gone, &w->rig, "gone", "127.0.0.5");
	ua_register_as(&gone, "bob", ";q=0.9");
	ua_close(&gone);
	ua_register_as(&w->mobile, "bob", ";q=0.2");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->mobile); /* after 64 T1 */
	ua_reply(&w->mobile, w->mobile.invite, 480, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 480");
	ua_request(&w->alice, "ACK", "", NULL);
	ua_expect(&w->mobile, "ACK ");
	call_rig_expect_empty(&w->rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parallel),	   TEST(test_double_answer),
		TEST(test_all_refuse),	   TEST(test_declined_everywhere),
		TEST(test_sequential),	   TEST(test_second_interface),
		TEST(test_busy_is_busy),   TEST(test_forks_downstream),
		TEST(test_redirected),	   TEST(test_redirected_in_a_circle),
		TEST(test_target_is_dead),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
