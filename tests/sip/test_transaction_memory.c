// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that runs out at each allocation in turn: nothing breaks or leaks, all transactions end,
 * and the next request is served. Ours, and those of libevent, OpenSSL and c-ares.
 */
#include "stack_rig.h"

#include <sys/socket.h>
#include <unistd.h>

#include "dns_rig.h"
#include "oom_libraries.h"
#include "tls_rig.h"

#define MOST_ALLOCATIONS 20000u

static const struct zone_record zone[] = {
	{ZONE_A, "here.test", "127.0.0.1", 0, 0, 0, 0, NULL},
};

static struct rig rig;
static struct peer peer;
static struct dns_rig dns;
static unsigned round_; /* makes each round's branches its own */
static char directory[] = "/tmp/segue-memory-XXXXXX";
static char certificate_file[64], key_file[64];

static int make_files(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(certificate_file, sizeof(certificate_file), "%s/cert.pem", directory);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", directory);
	certificate = tls_rig_certificate("here.test", "IP:127.0.0.1", key, NULL, NULL);
	tls_rig_write(certificate_file, certificate);
	tls_rig_write_key(key_file, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(certificate_file);
	unlink(key_file);
	return rmdir(directory);
}

static struct sip_tls_config files(void)
{
	return (struct sip_tls_config){.own = {certificate_file, key_file}, .ca = certificate_file};
}

static void open_all(unsigned t1_ms)
{
	struct sip_stack_config config = {.t1_ms = t1_ms,
					  .t2_ms = 4 * t1_ms,
					  .t4_ms = 2 * t1_ms,
					  .nameserver = &dns.at,
					  .nameservers = 1};
	const struct sip_tls_config tls = files();

	dns_rig_bind(&dns, zone, 1);
	rig_open(&rig, &config);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &tls);
	dns_rig_serve(&dns, rig.base);
	peer_udp(&peer, &rig, "127.0.0.1");
	rig.handle = true;
}

static int set_up(void **state)
{
	(void)state;
	open_all(2);
	return 0;
}

/* A handshake takes its time on a busy machine. */
static int set_up_patient(void **state)
{
	(void)state;
	open_all(20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&peer);
	dns_rig_close(&dns);
	rig_close(&rig);
	return 0;
}

static void send_request(const char *method, unsigned number, const char *to_tag)
{
	peer_send(&peer, &rig.at[SIP_UDP],
		  "%s sip:bob@example.net SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u-%u;rport\r\n"
		  "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
		  "To: <sip:bob@example.net>%s\r\nCall-ID: %u-%u\r\nCSeq: 1 %s\r\n" CONTACT END,
		  method, peer.at.port, round_, number, to_tag, round_, number, method);
}

static void settle(void)
{
	rig_run_ms(&rig, 12);
}

/* Answers what the peer received last, if it is such a request. */
static void answer_last(const char *start, int status)
{
	char text[4096];

	peer_drain(&peer, "");
	if (strncmp(peer.text, start, strlen(start)) != 0)
		return;
	answer_to(text, sizeof(text), peer.text, status, "t");
	peer_send(&peer, &rig.at[SIP_UDP], "%s", text);
	settle();
}

static void reply(unsigned requests, int status)
{
	if (rig.requests > requests)
		sip_server_tx_reply(rig.tx, status, sip_reason(status), STR("ours"), STR_NONE);
}

/* ---- what is done while memory runs out ------------------------------------------------------ */

static void a_call_in(void)
{
	unsigned requests = rig.requests, acks = rig.acks;

	send_request("INVITE", 1, "");
	settle();
	reply(requests, 180);
	reply(requests, 200);
	settle();
	send_request("ACK", 2, ";tag=ours");
	settle();
	if (rig.requests > requests && rig.acks > acks)
		sip_server_tx_acked(rig.tx);
}

static void a_cancelled_call_in(void)
{
	unsigned requests = rig.requests;

	send_request("INVITE", 3, "");
	settle();
	send_request("CANCEL", 3, "");
	settle();
	reply(requests, 487);
	settle();
}

