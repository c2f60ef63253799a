// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking for the callee: an INVITE of ours for each contact, those of the same q at once, then the
 * next lower ones (SG-21, SG-22). The first 2xx wins; whoever answers later gets ACK and BYE.
 */
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

static const struct sip_client_tx_handlers attempt_handlers;

/* ---- the object ----------------------------------------------------------------------------- */

static struct attempt *attempt_alloc(struct call *call, size_t target)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));

	if (!attempt)
		return NULL;
	attempt->calls = call->calls;
	attempt->call = call;
	attempt->target = target;
	list_init(&attempt->legs);
	list_append(&call->attempts, &attempt->link);
	return attempt;
}

static void drop_held(struct attempt *attempt)
{
	struct call *call = attempt->call;
	size_t kept = 0;

	for (size_t i = 0; call && i < call->held_count; i++) {
		if (call->held[i].attempt == attempt)
			sip_message_unref(call->held[i].message);
		else
			call->held[kept++] = call->held[i];
	}
	if (call)
		call->held_count = kept;
}

void attempt_free(struct attempt *attempt)
{
	drop_held(attempt);
	list_remove(&attempt->link);
	if (attempt->tx)
		sip_client_tx_forget(attempt->tx);
	list_for_each(node, after, &attempt->legs) leg_free(container_of(node, struct leg, link));
	free(attempt);
}

void attempt_abandon(struct attempt *attempt, struct str reason)
{
	drop_held(attempt);
	list_remove(&attempt->link);
	list_append(&attempt->calls->orphans, &attempt->link);
	attempt->call = NULL;
	list_for_each(node, after, &attempt->legs)
	{
		struct leg *leg = container_of(node, struct leg, link);

		leg->call = NULL;
		early_free(leg);
	}
	if (attempt->tx)
		sip_client_tx_cancel(attempt->tx, reason);
	else
		attempt_free(attempt); /* nothing will be heard of it that could end it */
}

static void add_leg(struct attempt *attempt, struct leg *leg)
{
	leg->attempt = attempt;
	list_append(&attempt->legs, &leg->link);
	attempt->leg_count++;
}

/* ---- the INVITE ----------------------------------------------------------------------------- */

/* `before`: the same once more (RFC 3261 8.1.3.5), or NULL. */
static int make_dialog(struct leg *leg, const struct target *target,
		       const struct sip_message *invite, const struct sip_dialog *before)
{
	struct calls *calls = leg->calls;
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	int ret = target_parties(calls, invite, &calls->sdp, &calls->extra);

	if (ret)
		return ret;
	sip_token(calls->stack, call_id);
	sip_token(calls->stack, tag);
	ret = sip_dialog_create(&dialog, calls->dialogs, str_of(before ? before->call_id : call_id),
				str_of(before ? before->local_tag : tag), buf_str(&calls->sdp),
				buf_str(&calls->extra), str_of(target->uri));
	if (ret)
		return ret;
	if (before)
		dialog->local_cseq = before->local_cseq;
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, leg->call->id, sizeof(dialog->contact_user));
	dialog->max_forwards = invite->max_forwards - 1;
	return target_aim(target, dialog);
}

static int prepare(struct leg *leg, const struct target *target, const struct sip_message *request,
		   const struct sip_dialog *before)
{
	int ret = leg_take_party(leg, str_of(target->user), str_of(target->trunk));

	return ret ? ret : make_dialog(leg, target, request, before);
}

int leg_prepare(struct leg *leg, const struct target *target, const struct sip_message *request)
{
	return prepare(leg, target, request, NULL);
}

static int write_offer(struct leg *leg, struct leg *caller)
{
	struct buf *sdp = &leg->calls->sdp;
	int ret;

	buf_reset(sdp);
	if (!caller->oa.offer)
		return 0; /* late: the callee makes the offer */
	ret = offer_write(leg, str_of(caller->oa.offer), sdp);
	return ret ? ret : oa_send_offer(&leg->oa, buf_str(sdp));
}

/*
 * Reliable provisionals are asked for where the caller takes them; and where the offer is in the
 * INVITE, since then PRACK needs no answer of the caller's (SG-54).
 */
static void write_headers(struct leg *leg, const struct sip_message *invite)
{
	struct buf *extra = &leg->calls->extra;

	buf_reset(extra);
	headers_pass(invite, extra);
	headers_identity(leg, invite, extra);
	headers_supported(extra, leg->call->caller->reliable || !leg->call->late_offer);
	if (leg->assisted)
		buf_add(extra, STR("Require: handover\r\n"));
	session_timer_request(leg, extra);
}

