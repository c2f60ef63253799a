// SPDX-License-Identifier: BSD-2-Clause
/*
 * Before the answer: provisional responses, early media, and their reliability (RFC 3262). Each leg
 * has RSeq numbers of its own (SG-12): where both parties have 100rel, A's PRACK goes on to B;
 * where only B has, we PRACK.
 */
#include "call/internal.h"

#include <errno.h>
#include <stdlib.h>

#define T1_MS 500u
#define GIVE_UP_MS (64u * T1_MS)

/* A provisional that waits for A's PRACK. */
struct early {
	struct leg *leg; /* A's */
	struct timer timer;
	uint64_t interval_ms, waited_ms;
	char *text;
	uint32_t rseq, cseq;
	struct leg *from; /* whose reliable provisional it was; NULL: B's was not */
	uint32_t from_rseq, from_cseq;
};

void early_free(struct leg *leg)
{
	struct call *call = leg->call;

	/* B's leg goes: A's PRACK has nobody to go on to. */
	if (call && call->caller && call->caller != leg && call->caller->early &&
	    call->caller->early->from == leg)
		call->caller->early->from = NULL;
	if (!leg->early)
		return;
	timer_stop(&leg->early->timer);
	free(leg->early->text);
	free(leg->early);
	leg->early = NULL;
}

bool early_waits(const struct call *call)
{
	return call->caller && call->caller->early;
}

/* ---- to A ------------------------------------------------------------------------------------ */

static void again(void *context)
{
	struct early *early = context;
	struct call *call = early->leg->call;

	early->waited_ms += early->interval_ms;
	if (early->waited_ms >= GIVE_UP_MS) { /* RFC 3262 3 */
		early_free(early->leg);
		call_refuse(call, 504, NULL);
		return;
	}
	early->interval_ms *= 2;
	sip_server_tx_send(call->invite, str_of(early->text));
	timer_start(call->calls->wheel, &early->timer, early->interval_ms, again, early);
}

static int await_prack(struct leg *caller, struct leg *from, const struct sip_message *response)
{
	struct early *early = calloc(1, sizeof(*early));
	uint32_t rseq;

	if (!early)
		return -ENOMEM;
	early->text = str_dup(buf_str(&caller->calls->text));
	if (!early->text) {
		free(early);
		return -ENOMEM;
	}
	early->leg = caller;
	early->rseq = caller->rseq;
	early->cseq = sip_server_tx_request(caller->call->invite)->cseq;
	if (sip_header(response, "RSeq", 0).p &&
	    str_to_u32(sip_header(response, "RSeq", 0), &rseq)) {
		early->from = from;
		early->from_rseq = rseq;
		early->from_cseq = from->invite_cseq;
	}
	early->interval_ms = T1_MS;
	caller->early = early;
	timer_start(caller->calls->wheel, &early->timer, T1_MS, again, early);
	return 0;
}

static bool is_reliable(const struct sip_message *response)
{
	return sip_header_has_token(response, "Require", STR("100rel")) &&
	       sip_has_header(response, "RSeq");
}

/* What A gets to see of B's description; into calls->sdp. */
static int write_description(struct leg *caller, struct leg *leg, bool reliable)
{
	struct buf *sdp = &caller->calls->sdp;
	struct error err;
	int ret;

	buf_reset(sdp);
	if (leg->oa.state == OA_OFFER_RECEIVED) {
		ret = offer_write(caller, str_of(leg->oa.offer), sdp);
		return ret ? ret : oa_send_offer(&caller->oa, buf_str(sdp));
	}
	if (caller->oa.state != OA_OFFER_RECEIVED)
		return 0;
	ret = offer_write(caller, str_of(leg->preview ? leg->preview : leg->oa.remote), sdp);
	if (!ret && reliable)
		ret = oa_send_answer(&caller->oa, buf_str(sdp), &err);
	leg->told = leg->told || (!ret && reliable);
	return ret;
}

static int respond(struct call *call, struct leg *leg, const struct sip_message *response,
		   bool described)
{
	struct leg *caller = call->caller;
	struct buf *extra = &call->calls->extra, *sdp = &call->calls->sdp;
	bool reliable = caller->demands_reliable || (caller->reliable && is_reliable(response));
	int ret = 0;

	buf_reset(sdp);
	if (described)
		ret = write_description(caller, leg, reliable);
	if (ret)
		return ret;
	buf_reset(extra);
	headers_pass(response, extra);
	if (reliable) {
		/* The first one is any number (RFC 3262 3). */
		caller->rseq = caller->rseq ? caller->rseq + 1
					    : (uint32_t)(call->started_ns / 1024 % 0x3fffffff) + 1;
		buf_add(extra, STR("Require: 100rel\r\n"));
		sip_write_header_u64(extra, "RSeq", caller->rseq);
	}
	ret = leg_respond(caller, call->invite, response->status, NULL, buf_str(extra),
			  sdp->len ? STR("application/sdp") : STR_NONE, buf_str(sdp));
	if (!ret && reliable)
		ret = await_prack(caller, leg, response);
	return ret;
}

/* ---- from B ---------------------------------------------------------------------------------- */

