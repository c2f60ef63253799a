// SPDX-License-Identifier: BSD-2-Clause
/* Datagrams and connections over loopback (RFC 3261 18, RFC 5626 4.4.1). */
#include "stack_rig.h"

#include <unistd.h>

static struct rig rig;
static struct peer peer;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig, NULL);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
	rig.answer = 200;
	peer.fd = peer.acceptor = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&peer);
	rig_close(&rig);
	return 0;
}

#define OPTIONS(branch)                                                                            \
	"OPTIONS sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TCP "                                 \
	"127.0.0.1:9;branch=z9hG4bK" branch "\r\n" DIALOG(branch, "OPTIONS")

static struct sip_transport *transport(void)
{
	return sip_stack_transport(rig.stack);
}

static void limit(struct sip_transport_limits limits)
{
	sip_transport_limit(transport(), &limits);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static void keepalive_datagrams_are_not_messages(void **state)
{
	struct sip_stack_stats stats;

	(void)state;
	peer_udp(&peer, &rig, "127.0.0.1");
	peer_send(&peer, &rig.at[SIP_UDP], "\r\n\r\n");
	peer_send(&peer, &rig.at[SIP_UDP], "%c", 0);
	peer_send(&peer, &rig.at[SIP_UDP],
		  "OPTIONS sip:b@e.net SIP/2.0\r\n" VIA_UDP DIALOG("u", "OPTIONS") END,
		  peer.at.port, "z9hG4bKu");
	peer_expect(&peer, "SIP/2.0 200");
	sip_stack_stats(rig.stack, &stats);
	assert_int_equal(stats.received, 2);
	assert_int_equal(stats.refused, 1);
}

static void too_long_a_datagram_is_refused(void **state)
{
	struct sip_stack_stats stats;

	(void)state;
	peer_udp(&peer, &rig, "127.0.0.1");
	peer_send(&peer, &rig.at[SIP_UDP],
		  "OPTIONS sip:b@e.net SIP/2.0\r\n" VIA_UDP DIALOG("u",
								   "OPTIONS") "X: %09000d\r\n" END,
		  peer.at.port, "z9hG4bKu", 0);
	do {
		rig_turn(&rig);
		sip_stack_stats(rig.stack, &stats);
	} while (!stats.received);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(rig.requests, 0);
}

static void many_datagrams_are_all_read(void **state)
{
	(void)state;
	peer_udp(&peer, &rig, "127.0.0.1");
	for (unsigned i = 0; i < 200; i++)
		peer_send(&peer, &rig.at[SIP_UDP],
			  "OPTIONS sip:b@e.net SIP/2.0\r\nVia: SIP/2.0/UDP "
			  "127.0.0.1:%u;branch=z9hG4bK%u\r\n"
			  "Max-Forwards: 70\r\nFrom: <sip:a@e.net>;tag=a\r\nTo: <sip:b@e.net>\r\n"
			  "Call-ID: %u\r\nCSeq: 1 OPTIONS\r\n" END,
			  peer.at.port, i, i);
	rig_wait(&rig, &rig.requests, 200);
}

static void ipv6_works_alike(void **state)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct netaddr loopback;
	struct sockaddr_storage storage;
	socklen_t length;
	int ret;

	(void)state;
	assert_int_equal(netaddr_parse_host(&loopback, STR("::1"), 0), 0);
	length = netaddr_to_sockaddr(&loopback, &storage);
	ret = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&storage, length);
	if (fd >= 0)
		close(fd);
	if (ret) { /* a machine without IPv6 */
		skip();
		return;
	}
	rig_listen(&rig, SIP_UDP, "::1", NULL);
	peer_udp(&peer, &rig, "::1");
	peer_send(&peer, &rig.at[SIP_UDP],
		  "OPTIONS sip:b@e.net SIP/2.0\r\nVia: SIP/2.0/UDP "
		  "[::1]:%u;branch=z9hG4bKs\r\n" DIALOG("s", "OPTIONS") END,
		  peer.at.port);
	peer_expect(&peer, "SIP/2.0 200");
}

/* ---- connections ----------------------------------------------------------------------------- */