static int send_invite(struct attempt *attempt, struct leg *leg, const struct sip_message *invite,
		       const struct sip_dialog *before)
{
	const struct target *target = &leg->call->target[attempt->target];
	struct calls *calls = leg->calls;
	int ret;

	ret = prepare(leg, target, invite, before);
	if (!ret)
		ret = write_offer(leg, leg->call->caller);
	if (ret)
		return ret;
	write_headers(leg, invite);
	return leg_request(leg, STR("INVITE"), buf_str(&calls->extra),
			   calls->sdp.len ? STR("application/sdp") : STR_NONE, buf_str(&calls->sdp),
			   &attempt_handlers, attempt, &attempt->tx);
}

int attempt_start(struct call *call, size_t index)
{
	struct attempt *attempt = attempt_alloc(call, index);
	struct leg *leg;
	int ret;

	if (!attempt)
		return -ENOMEM;
	ret = leg_alloc(&leg, call->calls, call, SG_SIDE_B);
	if (!ret) {
		add_leg(attempt, leg);
		leg->assisted = assist_wanted(call, &call->target[index]);
		ret = send_invite(attempt, leg, sip_server_tx_request(call->invite), NULL);
	}
	if (ret)
		attempt_free(attempt);
	return ret;
}

static void drop_legs(struct attempt *attempt, const struct leg *except)
{
	list_for_each(node, after, &attempt->legs)
	{
		struct leg *leg = container_of(node, struct leg, link);

		if (leg == except)
			continue;
		leg_free(leg);
		attempt->leg_count--;
	}
}

int attempt_again(struct attempt *attempt, bool assisted)
{
	struct leg *before = container_of(attempt->legs.next, struct leg, link), *leg;
	struct call *call = attempt->call;
	int ret = leg_alloc(&leg, call->calls, call, SG_SIDE_B);

	if (ret)
		return ret;
	add_leg(attempt, leg);
	attempt->again = attempt->again || assisted != before->assisted;
	leg->assisted = assisted;
	leg->session = (struct session_timer){.least_s = before->session.least_s,
					      .raised = before->session.raised};
	ret = send_invite(attempt, leg, sip_server_tx_request(call->invite), before->dialog);
	if (ret) {
		list_remove(&leg->link);
		attempt->leg_count--;
		leg_free(leg);
		return ret;
	}
	drop_legs(attempt, leg); /* provisionals may have made some */
	return 0;
}

int attempt_join(struct attempt **out, struct leg *leg, struct str extra, struct str sdp,
		 struct assist *assist, struct refer *refer)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	int ret;

	if (!attempt) {
		leg_free(leg);
		return -ENOMEM;
	}
	attempt->calls = leg->calls;
	attempt->call = leg->call;
	attempt->assist = assist;
	attempt->refer = refer;
	list_init(&attempt->link);
	list_init(&attempt->legs);
	add_leg(attempt, leg);
	ret = leg_request(leg, STR("INVITE"), extra, STR("application/sdp"), sdp, &attempt_handlers,
			  attempt, &attempt->tx);
	if (ret)
		attempt_free(attempt);
	else
		*out = attempt;
	return ret;
}

/* ---- 2xx ------------------------------------------------------------------------------------ */

static void detach(struct leg *leg)
{
	list_remove(&leg->link);
	leg->attempt->leg_count--;
	leg->attempt = NULL;
}

/* Answered, but not wanted: ACK and BYE (SG-21). */
static void turn_away(struct leg *leg, struct str reason)
{
	detach(leg);
	if (leg->oa.state == OA_OFFER_RECEIVED)
		oa_abandon(&leg->oa);
	leg_ack(leg);
	leg_bye(leg, reason);
}

/* What the callee says about media in its 2xx; 0 or a negative errno. */
static int hear_answer(struct leg *leg, const struct sip_message *response)
{
	struct str sdp = offer_of(response);
	struct error err;
	int ret;

	if (leg->call->late_offer && leg->oa.state == OA_IDLE) {
		ret = sdp.n ? oa_receive_offer(&leg->oa, sdp) : -EBADMSG;
	} else if (leg->oa.state == OA_OFFER_SENT) {
		/* The answer may have come before, in a provisional (RFC 3261 13.2.1). */
		if (!sdp.n && leg->preview)
			sdp = str_of(leg->preview);
		ret = sdp.n ? oa_receive_answer(&leg->oa, sdp, &err) : -EBADMSG;
	} else {
		return 0; /* all was said in reliable provisionals */
	}
	free(leg->preview);
	leg->preview = NULL;
	if (ret)
		return ret;
	return offer_hear(leg, str_of(leg->oa.state == OA_AGREED ? leg->oa.remote : leg->oa.offer));
}

