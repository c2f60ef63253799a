// SPDX-License-Identifier: BSD-2-Clause
/* A request whose domain has several servers (RFC 3263 4.3): silence, 503 and refusals lead on. */
#include "stack_rig.h"

#include "dns_rig.h"

static struct zone_record zone[] = {
	{ZONE_SRV, "_sip._udp.many.test", "host.test", 60, 1, 0, 0, NULL},
	{ZONE_SRV, "_sip._udp.many.test", "host.test", 60, 2, 0, 0, NULL},
	{ZONE_SRV, "_sip._tcp.mixed.test", "host.test", 60, 1, 0, 0, NULL},
	{ZONE_SRV, "_sip._udp.mixed.test", "nowhere.test", 60, 1, 0, 9, NULL},
	{ZONE_SRV, "_sip._tcp.gone.test", "host.test", 60, 1, 0, 0, NULL},
	{ZONE_A, "host.test", "127.0.0.1", 60, 0, 0, 0, NULL},
};

static struct rig rig;
static struct dns_rig dns;
static struct peer first, second;

static int set_up(void **state)
{
	struct sip_stack_config config = {.nameservers = 1};

	(void)state;
	dns_rig_bind(&dns, zone, sizeof(zone) / sizeof(zone[0]));
	config.nameserver = &dns.at;
	rig_open(&rig, &config);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
	dns_rig_serve(&dns, rig.base);
	peer_udp(&first, &rig, "127.0.0.1");
	peer_udp(&second, &rig, "127.0.0.1");
	zone[0].port = first.at.port;
	zone[1].port = second.at.port;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&first);
	peer_close(&second);
	dns_rig_close(&dns);
	rig_close(&rig);
	return 0;
}

static void answer(struct peer *peer, int status)
{
	char text[4096];

	answer_to(text, sizeof(text), peer->text, status, "t");
	peer_send(peer, peer->acceptor >= 0 ? NULL : &rig.at[SIP_UDP], "%s", text);
}

static void silence_leads_to_the_next(void **state)
{
	char via[512];

	(void)state;
	rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");
	peer_expect(&first, "INVITE ");
	snprintf(via, sizeof(via), "%s", header_of(first.text, "Via"));
	peer_expect(&second, "INVITE ");
	assert_string_not_equal(header_of(second.text, "Via"), via); /* a new branch */
	assert_string_equal(header_of(second.text, "Call-ID"), header_of(first.text, "Call-ID"));
	assert_string_not_equal(header_of(second.text, "Contact"), "");
	assert_null(strstr(strstr(second.text, "Contact:") + 1, "Contact:"));
	answer(&second, 200);
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 200);
	/* Late, the first one says yes as well: that is a stray, for the user to end. */
	answer(&first, 200);
	rig_wait(&rig, &rig.strays, 1);
	assert_int_equal(rig.failures, 0);
}

/* RFC 3261 18.4: an ICMP message says at once what silence says after 64 T1. */
static void nobody_there_leads_to_the_next(void **state)
{
	const struct sip_stack_config config = {
		.nameserver = &dns.at, .nameservers = 1, .t1_ms = 2000};
	const struct sip_flow flow = {.proto = SIP_UDP, .remote = first.at};

	(void)state;
	dns_rig_close(&dns);
	rig_close(&rig);
	dns_rig_bind(&dns, zone, sizeof(zone) / sizeof(zone[0]));
	rig_open(&rig, &config);
	dns_rig_serve(&dns, rig.base);
	peer_close(&first);
	for (unsigned i = 0; i < 3; i++)
		rig_send(&rig, SIP_OPTIONS, NULL, "sip:many.test");
	for (unsigned i = 0; i < 3; i++) {
		peer_expect(&second, "OPTIONS ");
		answer(&second, 200);
	}
	rig_wait(&rig, &rig.responses, 3);
	/* Where there is no other, it is sent on: the peer may come back. */
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_run_ms(&rig, 50);
	assert_int_equal(rig.failures, 0);
}

static void a_503_leads_to_the_next(void **state)
{
	(void)state;
	rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");
	peer_expect(&first, "INVITE ");
	answer(&first, 100);
	rig_wait(&rig, &rig.responses, 1);
	answer(&first, 503);
	peer_expect(&second, "INVITE ");
	answer(&first, 503); /* said again, acked again */
	peer_expect(&first, "ACK ");
	peer_expect(&first, "ACK ");
	assert_string_equal(header_of(first.text, "To"), "<sip:bob@example.net>;tag=t");
	answer(&second, 486);
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.status[1], 486);
	peer_expect(&second, "ACK ");
	rig_skip_idle(&rig);
}

