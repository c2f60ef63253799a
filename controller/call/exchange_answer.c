// SPDX-License-Identifier: BSD-2-Clause
/*
 * What becomes of a request inside a dialog: offers cross with their answers, and the relay between
 * them.
 */
#include "call/handover.h"
#include "call/exchange.h"

#include <errno.h>

/* ---- the answer ------------------------------------------------------------------------------ */

/* 200 to the one who asked; the body is calls->sdp. */
static int respond_200(struct exchange *exchange, const struct sip_message *response)
{
	struct leg *from = exchange->from;
	struct calls *calls = from->calls;
	struct sip_server_tx *in = exchange->in;
	const struct sip_message *request = sip_server_tx_request(in);
	int ret;

	buf_reset(&calls->extra);
	if (response)
		headers_pass(response, &calls->extra);
	session_timer_response(from, request, &calls->extra);
	/* Only now that it is granted does the target move (RFC 6141 4.1). */
	sip_dialog_refresh(from->dialog, request);
	ret = leg_respond(from, in, 200, NULL, buf_str(&calls->extra),
			  exchange_body_type(buf_str(&calls->sdp)), buf_str(&calls->sdp));
	if (ret)
		return ret;
	exchange->in = NULL;
	if (request->method == SIP_INVITE)
		leg_await_ack(from, in);
	session_timer_start(from);
	return 0;
}

static void refuse_offer(struct exchange *exchange, int status)
{
	if (exchange->offers && exchange->from)
		offer_abandon(exchange->from);
	if (exchange->in)
		leg_refuse(exchange->from, exchange->in, status, NULL);
	exchange->in = NULL;
}

/*
 * The relay does what both said; the answer may leave. `description` is what the other party says
 * of itself. False: who offered was refused.
 */
static bool answer_offer(struct exchange *exchange, struct str description,
			 const struct sip_message *response, int result)
{
	struct leg *from = exchange->from;
	struct buf *sdp = &exchange->call->calls->sdp;
	struct error err;
	int ret = result;

	buf_reset(sdp);
	if (!ret)
		ret = offer_write(from, description, sdp);
	if (!ret)
		ret = oa_send_answer(&from->oa, buf_str(sdp), &err);
	if (!ret)
		ret = respond_200(exchange, response);
	if (!ret)
		return true;
	log_info(from->calls->log, exchange->call->id, "offer refused: %s", strerror(-ret));
	refuse_offer(exchange, change_status(ret));
	return false;
}

struct str exchange_description(const struct leg *leg)
{
	if (!leg)
		return STR_NONE;
	return str_of(leg->oa.state == OA_OFFER_RECEIVED ? leg->oa.offer : leg->oa.remote);
}

static void moved(struct call *call, struct leg *leg, struct sip_message *request, int result)
{
	struct exchange *exchange = call->offering;
	struct str description = exchange_description(call_opposite(leg));

	(void)request;
	if (!description.n)
		result = -EBADMSG;
	handover_hard_changed(leg);
	answer_offer(exchange, description, NULL, result);
	handover_hard_end(leg, result);
	exchange_done(exchange);
}

static void crossed(struct call *call, struct leg *to, struct sip_message *response, int result)
{
	struct exchange *exchange = call->offering;

	/* Who was asked has agreed to what comes to nothing: it is asked to go back. */
	if (exchange->from && !answer_offer(exchange, str_of(to->oa.remote), response, result))
		exchange->put_back = true;
	exchange->status = 200; /* agreed: the relay may not have followed, but the party has */
	exchange_done(exchange);
}

void exchange_answer_move(struct exchange *exchange, struct sip_message *request)
{
	struct leg *leg = exchange->from, *other = call_opposite(leg);
	int ret;

	handover_hard_begin(leg, request);
	ret = streams_apply(leg, other, moved, leg, request);
	if (ret != -EINPROGRESS)
		moved(exchange->call, leg, request, ret);
}

/* ---- what the other party says --------------------------------------------------------------- */

static void offer_answered(struct exchange *exchange, struct sip_message *response)
{
	struct leg *to = exchange->to, *from = exchange->from;
	struct str sdp = offer_of(response);
	struct error err;
	int ret = sdp.n ? oa_receive_answer(&to->oa, sdp, &err) : -EBADMSG;

	if (!from)
		from = call_opposite(to);
	if (!ret)
		ret = offer_hear(to, sdp);
	if (ret) {
		offer_abandon(to);
		if (exchange->from)
			refuse_offer(exchange, 488);
		exchange->status = 488;
		exchange_done(exchange);
		return;
	}
	ret = streams_apply(from, to, crossed, to, response);
	if (ret != -EINPROGRESS)
		crossed(exchange->call, to, response, ret);
}