static void a_refused_call_out(void)
{
	const struct sip_flow flow = {.proto = SIP_UDP, .remote = peer.at};

	if (rig_try_send(&rig, SIP_INVITE, &flow, "", NULL) < 0)
		return;
	answer_last("INVITE", 100);
	answer_last("INVITE", 486);
	answer_last("INVITE", 486); /* again, unless the ACK came: as a peer would */
}

static void a_cancelled_call_out(void)
{
	const struct sip_flow flow = {.proto = SIP_UDP, .remote = peer.at};
	struct sip_client_tx *tx;

	if (rig_try_send(&rig, SIP_INVITE, &flow, "", &tx) < 0)
		return;
	sip_client_tx_cancel(tx, STR("SIP;cause=200"));
	answer_last("INVITE", 180);
	answer_last("CANCEL", 200);
}

static void a_request_by_name(void)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "sip:here.test:%u", peer.at.port);
	if (rig_try_send(&rig, SIP_OPTIONS, NULL, uri, NULL) < 0)
		return;
	settle();
	answer_last("OPTIONS", 200);
}

/* To ourselves, both ends of the connection are ours; until there is an answer, or none comes. */
static void request_to_us(enum sip_proto proto)
{
	struct sip_flow flow = {.proto = proto, .remote = rig.at[proto]};
	unsigned responses = rig.responses + rig.failures;
	struct sip_stack_stats stats = {.client_transactions = 1};
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;

	rig.answer = 200; /* to what comes after we gave up, too */
	if (rig_try_send(&rig, SIP_OPTIONS, &flow, "", NULL) < 0)
		stats.client_transactions = 0;
	while (stats.client_transactions && rig.responses + rig.failures == responses) {
		assert_true(wheel_now_ms() < end);
		rig_turn(&rig);
		sip_stack_stats(rig.stack, &stats);
	}
}

static void request_by(enum sip_proto proto)
{
	sip_transport_disconnect(sip_stack_transport(rig.stack), &rig.at[proto]);
	request_to_us(proto);
	request_to_us(proto);
}

static void check_service(void)
{
	unsigned requests;

	oom_disarm();
	rig_wait_idle(&rig);
	rig.answer = 0;
	requests = rig.requests;
	send_request("OPTIONS", 9, "");
	rig_wait(&rig, &rig.requests, requests + 1);
	assert_int_equal(sip_server_tx_reply(rig.tx, 200, "OK", STR("ours"), STR_NONE), 0);
	rig_wait_idle(&rig);
	peer_drain(&peer, "");
	peer.text[0] = '\0';
}

static void sweep(void (*act)(void))
{
	unsigned n = 0;

	do {
		assert_true(++n < MOST_ALLOCATIONS);
		round_++;
		oom_arm(n);
		act();
		check_service();
	} while (oom_hit);
	assert_true(n > 2);
}

static void calls_come_in(void **state)
{
	(void)state;
	sweep(a_call_in);
}

static void calls_that_come_in_are_cancelled(void **state)
{
	(void)state;
	sweep(a_cancelled_call_in);
}

static void calls_that_go_out_are_refused(void **state)
{
	(void)state;
	sweep(a_refused_call_out);
}

static void calls_that_go_out_are_cancelled(void **state)
{
	(void)state;
	sweep(a_cancelled_call_out);
}

static void names_are_resolved(void **state)
{
	(void)state;
	sweep(a_request_by_name);
}

/*
 * A handshake takes some thousands: each of the first, then some of them. OOM_EACH=1: each of them,
 * in minutes.
 */
static unsigned after(unsigned n)
{
	return n < 40 || getenv("OOM_EACH") ? n + 1 : n + 61;
}

/* A connection that found no memory is closed, and another one serves. */
static void sweep_connections(enum sip_proto proto)
{
	unsigned n = 0, responses;

	do {
		n = after(n);
		assert_true(n < MOST_ALLOCATIONS);
		oom_arm(n);
		request_by(proto);
		oom_disarm();
		responses = rig.responses;
		/* The first one may meet the end of the old one. */
		for (unsigned tries = 0; rig.responses == responses; tries++) {
			if (tries == 3)
				fail_msg("allocation %u: no connection after it", n);
			request_to_us(proto);
		}
	} while (oom_hit);
	check_service();
}

static void connections_are_made(void **state)
{
	(void)state;
	sweep_connections(SIP_TCP);
}

