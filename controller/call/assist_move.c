// SPDX-License-Identifier: BSD-2-Clause
/*
 * A party of a CN-assisted call moves (HH-11): its INVITE with Handover (or Replaces, Join) goes on
 * to the far end, as a new INVITE that names the far end's own leg, since identifiers differ across
 * a B2BUA. When the far end accepts, there are two pairs of legs. When it cannot, the call is
 * anchored late, and the relay does it.
 */
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

#include "call/assist_private.h"
#include "call/dialog_ids.h"

static bool is_join(const struct sip_message *request)
{
	return sip_has_header(request, "Join");
}

bool assist_may_join(const struct leg *leg)
{
	return leg->call && leg->call->assisted && leg->peer;
}

/* ---- the end ------------------------------------------------------------------------------------
 */

/* What is left of it when the INVITE is out of its hands. */
static void dispose(struct assist *assist)
{
	timer_stop(&assist->timer);
	if (assist->attempt)
		attempt_abandon(assist->attempt, STR_NONE);
	assist->call->assist = NULL;
	leg_free(assist->fresh);
	sip_message_unref(assist->request);
	free(assist);
}

/* `response`: what the far end said, or NULL. */
static void refuse(struct assist *assist, int status, const struct sip_message *response)
{
	struct buf *extra = &assist->call->calls->extra;

	buf_reset(extra);
	if (response)
		headers_pass(response, extra);
	call_step(assist->call, (int)assist->old->side, "handover failed", "far end", status);
	handover_end(assist->handover, HANDOVER_FAILED);
	sip_server_tx_forget(assist->invite);
	if (leg_respond(assist->fresh, assist->invite, status, NULL, buf_str(extra), STR_NONE,
			STR_NONE))
		leg_refuse(assist->fresh, assist->invite, status, NULL);
	dispose(assist);
}

void assist_free(struct assist *assist, int status)
{
	if (assist)
		refuse(assist, status, NULL);
}

static void cancelled(void *context, struct sip_message *cancel)
{
	struct assist *assist = context;

	(void)cancel;
	if (assist->anchoring)
		assist->cancelled = true; /* the far end's answer first */
	else
		refuse(assist, 487, NULL);
}

static void unacknowledged(void *context)
{
	struct leg *leg = context;

	leg->unacked = NULL;
	if (leg->call)
		call_step(leg->call, (int)leg->side, "handover", "no ACK", 408);
	if (leg->bye_waits)
		leg_bye_now(leg);
	else if (leg->call && leg->call->side[leg->side].count > 1)
		assist_turn_away(leg, STR("SIP;cause=408;text=\"No ACK\""));
	else if (leg->call)
		call_end(leg->call, 0, STR("SIP;cause=408;text=\"No ACK\""), "no ACK", NULL);
}

static const struct sip_server_tx_handlers waiting_handlers = {cancelled, NULL};
static const struct sip_server_tx_handlers joined_handlers = {NULL, unacknowledged};

/* ---- accepted -----------------------------------------------------------------------------------
 */

/* HH-16: nobody said BYE; the new pair stays, since that is where the party goes. */
static void expired(void *context)
{
	struct handover *handover = context;
	struct leg *old = handover->old;

	handover_end(handover, HANDOVER_EXPIRED);
	assist_turn_away(old, STR("SIP;cause=408;text=\"Handover window is over\""));
}

static int answer(struct assist *assist, struct leg *far)
{
	struct leg *fresh = assist->fresh;
	struct calls *calls = fresh->calls;
	struct error err;
	int ret;

	buf_reset(&calls->sdp);
	ret = offer_write(fresh, str_of(far->oa.remote), &calls->sdp);
	if (!ret)
		ret = oa_send_answer(&fresh->oa, buf_str(&calls->sdp), &err);
	if (ret)
		return ret;
	buf_reset(&calls->extra);
	session_timer_response(fresh, assist->request, &calls->extra);
	ret = leg_respond(fresh, assist->invite, 200, NULL, buf_str(&calls->extra),
			  STR("application/sdp"), buf_str(&calls->sdp));
	if (ret)
		return ret;
	fresh->unacked = assist->invite;
	sip_server_tx_handle(assist->invite, &joined_handlers, fresh);
	return 0;
}

static void joined(struct assist *assist, struct leg *far)
{
	struct handover *handover = assist->handover;
	struct call *call = assist->call;
	struct leg *fresh = assist->fresh;

	fresh->dialog->state = SIP_DIALOG_CONFIRMED;
	assist_pair(fresh, far);
	leg_join_side(fresh);
	leg_join_side(far);
	assist->fresh = NULL;
	handover->fresh = fresh;
	handover->assisted = true;
	handover->state = HANDOVER_BOTH;
	handover->at.answered = handover_clock_ns();
	call->handovers++;
	call_step(call, (int)fresh->side, "handover", "by the far end", 200);
	session_timer_start(fresh);
	session_timer_start(far);
	timer_start(call->calls->wheel, &handover->timer, call->calls->config->handover_window_ms,
		    expired, handover);
	dispose(assist);
	journal_save(call);
}

