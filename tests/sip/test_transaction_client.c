// SPDX-License-Identifier: BSD-2-Clause
/* Client transactions against a peer that is a plain socket (RFC 3261 17.1, 9.1, 6026). */
#include "stack_rig.h"

static struct rig rig;
static struct peer peer;
static struct sip_flow flow;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig, NULL);
	peer_udp(&peer, &rig, "127.0.0.1");
	flow = (struct sip_flow){.proto = SIP_UDP, .remote = peer.at};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&peer);
	rig_close(&rig);
	return 0;
}

/* Answers the last request that the peer saw; it stays the last one. */
static void answer(int status, const char *tag)
{
	char text[4096];

	answer_to(text, sizeof(text), peer.text, status, tag);
	peer_send(&peer, &rig.at[SIP_UDP], "%s", text);
}

static void invite(void)
{
	rig_send(&rig, SIP_INVITE, &flow, "");
	peer_expect(&peer, "INVITE ");
}

static void an_invite_is_repeated_until_answered(void **state)
{
	char branch[512];

	(void)state;
	invite();
	snprintf(branch, sizeof(branch), "%s", header_of(peer.text, "Via"));
	assert_non_null(strstr(branch, ";branch=z9hG4bK0007"));
	assert_non_null(strstr(branch, "SIP/2.0/UDP 127.0.0.1:"));
	assert_non_null(strstr(branch, ";rport"));
	assert_non_null(strstr(header_of(peer.text, "Contact"), "<sip:us@127.0.0.1:"));
	for (unsigned i = 0; i < 3; i++) {
		peer_expect(&peer, "INVITE ");
		assert_string_equal(header_of(peer.text, "Via"), branch);
	}
	answer(180, "t1");
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 180);
	peer_drain(&peer, "");
	rig_run_ms(&rig, 4 * RIG_T2_MS);
	assert_int_equal(peer_drain(&peer, "INVITE "), 0);
}

static void each_fork_answers_once(void **state)
{
	(void)state;
	invite();
	answer(200, "t1");
	rig_wait(&rig, &rig.responses, 1);
	answer(200, "t1");
	rig_wait(&rig, &rig.strays, 1);
	answer(200, "t2");
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.strays, 1);
	assert_int_equal(peer_drain(&peer, "ACK"), 0);
	rig_skip_idle(&rig);
	answer(200, "t1"); /* later than 64 T1 */
	rig_wait(&rig, &rig.strays, 2);
	assert_int_equal(rig.failures, 0);
}

static void a_refusal_is_acked_each_time(void **state)
{
	char via[512];

	(void)state;
	invite();
	snprintf(via, sizeof(via), "%s", header_of(peer.text, "Via"));
	answer(486, "t1");
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 486);
	peer_expect(&peer, "ACK sip:bob@example.net SIP/2.0\r\n");
	assert_string_equal(header_of(peer.text, "Via"), via);
	assert_string_equal(header_of(peer.text, "CSeq"), "1 ACK");
	assert_string_equal(header_of(peer.text, "To"), "<sip:bob@example.net>;tag=t1");
	assert_string_equal(header_of(peer.text, "Route"), "<sip:hop.example.net;lr>");
	assert_string_equal(header_of(peer.text, "Max-Forwards"), "70");
	assert_string_equal(header_of(peer.text, "Contact"), "");
	peer_send(&peer, &rig.at[SIP_UDP],
		  "SIP/2.0 486 Busy Here\r\nVia: %s\r\nFrom: <sip:us@example.net>;tag=f1\r\n"
		  "To: <sip:bob@example.net>;tag=t1\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n" END,
		  via, header_of(peer.text, "Call-ID"));
	peer_expect(&peer, "ACK ");
	assert_int_equal(rig.responses, 1);
	rig_skip_idle(&rig);
}

static void silence_is_408(void **state)
{
	(void)state;
	rig_send(&rig, SIP_INVITE, &flow, "");
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_wait(&rig, &rig.failures, 2);
	assert_int_equal(rig.failure, 408);
	rig_skip_idle(&rig);
	assert_true(peer_drain(&peer, "INVITE ") >= 4);
}

