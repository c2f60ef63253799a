// SPDX-License-Identifier: BSD-2-Clause
/* Answers that come later than the response to the offer: in an ACK, in a PRACK (RFC 3262 5). */
#include "call/exchange.h"

#include <errno.h>
#include <stdio.h>

/* ---- the ACK of a late offer ------------------------------------------------------------------
 */

int exchange_await_answer(struct leg *from, struct leg *to)
{
	struct exchange *exchange = exchange_alloc(from, to, NULL, SIP_INVITE);

	if (!exchange)
		return -ENOMEM;
	exchange->late = true;
	from->call->offering = exchange;
	return 0;
}

static void late_applied(struct call *call, struct leg *to, struct sip_message *ack, int result)
{
	(void)ack;
	leg_ack(to);
	if (result)
		call_end(call, 0, STR("SIP;cause=488"), "answer not usable", NULL);
	else
		exchange_done(call->offering);
}

static int take_late_answer(struct leg *from, struct leg *to, struct str sdp)
{
	struct buf *out = &from->calls->sdp;
	struct error err;
	int ret = sdp.n ? oa_receive_answer(&from->oa, sdp, &err) : -EBADMSG;

	if (!ret)
		ret = offer_hear(from, sdp);
	if (!ret)
		ret = offer_hear(to, str_of(to->oa.offer));
	if (!ret)
		ret = offer_write(to, sdp, out);
	return ret ? ret : oa_send_answer(&to->oa, buf_str(out), &err);
}

void exchange_acked(struct leg *leg, struct sip_message *ack)
{
	struct exchange *exchange = leg->call->offering;
	struct leg *to;
	int ret;

	if (!exchange || !exchange->late || exchange->in || exchange->from != leg ||
	    leg->call->change.waiting)
		return;
	to = exchange->to;
	ret = take_late_answer(leg, to, offer_of(ack));
	if (!ret)
		ret = streams_apply(leg, to, late_applied, to, ack);
	if (ret != -EINPROGRESS)
		late_applied(leg->call, to, ack, ret);
}

/* ---- PRACK (RFC 3262) --------------------------------------------------------------------------
 */

/* The answer to the offer of a reliable provisional: the relay first, then on to B. */
static void prack_applied(struct call *call, struct leg *to, struct sip_message *request,
			  int result)
{
	struct exchange *exchange = call->offering;
	struct str answer = str_of(to->oa.local);

	call->offering = NULL;
	if (!result)
		result = leg_request(to, STR("PRACK"), str_of(exchange->rack),
				     STR("application/sdp"), answer, &exchange_handlers, exchange,
				     &exchange->out);
	(void)request;
	if (result) {
		leg_refuse(exchange->from, exchange->in, change_status(result), NULL);
		exchange->in = NULL;
		exchange_done(exchange);
	}
}

static void prack_answers(struct exchange *exchange, struct sip_message *request)
{
	int ret = take_late_answer(exchange->from, exchange->to, offer_of(request));

	exchange->call->offering = exchange;
	if (!ret)
		ret = streams_apply(exchange->from, exchange->to, prack_applied, exchange->to,
				    request);
	if (ret != -EINPROGRESS)
		prack_applied(exchange->call, exchange->to, request, ret);
}

static void prack_offers(struct exchange *exchange, struct sip_message *request)
{
	struct str sdp = offer_of(request);

	if (exchange_take_offer(exchange->from, exchange->in, sdp)) {
		exchange->in = NULL;
		exchange_free(exchange);
		return;
	}
	exchange->offers = true;
	exchange->call->offering = exchange;
	exchange_relay_offer(exchange, request);
}

void exchange_prack(struct leg *from, struct leg *to, struct sip_server_tx *tx,
		    struct sip_message *request, uint32_t rseq, uint32_t cseq)
{
	struct exchange *exchange = exchange_alloc(from, to, tx, SIP_PRACK);

	if (!exchange) {
		exchange_refuse_for_now(from, tx);
		return;
	}
	snprintf(exchange->rack, sizeof(exchange->rack), "RAck: %u %u INVITE\r\n", rseq, cseq);
	if (!offer_of(request).n)
		exchange_relay_offer(exchange, request);
	else if (from->oa.state == OA_OFFER_SENT)
		prack_answers(exchange, request);
	else
		prack_offers(exchange, request);
}
