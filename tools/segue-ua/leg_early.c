// SPDX-License-Identifier: BSD-2-Clause
/*
 * A leg that is not answered yet: its early dialog, reliable provisionals (RFC 3262) and early
 * media, and UPDATE, by which it moves (RFC 3311).
 */
#include <errno.h>
#include <stdlib.h>

#include "call.h"
#include "leg.h"
#include "request.h"
#include "way.h"

#define APPLICATION_SDP STR("application/sdp")
#define T1_MS 500u
#define GIVE_UP_T1 64u /* RFC 3262 3 */

/* A reliable provisional of ours that waits for its PRACK. */
struct ua_reliable {
	struct ua_leg *leg;
	struct timer timer;
	uint64_t interval_ms, waited_ms;
	char *text;
};

static void drop_reliable(struct ua_leg *leg)
{
	if (!leg->reliable)
		return;
	timer_stop(&leg->reliable->timer);
	free(leg->reliable->text);
	free(leg->reliable);
	leg->reliable = NULL;
}

static void drop_requests(struct ua_leg *leg)
{
	ua_request_free(leg->prack);
	ua_request_free(leg->update);
	leg->prack = leg->update = NULL;
}

void ua_leg_free_early(struct ua_leg *leg)
{
	drop_reliable(leg);
	drop_requests(leg);
}

/* ---- the early dialog ------------------------------------------------------------------------ */

/* Our offer is out again: what was agreed with one phone is nothing to another one. */
static int offer_again(struct ua_leg *leg)
{
	char *offer = leg->settled ? str_dup(str_of(leg->oa.local)) : NULL;
	uint64_t version = leg->oa.version;
	int ret;

	leg->agreed = (struct ua_agreed){0};
	leg->rseq = 0;
	if (!leg->settled)
		return 0;
	leg->settled = false;
	if (!offer)
		return -ENOMEM;
	oa_free(&leg->oa);
	leg->oa.version = version;
	ret = oa_send_offer(&leg->oa, str_of(offer));
	free(offer);
	return ret;
}

/* Another phone speaks than before (RFC 3261 13.2.2.4): its dialog takes the former one's place. */
static int change_dialog(struct ua_leg *leg, struct sip_message *response)
{
	bool moving = leg->update;
	struct sip_dialog *fork;
	int ret = sip_dialog_fork(&fork, leg->dialog, response);

	if (ret)
		return ret;
	drop_requests(leg);
	ua_request_change_dialog(leg->request, fork);
	sip_dialog_free(leg->dialog);
	fork->owner = leg;
	leg->dialog = fork;
	ret = offer_again(leg);
	if (moving)
		leg->updated(leg->update_context, 481, NULL);
	return ret;
}

int ua_leg_learn(struct ua_leg *leg, struct sip_message *response)
{
	int ret = sip_dialog_learn(leg->dialog, response);
	bool other = leg->dialog->remote_tag[0] &&
		     !str_eq(str_of(leg->dialog->remote_tag), response->to_tag);

	return ret == -EINVAL && other ? change_dialog(leg, response) : ret;
}

/* ---- provisionals of the other side ---------------------------------------------------------- */

static bool is_reliable(const struct sip_message *response, uint32_t *rseq)
{
	return sip_header_has_token(response, "Require", STR("100rel")) &&
	       str_to_u32(sip_header(response, "RSeq", 0), rseq);
}

static void on_pracked(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	(void)response;
	if (status < 200)
		return;
	ua_request_free(leg->prack);
	leg->prack = NULL;
}

static void prack(struct ua_leg *leg)
{
	struct buf headers = BUF_EMPTY;
	struct ua_request_spec spec = {.method = SIP_PRACK,
				       .network = leg->network,
				       .dialog = leg->dialog,
				       .fn = on_pracked,
				       .context = leg};

	buf_addf(&headers, "RAck: %u %u INVITE\r\n", (unsigned)leg->rseq,
		 (unsigned)ua_request_cseq(leg->request));
	spec.headers = buf_str(&headers);
	ua_request_free(leg->prack);
	leg->prack = NULL;
	if (!buf_error(&headers))
		ua_request_send(&leg->prack, leg->call->ua, &spec);
	buf_free(&headers);
}

