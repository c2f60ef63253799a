// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests inside dialogs: what one party asks, the other one answers (exchange_answer.c). A party
 * that only moves is answered by us (SG-40).
 */
#include "call/handover.h"
#include "call/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the object ----------------------------------------------------------------------------- */

struct exchange *exchange_alloc(struct leg *from, struct leg *to, struct sip_server_tx *tx,
				enum sip_method method)
{
	struct call *call = from ? from->call : to->call;
	struct exchange *exchange;

	if (call->exchange_count >= CALL_EXCHANGES)
		return NULL;
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->call = call;
	exchange->from = from;
	exchange->to = to;
	exchange->in = tx;
	exchange->method = method;
	list_append(&call->exchanges, &exchange->link);
	call->exchange_count++;
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	struct call *call = exchange->call;

	list_remove(&exchange->link);
	call->exchange_count--;
	if (call->offering == exchange)
		call->offering = NULL;
	if (exchange->out)
		sip_client_tx_forget(exchange->out);
	if (exchange->in)
		sip_server_tx_forget(exchange->in);
	free(exchange);
}

void exchange_abandon(struct exchange *exchange, int status)
{
	if (exchange->out)
		sip_client_tx_cancel(exchange->out, STR_NONE);
	if (exchange->in)
		leg_refuse(exchange->from, exchange->in, status, NULL);
	exchange_free(exchange);
}

void exchange_abandon_leg(struct leg *leg, int status)
{
	list_for_each(node, after, &leg->call->exchanges)
	{
		struct exchange *exchange = container_of(node, struct exchange, link);

		if (exchange->from != leg && exchange->to != leg)
			continue;
		if (exchange->offers && exchange->from && exchange->from != leg)
			offer_abandon(exchange->from);
		if (exchange->offers && exchange->to && exchange->to != leg)
			offer_abandon(exchange->to);
		exchange_abandon(exchange, status);
	}
}

/* The call goes on, with what waited behind this one. */
void exchange_done(struct exchange *exchange)
{
	struct call *call = exchange->call;
	struct calls *calls = call->calls;
	char id[SIP_TOKEN_LEN];
	void (*after)(struct call * call, int status) = exchange->after;
	int status = exchange->status;
	struct leg *back = exchange->put_back ? exchange->to : NULL;
	bool over = exchange->over;

	exchange_free(exchange);
	if (over) {
		call_end(call, 481, STR_NONE, "subscription is over", NULL);
		return;
	}
	journal_save(call);
	if (back)
		exchange_put_back(back);
	if (after) {
		memcpy(id, call->id, sizeof(id));
		after(call, status); /* may end the call */
		call = call_find(calls, str_of(id));
	}
	if (call)
		attempt_resume(call);
}

/* ---- refused at the door --------------------------------------------------------------------- */

/* RFC 3261 14.2: somewhere in the next ten seconds, not all at the same time. */
void exchange_refuse_for_now(struct leg *leg, struct sip_server_tx *tx)
{
	char text[40];

	snprintf(text, sizeof(text), "Retry-After: %u\r\n",
		 (unsigned)(call_clock_ns() / 1024 % 10 + 1));
	leg_respond(leg, tx, 500, NULL, str_of(text), STR_NONE, STR_NONE);
}

/* One offer at a time in the whole call: those of the two sides would cross in the middle. */
static bool is_busy(struct leg *leg, struct sip_server_tx *tx, const struct sip_message *request)
{
	const struct call *call = leg->call;
	const struct exchange *offering = call->offering;

	if (offering && offering->from != leg) {
		leg_refuse(leg, tx, 491, NULL);
		return true;
	}
	if (offering || call->change.waiting || leg->unacked ||
	    (request->method == SIP_INVITE && call->state != CALL_UP)) {
		exchange_refuse_for_now(leg, tx);
		return true;
	}
	return false;
}

/* ---- across ---------------------------------------------------------------------------------- */

static void cancelled(void *context, struct sip_message *cancel)
{
	struct exchange *exchange = context;

	/* It is answered by what the other party makes of it: 487, or 200 when that was faster. */
	if (exchange->out)
		sip_client_tx_cancel(exchange->out, headers_reason(cancel));
}

static const struct sip_server_tx_handlers invite_handlers = {cancelled, NULL};

/* Of what the party's leg understands: UPDATE only where it is known (RFC 3311). */
static struct str method_for(const struct exchange *exchange, const struct sip_message *request)
{
	if (request->method == SIP_UPDATE && !exchange->to->updates &&
	    exchange->to->state == LEG_UP)
		return STR("INVITE");
	return request->method_name;
}

int exchange_send_across(struct exchange *exchange, const struct sip_message *request,
			 struct str type, struct str body)
{
	struct calls *calls = exchange->call->calls;
	struct str method = method_for(exchange, request);

	buf_reset(&calls->extra);
	headers_pass(request, &calls->extra);
	buf_add(&calls->extra, str_of(exchange->rack));
	if (request->method == SIP_INVITE || request->method == SIP_UPDATE)
		session_timer_request(exchange->to, &calls->extra);
	exchange->to->dialog->max_forwards = request->max_forwards - 1;
	return leg_request(exchange->to, method, buf_str(&calls->extra), type, body,
			   &exchange_handlers, exchange, &exchange->out);
}