static void prack(struct leg *leg, uint32_t rseq, uint32_t cseq)
{
	struct buf *extra = &leg->calls->extra;

	buf_reset(extra);
	buf_add(extra, STR("RAck: "));
	buf_add_u64(extra, rseq);
	buf_add_char(extra, ' ');
	buf_add_u64(extra, cseq);
	buf_add(extra, STR(" INVITE\r\n"));
	leg_request(leg, STR("PRACK"), buf_str(extra), STR_NONE, STR_NONE, NULL, NULL, NULL);
}

static void ready(struct call *call, struct leg *leg, struct sip_message *response, int result)
{
	bool described = offer_of(response).n != 0;

	if (result) { /* the call may still be answered: the media of the 2xx counts */
		log_info(call->calls->log, call->id, "no early media: %s", strerror(-result));
		described = false;
	}
	respond(call, leg, response, described);
	/* A will not PRACK it: we do. */
	if (is_reliable(response) && !(call->caller->early && call->caller->early->from == leg))
		prack(leg, leg->rseq, leg->invite_cseq);
	attempt_resume(call);
}

/* 0, or it is to be ignored: a retransmission, or one that came too early (RFC 3262 4). */
static int take_rseq(struct leg *leg, const struct sip_message *response)
{
	uint32_t rseq;

	if (!str_to_u32(sip_header(response, "RSeq", 0), &rseq) ||
	    (leg->rseq && rseq != leg->rseq + 1))
		return -EINVAL;
	leg->rseq = rseq;
	return 0;
}

static int hear(struct leg *leg, const struct sip_message *response, struct str sdp)
{
	struct error err;
	int ret = 0;

	if (leg->oa.state == OA_IDLE) /* an offer; it has to be reliable (RFC 3262 5) */
		ret = is_reliable(response) && leg->call->caller->reliable
			      ? oa_receive_offer(&leg->oa, sdp)
			      : -EPROTO;
	else if (leg->oa.state != OA_OFFER_SENT)
		ret = -EPROTO;
	else if (is_reliable(response))
		ret = oa_receive_answer(&leg->oa, sdp, &err);
	if (ret)
		return ret;
	if (leg->oa.state == OA_OFFER_SENT) {
		free(leg->preview);
		leg->preview = str_dup(sdp);
		if (!leg->preview)
			return -ENOMEM;
	}
	return offer_hear(leg, sdp);
}

void early_receive(struct attempt *attempt, struct leg *leg, struct sip_message *response)
{
	struct call *call = attempt->call;
	struct str sdp = offer_of(response);
	int ret = 0;

	if (is_reliable(response) && take_rseq(leg, response))
		return;
	/* The last to speak is the one that is heard (call_opposite). */
	list_remove(&leg->link);
	list_append(&attempt->legs, &leg->link);
	leg->updates = sip_header_has_token(response, "Allow", STR("UPDATE"));
	if (sdp.n)
		ret = hear(leg, response, sdp);
	/* A late offer has no answer yet: media comes with A's PRACK. */
	if (!ret && sdp.n && leg->oa.state != OA_OFFER_RECEIVED)
		ret = streams_apply(call->caller, leg, ready, leg, response);
	if (ret != -EINPROGRESS)
		ready(call, leg, response, ret);
}

/* ---- a party moves ----------------------------------------------------------------------------
 */

/*
 * Whoever proves by an UPDATE that it is elsewhere now waits there for what is still to be said
 * about the INVITE: its answer, or a CANCEL.
 */
void early_follow(struct leg *leg, const struct sip_flow *flow)
{
	const struct call *call = leg->call;
	const struct attempt *attempt = leg->attempt;
	const struct target *target = attempt ? &call->target[attempt->target] : NULL;

	if (leg->unacked)
		sip_server_tx_follow(leg->unacked, flow);
	else if (leg == call->caller && call->invite)
		sip_server_tx_follow(call->invite, flow);
	else if (attempt && attempt->tx && !attempt->assist && attempt->leg_count == 1 &&
		 target->user && !target->path[0]) /* a device of ours, and no proxy before it */
		sip_client_tx_follow(attempt->tx, flow);
}

/* ---- A's PRACK ------------------------------------------------------------------------------- */

static bool rack_fits(const struct early *early, const struct sip_message *request)
{
	struct str rest = sip_header(request, "RAck", 0), part;
	uint32_t rseq, cseq;

	return rest.p && str_split(&rest, ' ', &part) && str_to_u32(part, &rseq) &&
	       str_split(&rest, ' ', &part) && str_to_u32(part, &cseq) && rseq == early->rseq &&
	       cseq == early->cseq && str_eq(str_trim(rest), STR("INVITE"));
}

void early_prack(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct call *call = leg->call;
	struct early *early = leg->early;
	struct leg *to;
	uint32_t rseq, cseq;

	if (!early || !rack_fits(early, request)) {
		leg_refuse(leg, tx, 481, NULL);
		return;
	}
	to = early->from;
	rseq = early->from_rseq;
	cseq = early->from_cseq;
	early_free(leg);
	if (to) {
		exchange_prack(leg, to, tx, request, rseq, cseq);
		return;
	}
	leg_refuse(leg, tx, offer_of(request).n ? 488 : 200, NULL);
	attempt_resume(call);
}