static void the_last_503_is_the_answer(void **state)
{
	(void)state;
	rig_send(&rig, SIP_OPTIONS, NULL, "sip:many.test");
	peer_expect(&first, "OPTIONS ");
	answer(&first, 503);
	peer_expect(&second, "OPTIONS ");
	answer(&second, 503);
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 503);
	assert_int_equal(rig.failures, 0);
	rig_skip_idle(&rig);
}

static void after_cancel_there_is_no_next(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");

	(void)state;
	peer_expect(&first, "INVITE ");
	sip_client_tx_cancel(tx, STR_NONE);
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 408);
	rig_skip_idle(&rig);
	assert_int_equal(peer_drain(&second, ""), 0);
}

static void after_cancel_a_503_is_final(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");

	(void)state;
	peer_expect(&first, "INVITE ");
	answer(&first, 100);
	rig_wait(&rig, &rig.responses, 1);
	sip_client_tx_cancel(tx, STR_NONE);
	answer(&first, 503);
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.status[1], 503);
	rig_run_ms(&rig, 50);
	assert_int_equal(peer_drain(&second, ""), 0);
}

static void cancel_before_the_name_is_known(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");

	(void)state;
	sip_client_tx_cancel(tx, STR_NONE);
	rig_wait(&rig, &rig.failures, 1);
	rig_skip_idle(&rig);
	assert_int_equal(peer_drain(&first, ""), 0);
}

static void one_that_refuses_connections_is_passed_over(void **state)
{
	(void)state;
	/* A port where nobody listens any more, and one where somebody does. */
	peer_close(&first);
	peer_tcp_server(&first, &rig);
	zone[4].port = first.at.port;
	peer_close(&first);
	peer_close(&second);
	peer_tcp_server(&second, &rig);
	zone[2].port = second.at.port;
	rig_send(&rig, SIP_OPTIONS, NULL, "sip:gone.test;transport=tcp");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	/* No address for the UDP server: TCP is what is left. */
	rig_send(&rig, SIP_OPTIONS, NULL, "sip:mixed.test");
	peer_accept(&second);
	peer_expect(&second, "OPTIONS ");
	answer(&second, 200);
	rig_wait(&rig, &rig.responses, 1);
	rig_skip_idle(&rig);
}

static void an_unknown_domain_is_503_and_a_silent_dns_408(void **state)
{
	(void)state;
	rig_send(&rig, SIP_OPTIONS, NULL, "sip:unknown.test");
	assert_int_equal(rig.failures, 0);
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	dns.silent = true;
	rig_send(&rig, SIP_OPTIONS, NULL, "sip:silent.test:5060");
	rig_wait(&rig, &rig.failures, 2);
	assert_int_equal(rig.failure, 408);
	rig_skip_idle(&rig);
}

static void the_forgotten_are_still_sent(void **state)
{
	struct sip_client_tx *tx = rig_send(&rig, SIP_BYE, NULL, "sip:many.test");

	(void)state;
	sip_client_tx_forget(tx);
	peer_expect(&first, "BYE ");
	answer(&first, 200);
	rig_skip_idle(&rig);
	assert_int_equal(rig.responses + rig.failures, 0);
}

static void what_resolves_may_be_left_open(void **state)
{
	(void)state;
	rig_send(&rig, SIP_BYE, NULL, "sip:many.test");
	rig_send(&rig, SIP_INVITE, NULL, "sip:many.test");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(silence_leads_to_the_next),
		TEST(nobody_there_leads_to_the_next),
		TEST(a_503_leads_to_the_next),
		TEST(the_last_503_is_the_answer),
		TEST(after_cancel_there_is_no_next),
		TEST(after_cancel_a_503_is_final),
		TEST(cancel_before_the_name_is_known),
		TEST(one_that_refuses_connections_is_passed_over),
		TEST(an_unknown_domain_is_503_and_a_silent_dns_408),
		TEST(the_forgotten_are_still_sent),
		TEST(what_resolves_may_be_left_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("failover", tests, NULL, NULL);
}