static void no_way_is_503_and_never_from_inside(void **state)
{
	struct sip_flow nowhere = {.proto = SIP_TCP};

	(void)state;
	assert_int_equal(netaddr_parse(&nowhere.remote, STR("127.0.0.1:9")), 0);
	rig_send(&rig, SIP_OPTIONS, &nowhere, "");
	assert_int_equal(rig.failures, 0);
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	rig_skip_idle(&rig);
}

static void other_requests_are_repeated_and_answered_once(void **state)
{
	(void)state;
	rig_send(&rig, SIP_BYE, &flow, "");
	for (unsigned i = 0; i < 3; i++)
		peer_expect(&peer, "BYE ");
	answer(200, "t1");
	rig_wait(&rig, &rig.responses, 1);
	answer(200, "t1");
	rig_skip_idle(&rig);
	assert_int_equal(rig.responses, 1);
	assert_int_equal(rig.strays, 0);
}

static void after_a_100_others_are_repeated_each_t2(void **state)
{
	(void)state;
	rig_send(&rig, SIP_BYE, &flow, "");
	peer_expect(&peer, "BYE ");
	answer(100, NULL);
	rig_wait(&rig, &rig.responses, 1);
	peer_drain(&peer, "");
	peer_expect(&peer, "BYE ");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 408);
}

static void cancel_waits_for_a_provisional(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, &flow, "");
	char via[512], invited[8192];

	(void)state;
	peer_expect(&peer, "INVITE ");
	memcpy(invited, peer.text, sizeof(invited));
	snprintf(via, sizeof(via), "%s", header_of(peer.text, "Via"));
	sip_client_tx_cancel(tx, STR("SIP;cause=200;text=\"Call completed elsewhere\""));
	rig_run_ms(&rig, 3 * RIG_T1_MS);
	assert_int_equal(peer_drain(&peer, "CANCEL"), 0);
	memcpy(peer.text, invited, sizeof(invited));
	answer(100, NULL);
	peer_expect(&peer, "CANCEL sip:bob@example.net SIP/2.0\r\n");
	assert_string_equal(header_of(peer.text, "Via"), via);
	assert_string_equal(header_of(peer.text, "CSeq"), "1 CANCEL");
	assert_string_equal(header_of(peer.text, "To"), "<sip:bob@example.net>");
	assert_string_equal(header_of(peer.text, "Route"), "<sip:hop.example.net;lr>");
	assert_string_equal(header_of(peer.text, "Reason"),
			    "SIP;cause=200;text=\"Call completed elsewhere\"");
	answer(200, "t1");
	memcpy(peer.text, invited, sizeof(invited));
	answer(487, "t1");
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.status[1], 487);
	peer_expect(&peer, "ACK ");
	rig_skip_idle(&rig);
	assert_int_equal(rig.failures, 0);
}

static void cancel_goes_at_once_when_it_rings(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, &flow, "");

	(void)state;
	peer_expect(&peer, "INVITE ");
	answer(180, "t1");
	rig_wait(&rig, &rig.responses, 1);
	sip_client_tx_cancel(tx, STR("Reason: Q.850;cause=16\r\n"));
	sip_client_tx_cancel(tx, STR_NONE);
	peer_expect(&peer, "CANCEL ");
	assert_string_equal(header_of(peer.text, "Reason"), "Q.850;cause=16");
	/* One that never answers its INVITE then is given up. */
	answer(200, "t1");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 408);
	rig_skip_idle(&rig);
}

static void the_forgotten_answer_is_a_stray(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, &flow, "");

	(void)state;
	peer_expect(&peer, "INVITE ");
	answer(180, "t1");
	rig_wait(&rig, &rig.responses, 1);
	sip_client_tx_forget(tx);
	answer(200, "t1");
	rig_wait(&rig, &rig.strays, 1);
	assert_int_equal(rig.responses, 1);
	rig_skip_idle(&rig);
}

static void the_forgotten_do_not_ring_for_ever(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, &flow, "");

	(void)state;
	peer_expect(&peer, "INVITE ");
	answer(180, "t1");
	rig_wait(&rig, &rig.responses, 1);
	sip_client_tx_forget(tx);
	rig_skip_idle(&rig);
	assert_int_equal(rig.failures, 0);
}