/* The others ring in vain; of this attempt, forks that were heard of but did not answer. */
static void win(struct attempt *attempt, struct leg *leg)
{
	struct call *call = attempt->call;

	call->answering = true;
	timer_stop(&call->timer);
	detach(leg);
	leg_join_side(leg);
	attempt_free(attempt);
	while (!list_empty(&call->attempts))
		attempt_abandon(container_of(call->attempts.next, struct attempt, link),
				STR("SIP;cause=200;text=\"Call completed elsewhere\""));
}

static void take_success(struct attempt *attempt, struct leg *leg, struct sip_message *response)
{
	struct call *call = attempt->call;
	int ret;

	call->assisted = leg->assisted;
	ret = hear_answer(leg, response);
	if (ret) {
		turn_away(leg, STR("SIP;cause=488;text=\"Answer not usable\""));
		attempt_over(attempt, 488, NULL);
		return;
	}
	assist_answered(leg, response);
	win(attempt, leg);
	session_timer_answered(leg, response);
	leg->updates = sip_header_has_token(response, "Allow", STR("UPDATE"));
	if (leg->oa.state == OA_OFFER_RECEIVED) { /* the ACK has to wait for the caller's answer */
		leg->late_answer = true;
		invite_answered(call, leg, response, 0);
		return;
	}
	/* A callee that waits for the ACK speaks into paths that are there. */
	leg->owes_ack = true;
	ret = streams_apply(call->caller, leg, invite_answered, leg, response);
	if (ret != -EINPROGRESS)
		invite_answered(call, leg, response, ret);
}

/* ---- responses ------------------------------------------------------------------------------ */

/* What the INVITE offered; the first dialog may have agreed to it already. NULL: nothing. */
static const char *offered(const struct leg *first)
{
	if (first->oa.offer || !first->call || first->call->late_offer)
		return first->oa.offer;
	return first->oa.local;
}

static struct leg *fork_leg(struct attempt *attempt, struct leg *first,
			    const struct sip_message *response)
{
	const char *offer = offered(first);
	struct sip_dialog *dialog;
	struct leg *leg;

	if (attempt->leg_count >= ATTEMPT_LEGS ||
	    leg_alloc(&leg, attempt->calls, attempt->call, first->side))
		return NULL;
	if (sip_dialog_fork(&dialog, first->dialog, response)) {
		leg_free(leg);
		return NULL;
	}
	leg_take_dialog(leg, dialog);
	dialog->max_forwards = first->dialog->max_forwards;
	add_leg(attempt, leg);
	leg->invite_cseq = first->invite_cseq;
	leg->session.interval_s = first->session.interval_s;
	leg->session.least_s = first->session.least_s;
	leg->assisted = first->assisted;
	if (leg_take_party(leg, str_of(first->user), str_of(first->trunk)) ||
	    (offer && oa_send_offer(&leg->oa, str_of(offer)))) {
		list_remove(&leg->link);
		attempt->leg_count--;
		leg_free(leg);
		return NULL;
	}
	leg->oa.session_id = first->oa.session_id;
	leg->oa.version = first->oa.version;
	return leg;
}

/* The leg of that To tag; a new one makes a new leg (RFC 3261 13.2.2.4). NULL: none can be had. */
static struct leg *leg_for(struct attempt *attempt, const struct sip_message *response)
{
	struct leg *first = container_of(attempt->legs.next, struct leg, link);

	list_for_each(node, after, &attempt->legs)
	{
		struct leg *leg = container_of(node, struct leg, link);

		if (!leg->dialog->remote_tag[0] ||
		    str_eq(str_of(leg->dialog->remote_tag), response->to_tag))
			return sip_dialog_learn(leg->dialog, response) ? NULL : leg;
	}
	return fork_leg(attempt, first, response);
}

/*
 * After a 2xx the transaction says nothing any more, not even when it ends: what else comes, this
 * 2xx again or one of another fork, comes as a stray.
 */
static void forget(struct attempt *attempt)
{
	if (attempt->tx)
		sip_client_tx_forget(attempt->tx);
	attempt->tx = NULL;
}

struct leg *attempt_take(struct attempt *attempt, const struct sip_message *response)
{
	struct leg *leg;

	forget(attempt);
	leg = leg_for(attempt, response);
	if (leg)
		detach(leg);
	return leg;
}

/* RFC 4028 7.3: no matter of the caller's, whose session timer is its own. */
static bool goes_with_longer_timer(struct attempt *attempt, const struct sip_message *response)
{
	struct leg *leg = container_of(attempt->legs.next, struct leg, link);

	if (!session_timer_raise(leg, response))
		return false;
	call_step(attempt->call, SG_SIDE_B, "INVITE again", "longer session timer", 0);
	return !attempt_again(attempt, leg->assisted);
}