static void a_request_is_answered_on_its_connection(void **state)
{
	const char *text = OPTIONS("a") "Content-Length: 3\r\n\r\nxyz";

	(void)state;
	peer_tcp(&peer, &rig);
	for (size_t i = 0; i < strlen(text); i++) { /* byte by byte */
		peer_send(&peer, NULL, "%c", text[i]);
		rig_turn(&rig);
	}
	peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(rig.request->flow.proto, SIP_TCP);
	assert_true(rig.request->flow.conn > 0);
	assert_int_equal(rig.request->body.n, 3);
	peer_send(&peer, NULL, "%s%s", OPTIONS("b") END, OPTIONS("c") END);
	rig_wait(&rig, &rig.requests, 3);
	rig_wait_idle(&rig); /* no timer J on connections */
}

static void a_ping_gets_its_pong(void **state)
{
	(void)state;
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, "\r\n\r\n");
	peer_expect(&peer, "\r\n");
	assert_int_equal(peer.len, 2);
	peer_send(&peer, NULL, OPTIONS("a") END);
	peer_expect(&peer, "SIP/2.0 200");
}

static void a_bad_length_is_answered_and_the_connection_closed(void **state)
{
	(void)state;
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") "Content-Length: -5\r\n\r\nabcde");
	peer_expect(&peer, "SIP/2.0 400");
	peer_expect(&peer, "");
	assert_int_equal(peer.len, 0);
	rig_wait(&rig, &rig.closed, 1);
	assert_int_equal(rig.requests, 0);
}

static void too_long_a_message_closes(void **state)
{
	(void)state;
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") "X: %065535d", 0);
	rig_wait(&rig, &rig.closed, 1);
	assert_int_equal(rig.closed_flow.remote.port, peer.at.port);
}

static void a_long_message_passes(void **state)
{
	(void)state;
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") "Content-Length: 60000\r\n\r\n%060000d", 0);
	peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(rig.request->body.n, 60000);
}

static void half_a_message_has_its_time(void **state)
{
	(void)state;
	limit((struct sip_transport_limits){.message_ms = 100});
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") END);
	peer_expect(&peer, "SIP/2.0 200");
	peer_send(&peer, NULL, "OPTIONS sip:bob");
	rig_wait(&rig, &rig.closed, 1);
}

static void who_says_nothing_is_let_go(void **state)
{
	(void)state;
	limit((struct sip_transport_limits){.first_ms = 50, .idle_ms = 300});
	peer_tcp(&peer, &rig);
	rig_wait(&rig, &rig.closed, 1);
	peer_close(&peer);
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") END);
	peer_expect(&peer, "SIP/2.0 200");
	rig_wait(&rig, &rig.closed, 2);
}

static void connections_are_counted_by_source(void **state)
{
	struct peer more[2];

	(void)state;
	limit((struct sip_transport_limits){.per_source = 2});
	for (unsigned i = 0; i < 2; i++) {
		peer_tcp(&more[i], &rig);
		peer_send(&more[i], NULL, OPTIONS("a") END);
		peer_expect(&more[i], "SIP/2.0 200");
	}
	peer_tcp(&peer, &rig);
	peer_expect(&peer, ""); /* closed at once, before it was a connection at all */
	assert_int_equal(peer.len, 0);
	assert_int_equal(rig.closed, 0);
	peer_close(&more[0]);
	rig_wait(&rig, &rig.closed, 1);
	peer_close(&peer);
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("b") END);
	peer_expect(&peer, "SIP/2.0 200");
	peer_close(&more[1]);
}

static void connections_are_counted_in_all(void **state)
{
	struct peer other;

	(void)state;
	limit((struct sip_transport_limits){.connections = 1});
	peer_tcp(&other, &rig);
	peer_send(&other, NULL, OPTIONS("a") END);
	peer_expect(&other, "SIP/2.0 200");
	peer_tcp(&peer, &rig);
	peer_expect(&peer, "");
	assert_int_equal(peer.len, 0);
	assert_int_equal(rig.closed, 0);
	peer_close(&other);
}

static struct sip_flow to_peer(void)
{
	return (struct sip_flow){.proto = SIP_TCP, .remote = peer.at};
}

static void a_connection_is_used_again(void **state)
{
	struct sip_flow flow;

	(void)state;
	peer_tcp_server(&peer, &rig);
	flow = to_peer();
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	peer_accept(&peer);
	peer_expect(&peer, "OPTIONS ");
	assert_non_null(strstr(header_of(peer.text, "Via"), "SIP/2.0/TCP 127.0.0.1:"));
	assert_non_null(strstr(header_of(peer.text, "Contact"), ";transport=tcp>"));
	rig_send(&rig, SIP_BYE, &flow, "");
	peer_expect(&peer, "BYE "); /* on the same one */
	/* What the peer asks there is answered there. */
	peer_send(&peer, NULL, OPTIONS("z") END);
	peer_expect(&peer, "SIP/2.0 200");
}

