// SPDX-License-Identifier: BSD-2-Clause
/* What the other side asks for in a dialog, and our answers. */
#include <errno.h>

#include "call.h"
#include "leg.h"
#include "way.h"

#define APPLICATION_SDP STR("application/sdp")

static void cancelled(void *context, struct sip_message *cancel)
{
	struct ua_leg *leg = context;

	(void)cancel;
	if (leg->state != UA_LEG_RINGING)
		return;
	ua_leg_answer(leg, 487);
	ua_call_lost(leg->call, leg, "cancelled");
}

/* PH-10: a dialog that nobody confirmed is ended. */
static void unacknowledged(void *context)
{
	struct ua_leg *leg = context;

	leg->incoming = NULL;
	leg->incoming_late = false;
	oa_abandon(&leg->oa);
	ua_call_unconfirmed(leg->call, leg);
}

static const struct sip_server_tx_handlers handlers = {cancelled, unacknowledged};

/* Where the request reached us, unless we have moved since. */
static struct sip_flow own_flow(const struct ua_leg *leg, const struct sip_message *request)
{
	struct ua_way way;

	if (leg->roamed && !ua_way_of(leg->call->ua, leg->network, leg->dialog, &way))
		return way.flow;
	return request->flow;
}

int ua_leg_write_response(struct ua_leg *leg, struct sip_server_tx *tx, int status,
			  struct str headers, struct str body, struct buf *out)
{
	const struct sip_message *request = sip_server_tx_request(tx);
	struct sip_flow flow = own_flow(leg, request);

	sip_write_response(out, request, status, NULL, str_of(leg->dialog->local_tag), true);
	if (status < 300 && status > 100) {
		buf_add(out, STR("Contact: "));
		sip_write_contact(out, &flow, str_of(leg->call->ua->user));
		buf_add(out, STR("\r\n"));
		sip_write_header(out, "Allow", STR(UA_ALLOW));
		sip_write_header(out, "Supported", str_of(ua_call_supported(leg->call->ua)));
	}
	if (status == 500 || status == 491)
		sip_write_header_u64(out, "Retry-After", 1);
	buf_add(out, headers);
	sip_write_body(out, APPLICATION_SDP, body);
	return buf_error(out);
}

static int reply(struct ua_leg *leg, struct sip_server_tx *tx, int status, struct str body)
{
	struct buf text = BUF_EMPTY;
	int ret = ua_leg_write_response(leg, tx, status, STR_NONE, body, &text);

	if (!ret)
		ret = sip_server_tx_send(tx, buf_str(&text));
	buf_free(&text);
	return ret;
}

/* The answer to the request's offer; ours, when it had none. 0 or a status. */
static int write_description(struct ua_leg *leg, struct sip_server_tx *tx, bool invite,
			     struct buf *out)
{
	const struct sip_message *request = sip_server_tx_request(tx);

	if (invite && leg->settled)
		return 0;
	if (request->body.n)
		return ua_leg_make_answer(leg, leg->network, request->body, out);
	if (!invite)
		return 0; /* UPDATE without an offer refreshes a session, no more */
	if (ua_leg_write_offer(leg, leg->network, leg->wanted, out))
		return 500;
	leg->incoming_late = true;
	return 0;
}

/* The 2xx or a refusal; what waits for an ACK is leg->incoming. */
static int answer_offer(struct ua_leg *leg, struct sip_server_tx *tx, bool invite)
{
	struct buf body = BUF_EMPTY;
	int status = write_description(leg, tx, invite, &body), ret;

	if (!status && invite) {
		leg->incoming = tx;
		sip_server_tx_handle(tx, &handlers, leg);
	}
	ret = reply(leg, tx, status ? status : 200, status ? STR_NONE : buf_str(&body));
	buf_free(&body);
	if (status || ret)
		leg->incoming = NULL;
	return status ? status : ret ? 500 : 200;
}

void ua_leg_ring(struct ua_leg *leg)
{
	const struct sip_message *invite = sip_server_tx_request(leg->incoming);

	sip_server_tx_handle(leg->incoming, &handlers, leg);
	leg->updates = sip_header_has_token(invite, "Allow", STR("UPDATE"));
	if (!leg->call->ua->options->early || ua_leg_answer_early(leg))
		reply(leg, leg->incoming, 180, STR_NONE);
}

int ua_leg_answer(struct ua_leg *leg, int status)
{
	struct sip_server_tx *tx = leg->incoming;

	if (!tx || leg->state != UA_LEG_RINGING)
		return 0;
	if (status >= 300) {
		leg->incoming = NULL;
		sip_server_tx_forget(tx);
		reply(leg, tx, status, STR_NONE);
		return status;
	}
	status = answer_offer(leg, tx, true);
	if (status != 200) {
		ua_call_lost(leg->call, leg, "no description that we understand");
		return status;
	}
	leg->unconfirmed = !leg->settled;
	leg->settled = false;
	leg->dialog->state = SIP_DIALOG_CONFIRMED;
	leg->state = UA_LEG_UP;
	ua_call_aim(leg->call);
	return 200;
}

void ua_leg_receive_offer(struct ua_leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	bool invite = request->method == SIP_INVITE;
	enum sdp_direction before = leg->agreed.stream[UA_AUDIO].direction;
	int status = sip_dialog_in_order(leg->dialog, request);

	/* RFC 3261 14.2, RFC 3311 5.2: ours is out, or theirs waits already. */
	if (!status && invite && (leg->request || leg->incoming))
		status = leg->incoming ? 500 : 491;
	if (!status && !invite && request->body.n && leg->state == UA_LEG_RINGING && !leg->settled)
		status = 500;
	if (status) {
		reply(leg, tx, status, STR_NONE);
		return;
	}
	if (answer_offer(leg, tx, invite) != 200)
		return;
	sip_dialog_refresh(leg->dialog, request);
	ua_call_aim(leg->call);
	if (request->body.n)
		ua_call_redirected(leg->call, leg, before);
}

void ua_leg_receive_ack(struct ua_leg *leg, struct sip_message *ack)
{
	struct error err = {""};

	if (!leg->incoming)
		return;
	sip_server_tx_acked(leg->incoming);
	leg->incoming = NULL;
	leg->unconfirmed = false;
	if (leg->incoming_late && ua_leg_take_answer(leg, ack->body, &err)) {
		leg->incoming_late = false;
		oa_abandon(&leg->oa);
		ua_call_unconfirmed(leg->call, leg);
		return;
	}
	leg->incoming_late = false;
	ua_call_aim(leg->call);
}