static void tls_connections_are_made(void **state)
{
	(void)state;
	sweep_connections(SIP_TLS);
}

/* All of the new certificates, or the former ones. */
static void certificates_are_read_again(void **state)
{
	struct sip_transport *transport = sip_stack_transport(rig.stack);
	const struct sip_tls_config tls = files();
	struct error err;
	unsigned n = 0;
	int ret;

	(void)state;
	do {
		n = after(n);
		assert_true(n < MOST_ALLOCATIONS);
		err.text[0] = '\0';
		oom_arm(n);
		ret = sip_transport_renew(transport, &rig.at[SIP_TLS], &tls, &err);
		oom_disarm();
		if (ret)
			assert_true(oom_hit && err.text[0]);
	} while (oom_hit);
	assert_true(n > 100);
	assert_int_equal(ret, 0);
	request_to_us(SIP_TLS);
	assert_int_equal(rig.responses, 1);
}

/* A request in pieces, since what is put together takes memory. */
static void send_in_pieces(struct peer *client, unsigned number)
{
	static char text[8000];
	int length = snprintf(text, sizeof(text),
			      "OPTIONS sip:bob@example.net SIP/2.0\r\n"
			      "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bK%u-%u\r\n"
			      "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"
			      "To: <sip:bob@example.net>\r\nCall-ID: tcp%u-%u\r\n"
			      "CSeq: 1 OPTIONS\r\nSubject: %06000d\r\nContent-Length: 0\r\n\r\n",
			      client->at.port, round_, number, round_, number, 0);

	for (int at = 0; at < length; at += 1500) {
		int part = length - at < 1500 ? length - at : 1500;

		send(client->fd, text + at, (size_t)part, MSG_NOSIGNAL);
		rig_turn(&rig);
	}
}

/* What comes, until that answer or the end of the connection; nobody is left waiting. */
static bool hears(struct peer *client, unsigned n)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "tcp%u-2\r\n", round_);
	for (;;) {
		ssize_t got =
			recv(client->fd, client->text, sizeof(client->text) - 1, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return false;
		client->text[got > 0 ? got : 0] = '\0';
		if (strstr(client->text, wanted))
			return true;
		if (wheel_now_ms() > end)
			fail_msg("allocation %u: neither an answer nor an end", n);
		rig_turn(&rig);
	}
}

static void clients_are_answered_or_closed(void **state)
{
	unsigned n = 0, closed = 0;
	struct peer client;

	(void)state;
	rig.answer = 200;
	do {
		assert_true(++n < MOST_ALLOCATIONS);
		round_++;
		oom_arm(n);
		peer_tcp(&client, &rig);
		send_in_pieces(&client, 1);
		oom_disarm();
		send_in_pieces(&client, 2);
		closed += !hears(&client, n);
		peer_close(&client);
	} while (oom_hit);
	assert_in_range(closed, 5, n - 1);
	check_service();
}

static void a_stack_begins(void **state)
{
	static const struct sip_stack_handlers handlers = {.ack = NULL};
	const struct sip_stack_config config = {.nameserver = &dns.at, .nameservers = 1};
	struct sip_stack *stack;
	struct error err;
	unsigned n = 0;
	int ret;

	(void)state;
	do {
		oom_arm(++n);
		ret = sip_stack_alloc(&stack, rig.base, rig.wheel, rig.log, &config, &handlers,
				      NULL, &err);
		oom_disarm();
		if (ret)
			assert_int_equal(ret, -ENOMEM);
		else
			sip_stack_free(stack);
	} while (oom_hit);
	assert_true(n > 10);
	assert_int_equal(ret, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PATIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_patient, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stack_begins),
		TEST(calls_come_in),
		TEST(calls_that_come_in_are_cancelled),
		TEST(calls_that_go_out_are_refused),
		TEST(calls_that_go_out_are_cancelled),
		TEST(names_are_resolved),
		PATIENT_TEST(connections_are_made),
		PATIENT_TEST(tls_connections_are_made),
		PATIENT_TEST(certificates_are_read_again),
		PATIENT_TEST(clients_are_answered_or_closed),
	};

	if (!oom_reach_libraries())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memory of transactions", tests, make_files,
					   remove_files);
}