static void no_repeating_on_connections(void **state)
{
	struct sip_flow flow;
	char text[4096];

	(void)state;
	peer_tcp_server(&peer, &rig);
	flow = to_peer();
	rig_send(&rig, SIP_INVITE, &flow, "");
	peer_accept(&peer);
	peer_expect(&peer, "INVITE ");
	rig_run_ms(&rig, 5 * RIG_T1_MS);
	assert_int_equal(peer_drain(&peer, ""), 0);
	answer_to(text, sizeof(text), peer.text, 486, "t");
	peer_send(&peer, NULL, "%s", text);
	peer_expect(&peer, "ACK ");
	rig_wait_idle(&rig); /* nor timer D */
}

static void a_refused_connection_is_503(void **state)
{
	struct sip_flow flow;

	(void)state;
	peer_tcp_server(&peer, &rig);
	flow = to_peer();
	peer_close(&peer);
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	rig_wait_idle(&rig);
}

static void an_end_before_the_answer_is_503(void **state)
{
	struct sip_flow flow;

	(void)state;
	peer_tcp_server(&peer, &rig);
	flow = to_peer();
	for (unsigned i = 0; i < 3; i++)
		rig_send(&rig, SIP_OPTIONS, &flow, "");
	peer_accept(&peer);
	peer_expect(&peer, "OPTIONS ");
	close(peer.fd);
	peer.fd = -1;
	rig_wait(&rig, &rig.failures, 3);
	assert_int_equal(rig.failure, 503);
	rig_wait_idle(&rig);
}

/* RFC 3261 18.2.2: the connection is gone, the response goes to sent-by. */
static void an_answer_finds_its_way_without_the_connection(void **state)
{
	struct peer asker;

	(void)state;
	rig.answer = 0;
	peer_tcp_server(&peer, &rig);
	peer_tcp(&asker, &rig);
	peer_send(&asker, NULL,
		  "OPTIONS sip:b@e.net SIP/2.0\r\nVia: SIP/2.0/TCP "
		  "127.0.0.1:%u;branch=z9hG4bKw\r\n" DIALOG("w", "OPTIONS") END,
		  peer.at.port);
	rig_wait(&rig, &rig.requests, 1);
	peer_close(&asker);
	rig_wait(&rig, &rig.closed, 1);
	assert_int_equal(sip_server_tx_reply(rig.tx, 200, "OK", STR("ours"), STR_NONE), 0);
	peer_accept(&peer);
	peer_expect(&peer, "SIP/2.0 200");
}

static void what_waits_to_be_sent_is_bounded(void **state)
{
	struct sip_flow flow;
	char *text = malloc(60001);
	int ret = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 60000);
	text[60000] = '\0';
	peer_tcp_server(&peer, &rig);
	flow = to_peer();
	for (unsigned i = 0; !ret && i < 10000; i++) {
		ret = sip_transport_send(transport(), &flow, STR_NONE, str_of(text));
		rig_turn(&rig);
	}
	assert_int_equal(ret, -ENOBUFS);
	free(text);
}

static void sending_needs_a_listener_and_a_size(void **state)
{
	struct sip_flow tls = {.proto = SIP_TLS}, udp = {.proto = SIP_UDP}, six = udp;
	char *text = calloc(1, 70000);

	(void)state;
	assert_non_null(text);
	assert_int_equal(netaddr_parse(&tls.remote, STR("127.0.0.1:9")), 0);
	udp.remote = tls.remote;
	assert_int_equal(netaddr_parse(&six.remote, STR("[::1]:9")), 0);
	assert_int_equal(sip_transport_send(transport(), &tls, STR_NONE, STR("x")), -EHOSTUNREACH);
	assert_int_equal(sip_transport_choose(transport(), &six), -EHOSTUNREACH);
	assert_int_equal(sip_transport_send(transport(), &udp, STR_NONE, (struct str){text, 70000}),
			 -EMSGSIZE);
	assert_true(netaddr_eq(&udp.local, &rig.at[SIP_UDP]));
	free(text);
}