static struct leg *take_far(struct assist *assist)
{
	struct attempt *attempt = assist->attempt;
	struct leg *far = container_of(attempt->legs.next, struct leg, link);

	list_remove(&far->link);
	far->attempt = NULL;
	attempt_free(attempt);
	assist->attempt = NULL;
	return far;
}

static void accepted(struct assist *assist, struct sip_message *response)
{
	struct leg *far = container_of(assist->attempt->legs.next, struct leg, link);
	struct str sdp = offer_of(response);
	struct error err;
	int ret;

	timer_stop(&assist->timer);
	ret = sip_dialog_learn(far->dialog, response);
	far = take_far(assist);
	if (ret) { /* no memory: it comes again as a stray, which gets ACK and BYE */
		leg_free(far);
		refuse(assist, 503, NULL);
		return;
	}
	leg_ack(far);
	session_timer_answered(far, response);
	far->updates = sip_header_has_token(response, "Allow", STR("UPDATE"));
	ret = sdp.n ? oa_receive_answer(&far->oa, sdp, &err) : -EBADMSG;
	if (!ret)
		ret = offer_hear(far, sdp);
	if (!ret)
		ret = answer(assist, far);
	if (!ret) {
		joined(assist, far);
		return;
	}
	leg_bye(far, STR("SIP;cause=488"));
	refuse(assist, offer_status(ret), NULL);
}

/* ---- refused ------------------------------------------------------------------------------------
 */

/* The relay takes over what the far end could not do. */
static void begin_anew(struct assist *assist)
{
	struct leg *old = assist->old;
	struct sip_message *request = assist->request;
	struct sip_server_tx *tx = assist->invite;
	enum handover_scheme scheme = assist->scheme;

	handover_free(assist->handover);
	assist->request = NULL;
	sip_server_tx_forget(tx);
	dispose(assist);
	handover_start(old, tx, request, scheme);
	sip_message_unref(request);
}

void assist_anchored(struct assist *assist, int status)
{
	assist->anchoring = false;
	timer_stop(&assist->timer);
	if (assist->cancelled)
		refuse(assist, 487, NULL);
	else if (status != 200)
		refuse(assist, assist->status, NULL);
	else
		begin_anew(assist);
}

static bool may_anchor(const struct assist *assist, int status)
{
	return (status == 481 || status == 420 || status == 408) && !is_join(assist->request) &&
	       assist->old->peer;
}

/* Nobody asks the far end any more. */
static void in_vain(struct assist *assist, int status, const struct sip_message *response)
{
	timer_stop(&assist->timer);
	call_step(assist->call, (int)side_other(assist->old->side), "far end answers", NULL,
		  status);
	/* The far end asks us, not the mover, who has proved to us who it is. */
	assist->status = status == 401 || status == 407 ? 403 : status < 400 ? 480 : status;
	if (may_anchor(assist, status)) {
		assist->anchoring = true;
		if (!assist_anchor(assist))
			return;
		assist->anchoring = false;
	}
	refuse(assist, assist->status, response);
}

static void refused(struct assist *assist, int status, const struct sip_message *response)
{
	struct attempt *attempt = assist->attempt;

	attempt->tx = NULL;
	assist->attempt = NULL;
	attempt_free(attempt);
	in_vain(assist, status, response);
}

/* It neither accepts nor refuses: the mover has no time for that. */
static void too_late(void *context)
{
	struct assist *assist = context;
	struct attempt *attempt = assist->attempt;

	assist->attempt = NULL;
	attempt_abandon(attempt, STR("SIP;cause=408"));
	in_vain(assist, 408, NULL);
}

void assist_response(struct assist *assist, struct sip_message *response)
{
	if (response->status < 200)
		return;
	if (response->status < 300)
		accepted(assist, response);
	else
		refused(assist, response->status, response);
}

void assist_failed(struct assist *assist, int status)
{
	refused(assist, status, NULL);
}

/* ---- across -------------------------------------------------------------------------------------
 */

static int make_dialog(struct leg *leg, const struct sip_dialog *like, uint32_t max_forwards)
{
	struct calls *calls = leg->calls;
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	char *routes = str_dup(str_of(like->routes));
	int ret;

	sip_token(calls->stack, call_id);
	sip_token(calls->stack, tag);
	ret = routes ? sip_dialog_create(&dialog, calls->dialogs, str_of(call_id), str_of(tag),
					 str_of(like->local_uri), str_of(like->remote_uri),
					 str_of(like->target))
		     : -ENOMEM;
	if (ret) {
		free(routes);
		return ret;
	}
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, leg->call->id, sizeof(dialog->contact_user));
	free(dialog->routes);
	dialog->routes = routes;
	dialog->flow = like->flow;
	dialog->use_flow = like->use_flow;
	dialog->max_forwards = max_forwards;
	return 0;
}

