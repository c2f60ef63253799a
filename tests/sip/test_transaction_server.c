// SPDX-License-Identifier: BSD-2-Clause
/* Server transactions against a peer that is a plain socket (RFC 3261 17.2, 6026, 4320, 3581). */
#include "stack_rig.h"

static struct rig rig;
static struct peer peer;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig, NULL);
	peer_udp(&peer, &rig, "127.0.0.1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&peer);
	rig_close(&rig);
	return 0;
}

static void send_request(const char *method, const char *branch)
{
	peer_send(&peer, &rig.at[SIP_UDP],
		  "%s sip:bob@example.net SIP/2.0\r\n" VIA_UDP
		  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
		  "To: <sip:bob@example.net>\r\nCall-ID: call-%s\r\nCSeq: 1 %s\r\n" CONTACT END,
		  method, peer.at.port, branch, branch, method);
}

static void send_ack(const char *branch, const char *call)
{
	peer_send(&peer, &rig.at[SIP_UDP],
		  "ACK sip:bob@example.net SIP/2.0\r\n" VIA_UDP
		  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
		  "To: <sip:bob@example.net>;tag=ours\r\nCall-ID: call-%s\r\nCSeq: 1 ACK\r\n" END,
		  peer.at.port, branch, call);
}

static size_t live(void)
{
	struct sip_stack_stats stats;

	sip_stack_stats(rig.stack, &stats);
	return stats.server_transactions;
}

static int reply(int status)
{
	return sip_server_tx_reply(rig.tx, status, sip_reason(status), STR("ours"), STR_NONE);
}

static void a_2xx_is_repeated_until_acked(void **state)
{
	(void)state;
	rig.handle = true;
	send_request("INVITE", "z9hG4bKa");
	rig_wait(&rig, &rig.requests, 1);
	assert_int_equal(rig.request->method, SIP_INVITE);
	assert_int_equal(reply(180), 0);
	peer_expect(&peer, "SIP/2.0 180 Ringing\r\n");
	assert_non_null(strstr(peer.text, "To: <sip:bob@example.net>;tag=ours\r\n"));
	assert_int_equal(reply(200), 0);
	for (unsigned i = 0; i < 4; i++)
		peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(reply(200), -EALREADY);
	send_ack("z9hG4bKother", "z9hG4bKa");
	rig_wait(&rig, &rig.acks, 1);
	sip_server_tx_acked(rig.tx);
	rig_turn(&rig);
	assert_null(sip_server_tx_request(rig.tx));
	peer_drain(&peer, "");
	rig_run_ms(&rig, 3 * RIG_T2_MS);
	assert_int_equal(peer_drain(&peer, ""), 0);
	/* RFC 6026: the INVITE again is still known, and absorbed. */
	send_request("INVITE", "z9hG4bKa");
	rig_run_ms(&rig, RIG_T2_MS);
	assert_int_equal(rig.requests, 1);
	assert_int_equal(peer_drain(&peer, ""), 0);
	rig_skip_idle(&rig);
	assert_int_equal(rig.unacknowledged, 0);
}

static void a_2xx_without_ack_is_told(void **state)
{
	(void)state;
	rig.handle = true;
	rig.answer = 200;
	send_request("INVITE", "z9hG4bKb");
	rig_wait(&rig, &rig.unacknowledged, 1);
	rig_skip_idle(&rig);
	assert_int_equal(rig.unacknowledged, 1);
	assert_true(peer_drain(&peer, "SIP/2.0 200") >= 3);
}

/* A client of RFC 2543's age gives the ACK of a 2xx the branch of its INVITE. */
static void an_ack_of_a_2xx_may_have_the_same_branch(void **state)
{
	(void)state;
	rig.answer = 200;
	send_request("INVITE", "z9hG4bKr");
	peer_expect(&peer, "SIP/2.0 200");
	send_ack("z9hG4bKr", "z9hG4bKr");
	rig_wait(&rig, &rig.acks, 1);
	sip_server_tx_acked(rig.tx);
	rig_skip_idle(&rig);
}