static void of_several_listeners_the_route_chooses(void **state)
{
	struct netaddr first = rig.at[SIP_UDP];
	struct sip_flow flow = {.proto = SIP_UDP};
	struct error err;

	(void)state;
	assert_int_equal(sip_transport_unlisten(transport(), SIP_UDP, &first), 0);
	rig_listen(&rig, SIP_UDP, "127.0.0.2", NULL);
	assert_int_equal(netaddr_parse(&flow.remote, STR("127.0.0.9:5060")), 0);
	assert_int_equal(sip_transport_choose(transport(), &flow), 0);
	assert_true(netaddr_eq(&flow.local, &rig.at[SIP_UDP])); /* there is no other */
	assert_int_equal(sip_transport_listen(transport(), SIP_UDP, &first, NULL, &err), 0);
	for (unsigned i = 0; i < 2; i++) { /* asked, and remembered */
		flow.local.port = 0;
		assert_int_equal(sip_transport_choose(transport(), &flow), 0);
		assert_true(netaddr_eq(&flow.local, &first));
	}
}

static void listeners_come_and_go(void **state)
{
	struct netaddr any = {.port = 5060}, at = rig.at[SIP_TCP];
	struct error err;

	(void)state;
	assert_int_equal(sip_transport_listen(transport(), SIP_UDP, &any, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "all zeros"));
	assert_int_equal(sip_transport_listen(transport(), SIP_UDP, &rig.at[SIP_UDP], NULL, &err),
			 -EADDRINUSE);
	assert_true(sip_transport_is_ours(transport(), &at));
	peer_tcp(&peer, &rig);
	peer_send(&peer, NULL, OPTIONS("a") END);
	peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(sip_transport_unlisten(transport(), SIP_TCP, &at), 0);
	assert_int_equal(sip_transport_unlisten(transport(), SIP_TCP, &at), -ENOENT);
	assert_false(sip_transport_is_ours(transport(), &at));
	/* What is connected goes on. */
	peer_send(&peer, NULL, OPTIONS("b") END);
	peer_expect(&peer, "SIP/2.0 200");
	assert_int_equal(sip_transport_listen(transport(), SIP_TCP, &at, NULL, &err), 0);
}

/* Each network has its own connection to the same peer, and loses it alone. */
static void another_address_of_ours_connects_anew(void **state)
{
	struct sip_flow first, second;
	struct error err;
	int fd;

	(void)state;
	peer_tcp_server(&peer, &rig);
	first = second = to_peer();
	first.local = rig.at[SIP_TCP];
	assert_int_equal(netaddr_parse(&second.local, STR("127.0.0.2:5060")), 0);
	assert_int_equal(sip_transport_listen(transport(), SIP_TCP, &second.local, NULL, &err), 0);
	rig_send(&rig, SIP_OPTIONS, &first, "");
	peer_accept(&peer);
	peer_expect(&peer, "OPTIONS ");
	fd = peer.fd;
	peer.fd = -1;
	rig_send(&rig, SIP_BYE, &second, "");
	peer_accept(&peer);
	assert_int_not_equal(peer.fd, fd);
	peer_expect(&peer, "BYE ");
	assert_non_null(strstr(header_of(peer.text, "Via"), "SIP/2.0/TCP 127.0.0.2:"));
	sip_transport_disconnect(transport(), &second.local);
	rig_wait(&rig, &rig.closed, 1);
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	assert_true(netaddr_eq(&rig.closed_flow.local, &second.local));
	sip_transport_disconnect(transport(), &second.local); /* others are, but none of that */
	close(peer.fd);
	peer.fd = fd;
	rig_send(&rig, SIP_MESSAGE, &first, "");
	peer_expect(&peer, "MESSAGE ");
	assert_int_equal(rig.closed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keepalive_datagrams_are_not_messages),
		TEST(too_long_a_datagram_is_refused),
		TEST(many_datagrams_are_all_read),
		TEST(ipv6_works_alike),
		TEST(a_request_is_answered_on_its_connection),
		TEST(a_ping_gets_its_pong),
		TEST(a_bad_length_is_answered_and_the_connection_closed),
		TEST(too_long_a_message_closes),
		TEST(a_long_message_passes),
		TEST(half_a_message_has_its_time),
		TEST(who_says_nothing_is_let_go),
		TEST(connections_are_counted_by_source),
		TEST(connections_are_counted_in_all),
		TEST(a_connection_is_used_again),
		TEST(another_address_of_ours_connects_anew),
		TEST(no_repeating_on_connections),
		TEST(a_refused_connection_is_503),
		TEST(an_end_before_the_answer_is_503),
		TEST(an_answer_finds_its_way_without_the_connection),
		TEST(what_waits_to_be_sent_is_bounded),
		TEST(sending_needs_a_listener_and_a_size),
		TEST(of_several_listeners_the_route_chooses),
		TEST(listeners_come_and_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
