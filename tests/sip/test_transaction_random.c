// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whatever comes in whatever order, and whatever the user does meanwhile that it may: transactions
 * end, nothing is used after its end (the sanitizer build sees), and the last request is served.
 */
#include "stack_rig.h"

#include <event2/event.h>
#include <unistd.h>

#define STEPS 40000u
#define SLOTS 16u
#define SENT 16u /* requests of ours that the peer remembers, to answer them */

struct server_slot {
	struct sip_server_tx *tx;
	bool accepted;
};

struct client_slot {
	struct sip_client_tx *tx;
};

static struct rig rig;
static struct peer peer;
static struct server_slot servers[SLOTS];
static struct client_slot clients[SLOTS];
static char sent[SENT][4096];
static unsigned sents, requests;
static uint64_t random_ = 88172645463325252ull;

static unsigned dice(unsigned sides)
{
	random_ ^= random_ << 13;
	random_ ^= random_ >> 7;
	random_ ^= random_ << 17;
	return (unsigned)(random_ >> 33) % sides;
}

/* ---- the user, who keeps to the rules -------------------------------------------------------- */

static void reply(struct server_slot *slot)
{
	static const int statuses[] = {100, 180, 183, 200, 200, 302, 401, 408, 486, 503, 603};
	int status = statuses[dice(sizeof(statuses) / sizeof(statuses[0]))];
	struct sip_message *request = slot->tx ? sip_server_tx_request(slot->tx) : NULL;
	bool invite = request && request->method == SIP_INVITE;

	if (!slot->tx || slot->accepted || (!invite && status > 100 && status < 200))
		return;
	sip_server_tx_reply(slot->tx, status, sip_reason(status), STR("ours"), STR_NONE);
	slot->accepted = invite && status == 200;
	if (status >= 200 && !slot->accepted)
		slot->tx = NULL;
}

static void on_cancelled(void *context, struct sip_message *cancel)
{
	struct server_slot *slot = context;

	assert_int_equal(cancel->method, SIP_CANCEL);
	if (dice(2)) {
		sip_server_tx_reply(slot->tx, 487, sip_reason(487), STR("ours"), STR_NONE);
		slot->tx = NULL;
	}
}

static void on_unacknowledged(void *context)
{
	struct server_slot *slot = context;

	assert_true(slot->accepted);
	slot->tx = NULL;
}

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	static const struct sip_server_tx_handlers handlers = {on_cancelled, on_unacknowledged};
	unsigned i = 0;

	(void)context;
	(void)request;
	requests++;
	while (i < SLOTS && servers[i].tx)
		i++;
	if (i == SLOTS) {
		sip_server_tx_reply(tx, 503, "Full", STR("ours"), STR_NONE);
		return;
	}
	servers[i] = (struct server_slot){.tx = tx};
	sip_server_tx_handle(tx, &handlers, &servers[i]);
	if (dice(2))
		reply(&servers[i]);
}

static void on_ack(void *context, struct sip_message *ack)
{
	struct server_slot *slot = &servers[dice(SLOTS)];

	(void)context;
	assert_int_equal(ack->method, SIP_ACK);
	if (!slot->tx || !slot->accepted)
		return;
	sip_server_tx_acked(slot->tx);
	slot->tx = NULL;
}

static void on_response(void *context, struct sip_message *response)
{
	struct client_slot *slot = context;

	assert_non_null(slot->tx);
	if (response->status >= 200 && response->status < 300 && response->method == SIP_INVITE) {
		if (dice(2)) {
			sip_client_tx_forget(slot->tx);
			slot->tx = NULL;
		}
	} else if (response->status >= 200) {
		slot->tx = NULL;
	} else if (!dice(4)) {
		sip_client_tx_cancel(slot->tx, STR_NONE);
	}
}

static void on_failed(void *context, int status)
{
	struct client_slot *slot = context;

	assert_true(status == 408 || status == 503);
	assert_non_null(slot->tx);
	slot->tx = NULL;
}

static void call_out(struct client_slot *slot)
{
	static const struct sip_client_tx_handlers handlers = {on_response, on_failed};
	static const enum sip_proto protos[] = {SIP_UDP, SIP_UDP, SIP_TCP};
	struct sip_flow flow = {.proto = protos[dice(3)], .remote = peer.at};
	static const char *const methods[] = {"INVITE", "OPTIONS", "BYE"};
	const char *method = methods[dice(3)];
	char text[400];
	struct sip_outgoing outgoing = {
		.method = sip_method_of(str_of(method)), .flow = &flow, .contact = true};

	if (slot->tx)
		return;
	if (flow.proto == SIP_TCP) /* to ourselves, or where nobody listens */
		flow.remote.port = dice(4) ? rig.at[SIP_TCP].port : 9;
	snprintf(text, sizeof(text),
		 "%s sip:b@e.net SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@e.net>;tag=%u\r\n"
		 "To: <sip:b@e.net>\r\nCall-ID: %u\r\nCSeq: 1 %s\r\n" END,
		 method, dice(1u << 30), dice(1u << 30), method);
	outgoing.text = str_of(text);
	if (sip_client_send(rig.stack, &outgoing, &handlers, slot, &slot->tx) < 0)
		slot->tx = NULL;
}