/* They are parsed together, before the first is answered. */
static void repetitions_in_one_batch_are_one_request(void **state)
{
	(void)state;
	rig.answer = 200;
	for (unsigned i = 0; i < 2 * SIP_ARRIVALS; i++)
		send_request("OPTIONS", "z9hG4bKbatch");
	send_request("OPTIONS", "z9hG4bKlast");
	rig_wait(&rig, &rig.requests, 2);
	assert_int_equal(rig.requests, 2);
	for (unsigned i = 0; i < 2 * SIP_ARRIVALS + 1; i++)
		peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(live(), 2);
}

static void invite_is_soon_trying(void **state)
{
	(void)state;
	send_request("INVITE", "z9hG4bKc");
	peer_expect(&peer, "SIP/2.0 100 Trying\r\n");
	assert_int_equal(rig.requests, 1);
	/* Asked again, the last provisional comes again; the user hears nothing of it. */
	assert_int_equal(reply(183), 0);
	peer_expect(&peer, "SIP/2.0 183");
	send_request("INVITE", "z9hG4bKc");
	peer_expect(&peer, "SIP/2.0 183");
	assert_int_equal(rig.requests, 1);
	assert_int_equal(reply(486), 0);
}

static void a_refusal_is_repeated_and_its_ack_absorbed(void **state)
{
	(void)state;
	rig.answer = 486;
	send_request("INVITE", "z9hG4bKd");
	for (unsigned i = 0; i < 3; i++)
		peer_expect(&peer, "SIP/2.0 486");
	send_ack("z9hG4bKd", "z9hG4bKd");
	rig_turn(&rig);
	send_ack("z9hG4bKd", "z9hG4bKd");
	rig_skip_idle(&rig);
	assert_int_equal(rig.acks, 0);
	peer_drain(&peer, "");
	rig_run_ms(&rig, 2 * RIG_T2_MS);
	assert_int_equal(peer_drain(&peer, ""), 0);
}

static void a_refusal_without_ack_ends(void **state)
{
	(void)state;
	rig.answer = 404;
	send_request("INVITE", "z9hG4bKe");
	rig_wait(&rig, &rig.requests, 1);
	rig_skip_idle(&rig);
}

static void cancel_is_answered_and_told(void **state)
{
	(void)state;
	rig.handle = true;
	send_request("INVITE", "z9hG4bKf");
	rig_wait(&rig, &rig.requests, 1);
	assert_int_equal(reply(180), 0);
	send_request("CANCEL", "z9hG4bKf");
	peer_expect(&peer, "SIP/2.0 200");
	assert_string_equal(header_of(peer.text, "CSeq"), "1 CANCEL");
	assert_string_equal(header_of(peer.text, "To"), "<sip:bob@example.net>;tag=ours");
	assert_int_equal(rig.cancelled, 1);
	assert_int_equal(rig.requests, 1);
	send_request("CANCEL", "z9hG4bKf");
	peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(rig.cancelled, 1);
	assert_int_equal(reply(487), 0);
	peer_expect(&peer, "SIP/2.0 487");
}

static void cancel_after_the_answer_does_nothing(void **state)
{
	(void)state;
	rig.handle = true;
	rig.answer = 200;
	send_request("INVITE", "z9hG4bKg");
	rig_wait(&rig, &rig.requests, 1);
	peer_drain(&peer, "");
	send_request("CANCEL", "z9hG4bKg");
	do {
		peer_expect(&peer, "SIP/2.0 200");
	} while (strcmp(header_of(peer.text, "CSeq"), "1 CANCEL") != 0);
	assert_int_equal(rig.cancelled, 0);
}

static void cancel_of_nothing_is_481(void **state)
{
	(void)state;
	send_request("CANCEL", "z9hG4bKh");
	peer_expect(&peer, "SIP/2.0 481");
	assert_int_equal(live(), 0);
}

static void others_are_answered_alike_each_time(void **state)
{
	(void)state;
	rig.answer = 202;
	send_request("MESSAGE", "z9hG4bKi");
	peer_expect(&peer, "SIP/2.0 202");
	send_request("MESSAGE", "z9hG4bKi");
	peer_expect(&peer, "SIP/2.0 202");
	assert_int_equal(rig.requests, 1);
	assert_null(sip_server_tx_request(rig.tx));
	rig_skip_idle(&rig);
}

static void others_are_not_trying_before_timer_e_is_t2(void **state)
{
	uint64_t began = wheel_now_ms();

	(void)state;
	send_request("OPTIONS", "z9hG4bKj");
	peer_expect(&peer, "SIP/2.0 100");
	assert_true(wheel_now_ms() - began >= RIG_T1_MS + 2 * RIG_T1_MS);
	assert_int_equal(reply(180), -EINVAL);
	assert_int_equal(reply(200), 0);
	peer_expect(&peer, "SIP/2.0 200");
}