static void handle(struct attempt *attempt, struct sip_message *response)
{
	struct call *call = attempt->call;
	struct leg *leg;

	if (attempt->refer) {
		transfer_response(attempt, response);
		return;
	}
	if (response->status >= 300) {
		attempt->tx = NULL;
		if (!assist_goes_without(attempt, response) &&
		    !goes_with_longer_timer(attempt, response))
			attempt_over(attempt, response->status, response);
		return;
	}
	if (!response->to_tag.n && response->status < 200)
		return;
	if (response->status >= 200)
		forget(attempt);
	leg = leg_for(attempt, response);
	if (!leg)
		return; /* the 2xx comes again, and there may be memory then */
	if (response->status < 200) {
		call->assisted = leg->assisted;
		early_receive(attempt, leg, response);
	} else {
		take_success(attempt, leg, response);
	}
}

static void orphan_response(struct attempt *attempt, struct sip_message *response)
{
	struct leg *leg;

	if (response->status < 200)
		return;
	if (response->status >= 300) {
		attempt->tx = NULL;
		attempt_free(attempt);
		return;
	}
	/* It crossed our CANCEL. Should others answer too, they come as strays. */
	leg = leg_for(attempt, response);
	if (leg)
		turn_away(leg, STR("SIP;cause=487;text=\"Call is over\""));
	attempt_free(attempt);
}

/* One thing after the other: what comes meanwhile waits in call->held. */
static bool is_busy(const struct call *call)
{
	return call->change.waiting || call->offering || early_waits(call);
}

static void hold_back(struct attempt *attempt, struct sip_message *response)
{
	struct call *call = attempt->call;

	/* Provisionals may be lost; a final one finds room, there are no more than attempts. */
	if (call->held_count >= CALL_HELD - (response->status < 200 ? CALL_HELD / 2 : 0))
		return;
	call->held[call->held_count].attempt = attempt;
	call->held[call->held_count].message = sip_message_ref(response);
	call->held_count++;
	if (response->status >= 300)
		attempt->tx = NULL;
}

static void attempt_response(void *context, struct sip_message *response)
{
	struct attempt *attempt = context;

	if (response->status == 100)
		return;
	if (!attempt->call)
		orphan_response(attempt, response);
	else if (attempt->assist)
		assist_response(attempt->assist, response);
	else if (is_busy(attempt->call))
		hold_back(attempt, response);
	else
		handle(attempt, response);
}

static void attempt_failed(void *context, int status)
{
	struct attempt *attempt = context;

	attempt->tx = NULL;
	if (attempt->call)
		call_step(attempt->call, SG_SIDE_B, "no answer to the INVITE", NULL, status);
	if (attempt->call && attempt->assist)
		assist_failed(attempt->assist, status);
	else if (attempt->call && attempt->refer)
		transfer_unanswered(attempt, status);
	else if (attempt->call)
		attempt_over(attempt, status, NULL);
	else
		attempt_free(attempt);
}

static const struct sip_client_tx_handlers attempt_handlers = {attempt_response, attempt_failed};

void attempt_resume(struct call *call)
{
	char id[SIP_TOKEN_LEN];
	struct calls *calls = call->calls;

	memcpy(id, call->id, sizeof(id));
	/* Each one may end the call, or make the relay busy again. */
	while (call && call->held_count && !is_busy(call)) {
		struct attempt *attempt = call->held[0].attempt;
		struct sip_message *message = call->held[0].message;

		call->held_count--;
		memmove(&call->held[0], &call->held[1], call->held_count * sizeof(call->held[0]));
		handle(attempt, message);
		sip_message_unref(message);
		call = call_find(calls, str_of(id));
	}
}

/* ---- strays --------------------------------------------------------------------------------- */

void attempt_stray(struct calls *calls, struct sip_message *response)
{
	struct sip_dialog *dialog = sip_dialog_of(calls->dialogs, response), *fork;
	struct leg *leg;

	if (dialog && !dialog->owner)
		return;
	if (dialog) {
		leg = dialog->owner;
		if (leg->attempt) { /* there was no memory for it when it came first */
			attempt_response(leg->attempt, response);
			return;
		}
		/* The ACK was lost; one with a late answer waits for it. */
		if (response->cseq == leg->invite_cseq &&
		    !(leg->late_answer && leg->oa.state != OA_AGREED))
			leg_ack(leg);
		return;
	}
	dialog = sip_dialog_find(calls->dialogs, response->call_id, response->from_tag, STR_NONE);
	if (!dialog || !dialog->owner || leg_alloc(&leg, calls, NULL, SG_SIDE_B))
		return;
	if (sip_dialog_fork(&fork, dialog, response)) {
		leg_free(leg);
		return;
	}
	leg->invite_cseq = response->cseq;
	leg_take_dialog(leg, fork);
	leg_ack(leg);
	leg_bye(leg, STR("SIP;cause=200;text=\"Call completed elsewhere\""));
}