/* The further leg of the far end, like the one that it has. */
static int make_far(struct leg **out, const struct leg *like, const struct sip_message *request)
{
	struct leg *leg;
	int ret = leg_alloc(&leg, like->calls, like->call, like->side);

	if (ret)
		return ret;
	leg->assisted = true;
	ret = leg_take_party(leg, str_of(like->user), str_of(like->trunk));
	if (!ret)
		ret = make_dialog(leg, like->dialog, request->max_forwards - 1);
	if (!ret)
		ret = oa_send_offer(&leg->oa, offer_of(request));
	if (ret)
		leg_free(leg);
	else
		*out = leg;
	return ret;
}

/*
 * HH-11: the far end's own identifiers, its tag first. It must know the header: one who does not
 * would ring.
 */
static void write_headers(struct leg *leg, const struct leg *like,
			  const struct sip_message *request, enum handover_scheme scheme)
{
	const struct sip_dialog *dialog = like->dialog;
	const struct dialog_ids ids = {.call_id = str_of(dialog->call_id),
				       .to_tag = str_of(dialog->remote_tag),
				       .from_tag = str_of(dialog->local_tag)};
	struct buf *extra = &leg->calls->extra;
	bool join = is_join(request), replaces = scheme == HANDOVER_REPLACES;

	buf_reset(extra);
	headers_pass(request, extra);
	headers_supported(extra, false);
	dialog_ids_write(extra, join ? "Join" : replaces ? "Replaces" : "Handover", &ids);
	buf_add(extra, join	  ? STR("Require: join\r\n")
		       : replaces ? STR("Require: replaces\r\n")
				  : STR("Require: handover\r\n"));
	session_timer_request(leg, extra);
}

static int send_across(struct assist *assist)
{
	struct leg *like = assist->old->peer, *far;
	struct calls *calls = like->calls;
	int ret = make_far(&far, like, assist->request);

	if (ret)
		return ret;
	write_headers(far, like, assist->request, assist->scheme);
	return attempt_join(&assist->attempt, far, buf_str(&calls->extra), str_of(far->oa.offer),
			    assist, NULL);
}

/* HH-3: may it be now? 0, or a status. */
static int obstacle(const struct leg *old, struct str offer)
{
	const struct call *call = old->call;
	const struct calls *calls = old->calls;

	if (call->assist || handover_on(call, SG_SIDE_A) || handover_on(call, SG_SIDE_B) ||
	    call->offering || call->change.waiting)
		return 491;
	if (calls->config->handover_most && calls->handovers >= calls->config->handover_most)
		return 503;
	if (!old->peer || call->side[old->side].count >= SIDE_LEGS || !offer.n)
		return 488;
	return 0;
}

/* 0 or a negative errno. */
static int assist_alloc(struct assist **out, struct leg *old, struct sip_server_tx *tx,
			struct sip_message *request, enum handover_scheme scheme)
{
	struct assist *assist = calloc(1, sizeof(*assist));
	int ret = assist ? second_leg_accept(&assist->fresh, old, request) : -ENOMEM;

	if (ret) {
		free(assist);
		return ret;
	}
	assist->handover = handover_begin(old->call, old->side, scheme, request);
	if (!assist->handover) {
		leg_free(assist->fresh);
		free(assist);
		return -ENOMEM;
	}
	assist->handover->old = old;
	assist->call = old->call;
	assist->old = old;
	assist->invite = tx;
	assist->scheme = scheme;
	assist->request = sip_message_ref(request);
	old->call->assist = assist;
	*out = assist;
	return 0;
}

void assist_receive(struct leg *old, struct sip_server_tx *tx, struct sip_message *request,
		    enum handover_scheme scheme)
{
	struct calls *calls = old->calls;
	int status = obstacle(old, offer_of(request)), ret;
	struct assist *assist;

	if (status) {
		second_leg_refuse(calls, tx, status);
		return;
	}
	ret = assist_alloc(&assist, old, tx, request, scheme);
	if (ret) {
		second_leg_refuse(calls, tx, offer_status(ret));
		return;
	}
	sip_server_tx_handle(tx, &waiting_handlers, assist);
	call_step(old->call, (int)old->side, "handover", "to the far end", 0);
	if (send_across(assist))
		refuse(assist, 503, NULL);
	else
		timer_start(calls->wheel, &assist->timer, calls->config->handover_window_ms,
			    too_late, assist);
}