static void others_get_no_408(void **state)
{
	(void)state;
	send_request("OPTIONS", "z9hG4bKk");
	rig_wait(&rig, &rig.requests, 1);
	assert_int_equal(reply(408), 0);
	rig_skip_idle(&rig);
	assert_int_equal(peer_drain(&peer, "SIP/2.0 408"), 0);
}

static void send_copy(const char *branch)
{
	peer_send(&peer, &rig.at[SIP_UDP],
		  "OPTIONS sip:bob@example.net SIP/2.0\r\n" VIA_UDP DIALOG("m", "OPTIONS") END,
		  peer.at.port, branch);
}

static void a_merged_request_is_482(void **state)
{
	(void)state;
	send_copy("z9hG4bKl1");
	rig_wait(&rig, &rig.requests, 1);
	send_copy("z9hG4bKl2");
	peer_expect(&peer, "SIP/2.0 482");
	assert_int_equal(rig.requests, 1);
	assert_int_equal(reply(200), 0);
}

static void a_challenge_ends_merging(void **state)
{
	(void)state;
	rig.answer = 401;
	send_copy("z9hG4bKn1");
	peer_expect(&peer, "SIP/2.0 401");
	send_copy("z9hG4bKn2");
	peer_expect(&peer, "SIP/2.0 401");
	assert_int_equal(rig.requests, 2);
}

/* RFC 3261 26.3.2.4: we are no amplifier for who writes somebody else's address. */
static void a_challenge_goes_out_once_for_each_request(void **state)
{
	(void)state;
	rig.answer = 407;
	send_request("INVITE", "z9hG4bKp");
	peer_expect(&peer, "SIP/2.0 407");
	send_request("INVITE", "z9hG4bKp");
	peer_expect(&peer, "SIP/2.0 407");
	assert_int_equal(rig.requests, 1);
	rig_skip_idle(&rig);
	assert_int_equal(peer_drain(&peer, ""), 0);
}

static void beyond_the_limit_is_503(void **state)
{
	const struct sip_stack_config config = {.transactions = 2};

	tear_down(state);
	rig_open(&rig, &config);
	peer_udp(&peer, &rig, "127.0.0.1");
	send_request("OPTIONS", "z9hG4bKo1");
	send_request("OPTIONS", "z9hG4bKo2");
	rig_wait(&rig, &rig.requests, 2);
	send_request("OPTIONS", "z9hG4bKo3");
	peer_expect(&peer, "SIP/2.0 503");
	assert_string_equal(header_of(peer.text, "Retry-After"), "10");
	assert_int_equal(live(), 2);
	assert_int_equal(rig.requests, 2);
}

/* RFC 3261 17.2.3: a branch without the cookie says nothing. */
static void old_branches_do_not_identify(void **state)
{
	const char *old = "OPTIONS sip:bob@example.net SIP/2.0\r\n" VIA_UDP
			  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
			  "To: <sip:bob@example.net>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n" END;

	(void)state;
	rig.answer = 200;
	for (unsigned i = 0; i < 2; i++) { /* the second time each is a retransmission */
		peer_send(&peer, &rig.at[SIP_UDP], old, peer.at.port, "1", "first");
		peer_expect(&peer, "SIP/2.0 200");
		peer_send(&peer, &rig.at[SIP_UDP], old, peer.at.port, "1", "second");
		peer_expect(&peer, "SIP/2.0 200");
	}
	assert_int_equal(rig.requests, 2);
}

static void without_rport_the_port_of_via_counts(void **state)
{
	struct peer named;

	(void)state;
	rig.answer = 200;
	peer_udp(&named, &rig, "127.0.0.1");
	peer_send(&peer, &rig.at[SIP_UDP],
		  "OPTIONS sip:bob@example.net SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 192.0.2.9:%u;branch=z9hG4bKp\r\n" DIALOG("p", "OPTIONS") END,
		  named.at.port);
	peer_expect(&named, "SIP/2.0 200");
	assert_non_null(strstr(named.text, ";received=127.0.0.1"));
	assert_int_equal(peer_drain(&peer, ""), 0);
	peer_close(&named);
}