static void what_is_not_for_us_is_left_alone(void **state)
{
	(void)state;
	invite();
	peer_send(&peer, &rig.at[SIP_UDP],
		  "SIP/2.0 200 OK\r\nVia: %s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
		  "From: <sip:us@example.net>;tag=f1\r\nTo: <sip:bob@example.net>;tag=t\r\n"
		  "Call-ID: %s\r\nCSeq: 1 INVITE\r\n" CONTACT END,
		  header_of(peer.text, "Via"), header_of(peer.text, "Call-ID"));
	/* The right branch with another method, and a branch of nobody. */
	peer_send(&peer, &rig.at[SIP_UDP],
		  "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: <sip:us@example.net>;tag=f1\r\n"
		  "To: <sip:bob@example.net>;tag=t\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\n" END,
		  header_of(peer.text, "Via"), header_of(peer.text, "Call-ID"));
	peer_send(&peer, &rig.at[SIP_UDP],
		  "SIP/2.0 486 No\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKnobody\r\n"
		  "From: <sip:us@example.net>;tag=f1\r\nTo: <sip:bob@example.net>;tag=t\r\n"
		  "Call-ID: none\r\nCSeq: 1 INVITE\r\n" END);
	rig_run_ms(&rig, 100);
	assert_int_equal(rig.responses + rig.strays, 0);
}

static void stateless_is_sent_once(void **state)
{
	struct sip_outgoing outgoing = {
		.method = SIP_ACK,
		.text = STR("ACK sip:bob@example.net SIP/2.0\r\nMax-Forwards: 70\r\n"
			    "From: <sip:us@example.net>;tag=f1\r\n"
			    "To: <sip:bob@example.net>;tag=t\r\nCall-ID: s\r\nCSeq: 1 ACK\r\n" END),
	};
	char uri[80];

	(void)state;
	snprintf(uri, sizeof(uri), "sip:127.0.0.1:%u", peer.at.port);
	outgoing.uri = str_of(uri);
	assert_int_equal(sip_send_stateless(rig.stack, &outgoing), 0);
	peer_expect(&peer, "ACK ");
	assert_non_null(strstr(header_of(peer.text, "Via"), ";branch=z9hG4bK0007"));
	rig_run_ms(&rig, 4 * RIG_T1_MS);
	assert_int_equal(peer_drain(&peer, ""), 0);
	rig_skip_idle(&rig);
	outgoing.uri = STR("mailto:bob@example.net");
	assert_int_equal(sip_send_stateless(rig.stack, &outgoing), -EINVAL);
	outgoing.text = STR("nonsense");
	assert_int_equal(sip_send_stateless(rig.stack, &outgoing), -EINVAL);
	rig_skip_idle(&rig);
}

static void beyond_the_limit_calls_can_still_end(void **state)
{
	const struct sip_stack_config config = {.transactions = 2};
	const struct sip_outgoing outgoing = {.method = SIP_BYE,
					      .text = STR("BYE a:b SIP/2.0\r\n"
							  "X: 1\r\n\r\n"),
					      .flow = &flow};

	tear_down(state);
	rig_open(&rig, &config);
	peer_udp(&peer, &rig, "127.0.0.1");
	flow.remote = peer.at;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sip_client_send(rig.stack, &outgoing, NULL, NULL, NULL), 0);
	assert_int_equal(sip_client_send(rig.stack, &outgoing, NULL, NULL, NULL), -ENOBUFS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_invite_is_repeated_until_answered),
		TEST(each_fork_answers_once),
		TEST(a_refusal_is_acked_each_time),
		TEST(silence_is_408),
		TEST(no_way_is_503_and_never_from_inside),
		TEST(other_requests_are_repeated_and_answered_once),
		TEST(after_a_100_others_are_repeated_each_t2),
		TEST(cancel_waits_for_a_provisional),
		TEST(cancel_goes_at_once_when_it_rings),
		TEST(the_forgotten_answer_is_a_stray),
		TEST(the_forgotten_do_not_ring_for_ever),
		TEST(what_is_not_for_us_is_left_alone),
		TEST(stateless_is_sent_once),
		TEST(beyond_the_limit_calls_can_still_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("client transactions", tests, NULL, NULL);
}
