// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that runs out at each allocation in turn: nothing breaks or leaks, all transactions end,
 * and the next request is served. (malloc, calloc and realloc of our objects are wrapped.)
 */
#include "stack_rig.h"

#include <unistd.h>

#include "dns_rig.h"

#define MOST_ALLOCATIONS 3000u

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned left; /* allocations until one fails; 0: none does */
static bool failed;

static bool fails(void)
{
	if (!left || --left)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static const struct zone_record zone[] = {
	{ZONE_A, "here.test", "127.0.0.1", 0, 0, 0, 0, NULL},
};

static struct rig rig;
static struct peer peer;
static struct dns_rig dns;
static unsigned round_; /* makes each round's branches its own */

static int set_up(void **state)
{
	struct sip_stack_config config = {
		.t1_ms = 2, .t2_ms = 8, .t4_ms = 4, .nameserver = &dns.at, .nameservers = 1};

	(void)state;
	dns_rig_bind(&dns, zone, 1);
	rig_open(&rig, &config);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
	dns_rig_serve(&dns, rig.base);
	peer_udp(&peer, &rig, "127.0.0.1");
	rig.handle = true;
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

static void a_request_by_connection(void)
{
	struct sip_flow flow = {.proto = SIP_TCP, .remote = rig.at[SIP_TCP]};
	unsigned requests = rig.requests;

	/* To ourselves: both ends of the connection are ours. */
	if (rig_try_send(&rig, SIP_OPTIONS, &flow, "", NULL) < 0)
		return;
	settle();
	reply(requests, 200);
	settle();
}

static void check_service(void)
{
	unsigned requests = rig.requests;

	left = 0;
	rig_wait_idle(&rig);
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
		failed = false;
		left = n;
		act();
		check_service();
	} while (failed);
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

static void connections_are_made(void **state)
{
	(void)state;
	sweep(a_request_by_connection);
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
		failed = false;
		left = ++n;
		ret = sip_stack_alloc(&stack, rig.base, rig.wheel, rig.log, &config, &handlers,
				      NULL, &err);
		left = 0;
		if (ret)
			assert_int_equal(ret, -ENOMEM);
		else
			sip_stack_free(stack);
	} while (failed);
	assert_true(n > 10);
	assert_int_equal(ret, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stack_begins),
		TEST(calls_come_in),
		TEST(calls_that_come_in_are_cancelled),
		TEST(calls_that_go_out_are_refused),
		TEST(calls_that_go_out_are_cancelled),
		TEST(names_are_resolved),
		TEST(connections_are_made),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memory of transactions", tests, NULL, NULL);
}