static void a_bad_request_is_answered_alike_and_not_remembered(void **state)
{
	char tag[512];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		peer_send(&peer, &rig.at[SIP_UDP],
			  "INVITE sip:bob@example.net SIP/2.0\r\n" VIA_UDP
			  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
			  "To: <sip:bob@example.net>\r\nCall-ID: q\r\nCSeq: 1 OPTIONS\r\n" END,
			  peer.at.port, "z9hG4bKq");
		peer_expect(&peer, "SIP/2.0 400");
		if (i)
			assert_string_equal(header_of(peer.text, "To"), tag);
		snprintf(tag, sizeof(tag), "%s", header_of(peer.text, "To"));
	}
	assert_int_equal(live(), 0);
	assert_int_equal(rig.requests, 0);
	peer_send(&peer, &rig.at[SIP_UDP],
		  "ACK sip:bob@example.net SIP/2.0\r\n" VIA_UDP
		  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
		  "To: %s\r\nCall-ID: q\r\nCSeq: 1 ACK\r\n" END,
		  peer.at.port, "z9hG4bKq", tag);
	rig_run_ms(&rig, 50);
	assert_int_equal(rig.acks, 0);
}

static void tokens_are_unlike_and_say_the_worker(void **state)
{
	char seen[1000][SIP_TOKEN_LEN];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		sip_token(rig.stack, seen[i]);
		assert_memory_equal(seen[i], "0007", 4);
		assert_int_equal(strspn(seen[i], "0123456789abcdefghijklmnopqrstuv"),
				 strlen(seen[i]));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
}

/* Retransmissions, too, both ways, and what can be no message: a trace that leaves out something
 * misleads. */
static void whoever_looks_on_sees_all(void **state)
{
	(void)state;
	rig.answer = 486;
	send_request("INVITE", "z9hG4bKa");
	rig_wait(&rig, &rig.seen_in, 1);
	rig_wait(&rig, &rig.seen_out, 1);
	peer_expect(&peer, "SIP/2.0 486");
	assert_true(netaddr_eq(&rig.seen_at, &peer.at));
	assert_false(rig.seen_parsed);
	assert_int_equal(strncmp(rig.seen, peer.text, sizeof(rig.seen) - 1), 0);
	rig_wait(&rig, &rig.seen_out, 2); /* again, until it is acked */
	send_request("INVITE", "z9hG4bKa");
	rig_wait(&rig, &rig.seen_in, 2);
	assert_int_equal(rig.requests, 1);
	send_ack("z9hG4bKa", "z9hG4bKa");
	rig_wait(&rig, &rig.seen_in, 3);
	assert_true(rig.seen_parsed);
	assert_int_equal(strncmp(rig.seen, "ACK sip:bob@example.net SIP/2.0\r\n", 33), 0);
	peer_send(&peer, &rig.at[SIP_UDP], "NONSENSE\r\n\r\n");
	rig_wait(&rig, &rig.seen_in, 4);
	assert_false(rig.seen_parsed);
	assert_string_equal(rig.seen, "NONSENSE\r\n\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_2xx_is_repeated_until_acked),
		TEST(a_2xx_without_ack_is_told),
		TEST(an_ack_of_a_2xx_may_have_the_same_branch),
		TEST(repetitions_in_one_batch_are_one_request),
		TEST(invite_is_soon_trying),
		TEST(a_refusal_is_repeated_and_its_ack_absorbed),
		TEST(a_refusal_without_ack_ends),
		TEST(cancel_is_answered_and_told),
		TEST(cancel_after_the_answer_does_nothing),
		TEST(cancel_of_nothing_is_481),
		TEST(others_are_answered_alike_each_time),
		TEST(others_are_not_trying_before_timer_e_is_t2),
		TEST(others_get_no_408),
		TEST(a_merged_request_is_482),
		TEST(a_challenge_ends_merging),
		TEST(a_challenge_goes_out_once_for_each_request),
		TEST(beyond_the_limit_is_503),
		TEST(old_branches_do_not_identify),
		TEST(without_rport_the_port_of_via_counts),
		TEST(a_bad_request_is_answered_alike_and_not_remembered),
		TEST(tokens_are_unlike_and_say_the_worker),
		TEST(whoever_looks_on_sees_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("server transactions", tests, NULL, NULL);
}