/* The answer to our offer, once and for all (RFC 3262 5). */
static void settle(struct ua_leg *leg, struct sip_message *response)
{
	struct error err = {""};

	if (!response->body.n || leg->oa.state != OA_OFFER_SENT || leg->settled)
		return;
	leg->settled = !ua_leg_take_answer(leg, response->body, &err);
	if (!leg->settled)
		log_warning(leg->call->ua->log, leg->dialog->call_id, "early answer: %s", err.text);
	ua_call_aim(leg->call);
}

/* What may become the answer (RFC 3261 13.2.1): early media come from there. */
static void preview(struct ua_leg *leg, struct sip_message *response)
{
	struct ua_agreed agreed;
	struct sdp answer;

	if (leg->agreed.stream[UA_AUDIO].there || !response->body.n ||
	    leg->oa.state != OA_OFFER_SENT || sdp_parse(&answer, response->body, NULL))
		return;
	ua_describe_agree(&answer, &agreed);
	leg->agreed = agreed;
	ua_call_aim(leg->call);
}

void ua_leg_provisional(struct ua_leg *leg, struct sip_message *response)
{
	uint32_t rseq;

	if (response->status == 100 || leg->dialog->state == SIP_DIALOG_CONFIRMED)
		return;
	if (response->to_tag.n && ua_leg_learn(leg, response))
		return;
	leg->updates |= sip_header_has_token(response, "Allow", STR("UPDATE"));
	if (!is_reliable(response, &rseq)) {
		ua_call_heard(leg->call, response->status);
		preview(leg, response);
		return;
	}
	/* RFC 3262 4: the same again, or one that overtook another. */
	if (leg->rseq && rseq != leg->rseq + 1)
		return;
	leg->rseq = rseq;
	ua_call_heard(leg->call, response->status);
	settle(leg, response);
	prack(leg);
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void again(void *context)
{
	struct ua_reliable *reliable = context;
	struct ua_leg *leg = reliable->leg;
	struct ua *ua = leg->call->ua;
	unsigned t1_ms = ua->options->t1_ms ? ua->options->t1_ms : T1_MS;

	reliable->waited_ms += reliable->interval_ms;
	if (reliable->waited_ms >= (uint64_t)GIVE_UP_T1 * t1_ms) {
		ua_leg_answer(leg, 504);
		ua_call_lost(leg->call, leg, "early answer not acknowledged");
		return;
	}
	reliable->interval_ms *= 2;
	sip_server_tx_send(leg->incoming, str_of(reliable->text));
	timer_start(ua->wheel, &reliable->timer, reliable->interval_ms, again, reliable);
}

static int await_prack(struct ua_leg *leg, struct str text)
{
	struct ua *ua = leg->call->ua;
	struct ua_reliable *reliable = calloc(1, sizeof(*reliable));

	if (!reliable)
		return -ENOMEM;
	reliable->leg = leg;
	reliable->text = str_dup(text);
	reliable->interval_ms = ua->options->t1_ms ? ua->options->t1_ms : T1_MS;
	if (!reliable->text) {
		free(reliable);
		return -ENOMEM;
	}
	leg->reliable = reliable;
	leg->settled = true;
	timer_start(ua->wheel, &reliable->timer, reliable->interval_ms, again, reliable);
	return 0;
}

static bool takes_reliable(const struct sip_message *invite)
{
	return sip_header_has_token(invite, "Supported", STR("100rel")) ||
	       sip_header_has_token(invite, "Require", STR("100rel"));
}

int ua_leg_answer_early(struct ua_leg *leg)
{
	const struct sip_message *invite = sip_server_tx_request(leg->incoming);
	bool reliable = takes_reliable(invite);
	struct buf headers = BUF_EMPTY, body = BUF_EMPTY, text = BUF_EMPTY;
	int ret = -ENOENT;

	if (invite->body.n && !ua_leg_make_answer(leg, leg->network, invite->body, &body))
		ret = 0;
	if (!ret && reliable) {
		/* The first one is any number (RFC 3262 3). */
		leg->rseq = (uint32_t)(ua_now_us() & 0x3fffffff) + 1;
		buf_addf(&headers, "Require: 100rel\r\nRSeq: %u\r\n", (unsigned)leg->rseq);
	}
	if (!ret)
		ret = ua_leg_write_response(leg, leg->incoming, 183, buf_str(&headers),
					    buf_str(&body), &text);
	if (!ret && reliable)
		ret = await_prack(leg, buf_str(&text));
	if (!ret)
		sip_server_tx_send(leg->incoming, buf_str(&text));
	buf_free(&headers);
	buf_free(&body);
	buf_free(&text);
	ua_call_aim(leg->call);
	return ret;
}

bool ua_leg_waits(const struct ua_leg *leg)
{
	return leg->reliable;
}

static bool rack_fits(const struct ua_leg *leg, const struct sip_message *request)
{
	struct str rest = sip_header(request, "RAck", 0), part;
	uint32_t rseq, cseq;

	return leg->reliable && rest.p && str_split(&rest, ' ', &part) && str_to_u32(part, &rseq) &&
	       str_split(&rest, ' ', &part) && str_to_u32(part, &cseq) && rseq == leg->rseq &&
	       cseq == sip_server_tx_request(leg->incoming)->cseq;
}

int ua_leg_receive_prack(struct ua_leg *leg, const struct sip_message *request)
{
	int status = sip_dialog_in_order(leg->dialog, request);

	if (status)
		return status;
	if (!rack_fits(leg, request))
		return 481;
	drop_reliable(leg);
	return 200;
}

/* ---- UPDATE ---------------------------------------------------------------------------------- */

/* The answer to the INVITE leaves, or comes, by the network that we are at now. */
static void follow(struct ua_leg *leg, struct ua_network *network)
{
	struct ua_way way;

	leg->network = network;
	leg->roamed = true;
	if (leg->state == UA_LEG_CALLING) {
		leg->asked_by = network;
		ua_request_follow(leg->request, network);
	} else if (leg->incoming && !ua_way_of(leg->call->ua, network, leg->dialog, &way)) {
		sip_server_tx_follow(leg->incoming, &way.flow);
	}
}

/* 0, or a status: what came back is of no use. */
static int take_update(struct ua_leg *leg, struct sip_message *response)
{
	struct error err = {""};

	if (leg->update_offers && ua_leg_take_answer(leg, response->body, &err)) {
		oa_abandon(&leg->oa);
		return 488;
	}
	sip_dialog_refresh(leg->dialog, response);
	follow(leg, leg->update_by);
	ua_call_aim(leg->call);
	return 0;
}

static void on_updated(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;
	int useless;

	if (status < 200)
		return;
	if (status >= 300 && leg->update_offers)
		oa_abandon(&leg->oa);
	useless = status < 300 ? take_update(leg, response) : 0;
	ua_request_free(leg->update);
	leg->update = NULL;
	leg->updated(leg->update_context, useless ? useless : status, response);
}

static int send_update(struct ua_leg *leg, struct str body)
{
	const struct ua_request_spec spec = {.method = SIP_UPDATE,
					     .network = leg->update_by,
					     .dialog = leg->dialog,
					     .contact = true,
					     .content_type = body.n ? APPLICATION_SDP : STR_NONE,
					     .body = body,
					     .fn = on_updated,
					     .context = leg};

	return ua_request_send(&leg->update, leg->call->ua, &spec);
}

int ua_leg_update(struct ua_leg *leg, struct ua_network *network, ua_leg_fn *fn, void *context)
{
	struct buf body = BUF_EMPTY;
	int ret = 0;

	if (leg->update || leg->reliable)
		return -EBUSY;
	if (!leg->dialog->remote_tag[0])
		return -ENOTCONN;
	if (!leg->updates)
		return -EOPNOTSUPP;
	leg->update_by = network;
	leg->updated = fn;
	leg->update_context = context;
	leg->update_offers = leg->settled; /* RFC 3311 5.1 */
	if (leg->update_offers)
		ret = ua_leg_write_again(leg, network, &body);
	if (!ret)
		ret = send_update(leg, buf_str(&body));
	if (ret && leg->update_offers)
		oa_abandon(&leg->oa);
	buf_free(&body);
	return ret;
}
