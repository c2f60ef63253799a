// SPDX-License-Identifier: BSD-2-Clause
/* Requests inside dialogs that nobody asked us for: session refreshes, offers after a transfer. */
#include "call/exchange.h"

#include <errno.h>

int exchange_send_own(struct exchange *exchange, struct str offer)
{
	struct leg *to = exchange->to;
	struct buf *extra = &to->calls->extra;

	buf_reset(extra);
	session_timer_request(to, extra);
	return leg_request(to, exchange->method == SIP_UPDATE ? STR("UPDATE") : STR("INVITE"),
			   buf_str(extra), offer.n ? STR("application/sdp") : STR_NONE, offer,
			   &exchange_handlers, exchange, &exchange->out);
}

/* ---- session refresh (RFC 4028) -----------------------------------------------------------------
 */

int exchange_refresh(struct leg *leg)
{
	struct call *call = leg->call;
	struct calls *calls = leg->calls;
	struct exchange *exchange;
	bool update = leg->updates;
	struct str offer = STR_NONE;
	int ret;

	if (call->offering || call->change.waiting || leg->unacked || !leg->oa.local)
		return -EBUSY;
	exchange = exchange_alloc(NULL, leg, NULL, update ? SIP_UPDATE : SIP_INVITE);
	if (!exchange)
		return -ENOMEM;
	call->offering = exchange;
	buf_reset(&calls->sdp);
	buf_add(&calls->sdp, str_of(leg->oa.local));
	ret = buf_error(&calls->sdp);
	if (!ret && !update) {
		exchange->offers = true;
		offer = buf_str(&calls->sdp);
		ret = oa_send_offer(&leg->oa, offer);
	}
	if (!ret)
		ret = exchange_send_own(exchange, offer);
	if (ret) {
		if (exchange->offers)
			offer_abandon(leg);
		exchange_free(exchange);
	}
	return ret;
}

/* ---- an offer of ours (a transfer, what held before)
 * ---------------------------------------------------------------- */

int exchange_offer(struct leg *leg, struct str description)
{
	struct call *call = leg->call;
	struct buf *sdp = &call->calls->sdp;
	struct exchange *exchange = exchange_alloc(NULL, leg, NULL, SIP_INVITE);
	int ret;

	if (!exchange)
		return -ENOMEM;
	exchange->offers = true;
	call->offering = exchange;
	buf_reset(sdp);
	ret = offer_write(leg, description, sdp);
	if (!ret)
		ret = oa_send_offer(&leg->oa, buf_str(sdp));
	if (!ret)
		ret = exchange_send_own(exchange, buf_str(sdp));
	if (ret) {
		offer_abandon(leg);
		exchange_free(exchange);
	}
	return ret;
}

/*
 * An early dialog is left as it is: nothing holds there before the answer, which says it all again.
 * Should the party offer something at the same moment (491), that goes across, and both agree anew.
 */
void exchange_put_back(struct leg *leg)
{
	const struct leg *other = call_opposite(leg);
	int ret;

	if (leg->state != LEG_UP || !other || !other->oa.remote)
		return;
	call_step(leg->call, (int)leg->side, "put back", "its answer could not be used", 0);
	ret = exchange_offer(leg, str_of(other->oa.remote));
	if (ret)
		log_warning(leg->calls->log, leg->call->id,
			    "a party keeps a session that the other one has not: %s",
			    strerror(-ret));
}