/* An INVITE without offer: the other party makes it, and the ACK will answer. */
static void offer_came_late(struct exchange *exchange, struct sip_message *response)
{
	struct leg *to = exchange->to, *from = exchange->from;
	struct buf *sdp = &to->calls->sdp;
	struct str offer = offer_of(response);
	int ret = offer.n ? oa_receive_offer(&to->oa, offer) : -EBADMSG;

	to->late_answer = true;
	buf_reset(sdp);
	if (!ret)
		ret = offer_write(from, offer, sdp);
	if (!ret)
		ret = oa_send_offer(&from->oa, buf_str(sdp));
	if (!ret)
		ret = respond_200(exchange, response);
	if (ret)
		call_end(exchange->call, 0, STR("SIP;cause=488"), "offer not usable", NULL);
}

static void relay_answer(struct exchange *exchange, int status, const struct sip_message *response)
{
	struct leg *from = exchange->from;
	struct calls *calls = exchange->call->calls;

	if (exchange->call->subscription)
		exchange->over = subscription_is_over(exchange->call, exchange->method, status,
						      response, exchange->last);
	if (!from || !exchange->in)
		return;
	buf_reset(&calls->extra);
	headers_pass(response, &calls->extra);
	if (status < 300)
		sip_dialog_refresh(from->dialog, sip_server_tx_request(exchange->in));
	leg_respond(from, exchange->in, status == 407 ? 403 : status, NULL, buf_str(&calls->extra),
		    response->content_type, response->body);
	exchange->in = NULL;
}

/* RFC 3261 12.2.1.2, RFC 5057 5.1: the other end has no such dialog, or is gone. */
static bool ends_dialog(const struct exchange *exchange, int status)
{
	switch (exchange->method) {
	case SIP_INVITE:
	case SIP_UPDATE:
		return status == 481 || status == 408;
	case SIP_NOTIFY:
	case SIP_SUBSCRIBE:
	case SIP_REFER:
		return false;
	default:
		return status == 481;
	}
}

void exchange_refused(struct exchange *exchange, int status, struct sip_message *response)
{
	struct call *call = exchange->call;

	exchange->out = NULL;
	if (subscription_asks_next(exchange, status, response))
		return;
	if (call->subscription && exchange->method == SIP_SUBSCRIBE && !call->subscribed) {
		status = call->best.status;
		response = call->best.message;
	}
	if (exchange->offers) {
		offer_abandon(exchange->to);
		if (exchange->from)
			offer_abandon(exchange->from);
	}
	if (response)
		relay_answer(exchange, status, response);
	else if (exchange->in) {
		leg_refuse(exchange->from, exchange->in, status, NULL);
		exchange->in = NULL;
		exchange->over =
			call->subscription &&
			subscription_is_over(call, exchange->method, status, NULL, exchange->last);
	}
	exchange->status = status;
	if (ends_dialog(exchange, status) && !exchange->lenient)
		call_end(call, 0, STR("SIP;cause=408;text=\"Peer is gone\""), "peer is gone", NULL);
	else
		exchange_done(exchange);
}

static void succeeded(struct exchange *exchange, struct sip_message *response)
{
	struct leg *to = exchange->to;

	if (exchange->method == SIP_INVITE && exchange->out)
		sip_client_tx_forget(exchange->out); /* further ones are strays: ACKed again */
	exchange->out = NULL;
	if (to->dialog->remote_tag[0])
		sip_dialog_refresh(to->dialog, response);
	else
		sip_dialog_learn(to->dialog, response); /* the 2xx to a SUBSCRIBE makes it */
	if (response->method == SIP_INVITE && !exchange->late)
		leg_ack(to);
	if (response->method == SIP_INVITE || response->method == SIP_UPDATE) {
		session_timer_answered(to, response);
		session_timer_start(to);
	}
	if (exchange->late) {
		offer_came_late(exchange, response);
	} else if (exchange->offers) {
		offer_answered(exchange, response);
	} else {
		relay_answer(exchange, response->status, response);
		exchange_done(exchange);
	}
}

/* RFC 4028 7.3: the timer of the leg that is asked is no business of who asked. */
static bool goes_with_longer_timer(struct exchange *exchange, const struct sip_message *response)
{
	struct leg *to = exchange->to;
	struct str offer = exchange->offers ? str_of(to->oa.offer) : STR_NONE;

	if (!session_timer_raise(to, response))
		return false;
	exchange->out = NULL;
	if (!exchange->in)
		return !exchange_send_own(exchange, offer);
	return !exchange_send_across(exchange, sip_server_tx_request(exchange->in),
				     exchange_body_type(offer), offer);
}

static void on_response(void *context, struct sip_message *response)
{
	struct exchange *exchange = context;

	if (response->status < 200)
		return;
	if (response->status < 300)
		succeeded(exchange, response);
	else if (goes_with_longer_timer(exchange, response))
		call_step(exchange->call, (int)exchange->to->side, "asked again",
			  "longer session timer", 0);
	else
		exchange_refused(exchange, response->status, response);
}

static void on_failure(void *context, int status)
{
	struct exchange *exchange = context;

	call_step(exchange->call, (int)exchange->to->side, "no answer", NULL, status);
	exchange_refused(exchange, status, NULL);
}

const struct sip_client_tx_handlers exchange_handlers = {on_response, on_failure};