/* A 2xx keeps its INVITE's transaction for 64 T1 only: by then it has to be forgotten. */
static void forget(struct client_slot *slot)
{
	if (slot->tx)
		sip_client_tx_forget(slot->tx);
	slot->tx = NULL;
}

/* ---- the peer, who does not ------------------------------------------------------------------ */

static void send_something(void)
{
	static const char *const methods[] = {"INVITE", "INVITE", "ACK",     "ACK",
					      "CANCEL", "BYE",	  "OPTIONS", "FOO"};
	const char *method = methods[dice(8)];
	unsigned branch = dice(40), cut = dice(20) ? 0 : dice(300);
	char text[600];

	snprintf(text, sizeof(text),
		 "%s sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=%s%u%s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a%u\r\n"
		 "To: <sip:bob@example.net>%s\r\nCall-ID: c%u\r\nCSeq: %u %s\r\n" CONTACT END,
		 method, peer.at.port, dice(8) ? "z9hG4bK" : "", branch, dice(2) ? ";rport" : "",
		 branch % 8, dice(3) ? "" : ";tag=ours", branch % 8, 1 + dice(2), method);
	if (cut)
		text[cut] = dice(2) ? '\0' : (char)dice(256);
	if (text[0])
		peer_send(&peer, &rig.at[SIP_UDP], "%s", text);
}

static void answer_something(void)
{
	static const int statuses[] = {100, 180, 183, 200, 200, 302, 408, 486, 487, 503, 603};
	char text[4096], tag[8];

	for (unsigned i = 0; i < 4; i++) {
		if (!peer_drain(&peer, ""))
			break;
		if (!memcmp(peer.text, "SIP/2.0", 7) || !memcmp(peer.text, "ACK", 3))
			continue;
		snprintf(sent[sents++ % SENT], sizeof(sent[0]), "%.4000s", peer.text);
	}
	if (!sents)
		return;
	snprintf(tag, sizeof(tag), "t%u", dice(6));
	answer_to(text, sizeof(text), sent[dice(sents < SENT ? sents : SENT)],
		  statuses[dice(sizeof(statuses) / sizeof(statuses[0]))], tag);
	peer_send(&peer, &rig.at[SIP_UDP], "%s", text);
}

static void step(void)
{
	switch (dice(8)) {
	case 0:
	case 1:
		send_something();
		break;
	case 2:
	case 3:
		answer_something();
		break;
	case 4:
		reply(&servers[dice(SLOTS)]);
		break;
	case 5:
		call_out(&clients[dice(SLOTS)]);
		break;
	case 6:
		if (!dice(4))
			forget(&clients[dice(SLOTS)]);
		break;
	default:
		event_base_loop(rig.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		break;
	}
}

static void settle_users(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		forget(&clients[i]);
		if (servers[i].tx && servers[i].accepted)
			sip_server_tx_acked(servers[i].tx);
		else if (servers[i].tx)
			sip_server_tx_reply(servers[i].tx, 500, "Enough", STR("ours"), STR_NONE);
		servers[i].tx = NULL;
	}
}

static void anything_ends(void **state)
{
	static const struct sip_stack_handlers handlers = {.request = on_request, .ack = on_ack};
	const struct sip_stack_config config = {.t1_ms = 4, .t2_ms = 16, .t4_ms = 8};
	unsigned before;
	struct error err;

	(void)state;
	rig_open(&rig, &config);
	sip_stack_free(rig.stack); /* one with the user of this test in its place */
	assert_int_equal(sip_stack_alloc(&rig.stack, rig.base, rig.wheel, rig.log, &config,
					 &handlers, NULL, &err),
			 0);
	rig_listen(&rig, SIP_UDP, "127.0.0.1", NULL);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
	peer_udp(&peer, &rig, "127.0.0.1");
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		if (!(i % 16))
			rig_turn(&rig);
		if (!(i % 250)) { /* let timers have their turn, and 2xx be forgotten in time */
			for (unsigned k = 0; k < SLOTS; k++)
				forget(&clients[k]);
			rig_run_ms(&rig, 20);
		}
	}
	do { /* users may be called while others are settled */
		settle_users();
		before = requests;
		rig_run_ms(&rig, 50);
	} while (requests != before);
	settle_users();
	rig_wait_idle(&rig);
	assert_true(requests > 100);
	peer_close(&peer);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anything_ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("random transactions", tests, NULL, NULL);
}