static void give_up(struct exchange *exchange, int error)
{
	struct leg *from = exchange->from;

	if (exchange->offers) {
		offer_abandon(from);
		offer_abandon(exchange->to);
	}
	if (error == -EALREADY || error == -EINPROGRESS)
		leg_refuse(from, exchange->in, 491, NULL);
	else
		leg_refuse(from, exchange->in, change_status(error), NULL);
	exchange->in = NULL;
	exchange_free(exchange);
}

/* Requests that say nothing about media. */
static void relay_plain(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct leg *to = call_opposite(leg);
	struct exchange *exchange = to ? exchange_alloc(leg, to, tx, request->method) : NULL;
	int ret;

	if (!exchange) {
		exchange_refuse_for_now(leg, tx);
		return;
	}
	exchange->last = leg->call->subscription && subscription_ends(request);
	ret = exchange_send_across(exchange, request, request->content_type, request->body);
	if (ret)
		give_up(exchange, -ENOMEM);
}

void exchange_relay_offer(struct exchange *exchange, const struct sip_message *request)
{
	struct buf *sdp = &exchange->call->calls->sdp;
	struct str offer = offer_of(request);
	int ret = 0;

	buf_reset(sdp);
	if (offer.n) {
		ret = offer_write(exchange->to, offer, sdp);
		if (!ret)
			ret = oa_send_offer(&exchange->to->oa, buf_str(sdp));
	}
	if (!ret)
		ret = exchange_send_across(exchange, request, exchange_body_type(buf_str(sdp)),
					   buf_str(sdp));
	if (ret)
		give_up(exchange, ret);
}

/* ---- INVITE and UPDATE ----------------------------------------------------------------------- */

/* 0, or it was answered. */
int exchange_take_offer(struct leg *leg, struct sip_server_tx *tx, struct str sdp)
{
	int ret = oa_receive_offer(&leg->oa, sdp);

	if (ret == -EALREADY)
		leg_refuse(leg, tx, 491, NULL);
	else if (ret)
		exchange_refuse_for_now(leg, tx);
	if (ret)
		return ret;
	ret = offer_hear(leg, sdp);
	if (ret) {
		offer_abandon(leg);
		leg_refuse(leg, tx, change_status(ret), NULL);
	}
	return ret;
}

static void begin(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request, bool move)
{
	struct leg *other = call_opposite(leg);
	struct exchange *exchange =
		other ? exchange_alloc(leg, move ? NULL : other, tx, request->method) : NULL;

	if (!exchange) {
		offer_abandon(leg);
		exchange_refuse_for_now(leg, tx);
		return;
	}
	exchange->offers = offer_of(request).n != 0;
	exchange->late = !exchange->offers;
	leg->call->offering = exchange;
	if (request->method == SIP_INVITE)
		sip_server_tx_handle(tx, &invite_handlers, exchange);
	if (move)
		exchange_answer_move(exchange, request);
	else
		exchange_relay_offer(exchange, request);
}

/* A session refresh without SDP (RFC 4028 7.4): ours to answer. */
static void answer_refresh(struct leg *leg, struct sip_server_tx *tx,
			   const struct sip_message *request)
{
	struct buf *extra = &leg->calls->extra;

	buf_reset(extra);
	session_timer_response(leg, request, extra);
	sip_dialog_refresh(leg->dialog, request);
	leg_respond(leg, tx, 200, NULL, buf_str(extra), STR_NONE, STR_NONE);
	session_timer_start(leg);
}

/*
 * The party says nothing but where it is now (SG-40), and the other one need not hear of it. While
 * it rings, too: what it said of itself is agreed by then (RFC 3311 5.1), perhaps with us alone.
 */
static bool only_moves(const struct leg *leg, struct str sdp)
{
	return sdp.n && !leg->call->assisted && exchange_description(call_opposite(leg)).n &&
	       offer_is_move(leg, sdp);
}

static void receive_offering(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct str sdp = offer_of(request);
	bool move;

	if (require_refused(leg->calls, tx, request) || session_timer_refused(leg, tx, request))
		return;
	if (request->method == SIP_UPDATE)
		early_follow(leg, &request->flow);
	if (is_busy(leg, tx, request))
		return;
	if (!sdp.n && request->method == SIP_UPDATE) {
		answer_refresh(leg, tx, request);
		return;
	}
	move = only_moves(leg, sdp);
	if (sdp.n && exchange_take_offer(leg, tx, sdp))
		return;
	if (leg->standby) {
		backup_offered(leg, tx, request);
		return;
	}
	begin(leg, tx, request, move);
}

/* ---- in ----------------------------------------------------------------------------------------
 */

void exchange_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	switch (request->method) {
	case SIP_INVITE:
	case SIP_UPDATE:
		receive_offering(leg, tx, request);
		break;
	case SIP_REFER:
		transfer_receive(leg, tx, request);
		break;
	case SIP_PRACK:
		early_prack(leg, tx, request);
		break;
	default:
		relay_plain(leg, tx, request);
		break;
	}
}
