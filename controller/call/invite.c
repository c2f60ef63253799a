// SPDX-License-Identifier: BSD-2-Clause
/* A new call: may it be, whose is it, where to; and the answer to it. */
#include "call/internal.h"

#include <errno.h>
#include <stdlib.h>

/* ---- may it be ------------------------------------------------------------------------------ */

bool require_refused(struct calls *calls, struct sip_server_tx *tx,
		     const struct sip_message *request)
{
	struct buf unsupported = BUF_EMPTY;
	size_t cursor = 0;
	struct str tag;

	while (sip_header_list(request, "Require", &cursor, &tag)) {
		if (headers_knows_option(tag))
			continue;
		buf_add(&unsupported, unsupported.len ? STR(", ") : STR("Unsupported: "));
		buf_add(&unsupported, tag);
	}
	if (!unsupported.len)
		return false;
	buf_add(&unsupported, STR("\r\n"));
	respond_plain(calls, tx, 420, NULL, buf_str(&unsupported));
	buf_free(&unsupported);
	return true;
}

/* Is it an INVITE of ours that found its way back to us (RFC 3261 16.3, E.g. by a trunk)? */
static bool is_loop(struct calls *calls, const struct sip_message *request)
{
	return sip_dialog_find(calls->dialogs, request->call_id, request->from_tag, STR_NONE) !=
	       NULL;
}

int invite_refusal(struct calls *calls, const struct sip_message *request)
{
	if (!request->max_forwards)
		return 483;
	if (is_loop(calls, request))
		return 482;
	if (request->body.n && !offer_of(request).n && request->method == SIP_INVITE)
		return 415;
	return 0;
}

/* ---- whose is it ---------------------------------------------------------------------------- */

/* A user calls under its own name, or under none (RFC 3323). */
static bool owns_from(struct calls *calls, const struct sip_message *request, struct str aor)
{
	struct buf from = BUF_EMPTY;
	struct sip_uri uri;
	bool owns = true;

	if (!sip_uri_parse(&uri, request->from.uri) && registrar_is_ours(calls->registrar, &uri))
		owns = !registrar_aor(calls->registrar, &uri, &from) && str_eq(buf_str(&from), aor);
	buf_free(&from);
	return owns;
}

bool invite_identify(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
		     struct buf *aor, struct identity *out)
{
	*out = (struct identity){.trunk = trunk_of(calls->config, &request->flow.remote)};
	if (out->trunk)
		return true;
	if (!registrar_authenticate(calls->registrar, tx, request, true, aor))
		return false;
	out->aor = buf_str(aor);
	if (owns_from(calls, request, out->aor))
		return true;
	respond_plain(calls, tx, 403, "Not Your Address", STR_NONE);
	return false;
}

/* ---- the caller's leg ----------------------------------------------------------------------- */

static void cancelled(void *context, struct sip_message *cancel)
{
	struct call *call = context;

	call_end(call, 487, headers_reason(cancel), "CANCEL from A", NULL);
}

int call_make_caller(struct call *call, struct sip_message *request, const struct identity *who)
{
	struct calls *calls = call->calls;
	char tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	struct leg *leg;
	int ret = leg_alloc(&leg, calls, call, SG_SIDE_A);

	if (ret)
		return ret;
	sip_token(calls->stack, tag);
	ret = sip_dialog_accept(&dialog, calls->dialogs, request, str_of(tag));
	if (ret) {
		leg_free(leg);
		return ret;
	}
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, call->id, sizeof(dialog->contact_user));
	leg->demands_reliable = sip_header_has_token(request, "Require", STR("100rel"));
	leg->reliable =
		leg->demands_reliable || sip_header_has_token(request, "Supported", STR("100rel"));
	leg->updates = sip_header_has_token(request, "Allow", STR("UPDATE"));
	call->wants_assist = sip_header_has_token(request, "Require", STR("handover"));
	call->caller = leg;
	return leg_take_party(leg, who->trunk ? STR_NONE : who->aor,
			      who->trunk ? str_of(who->trunk->name) : STR_NONE);
}

static int take_offer(struct call *call, const struct sip_message *request)
{
	struct str sdp = offer_of(request);
	int ret;

	call->late_offer = !sdp.n;
	if (call->late_offer)
		return 0;
	ret = oa_receive_offer(&call->caller->oa, sdp);
	return ret ? ret : offer_hear(call->caller, sdp);
}

/* ---- the call ------------------------------------------------------------------------------- */

static const struct sip_server_tx_handlers invite_handlers = {cancelled, NULL};

static void begin(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
		  const struct identity *who, struct target *target, size_t targets)
{
	struct call *call;
	int ret = call_alloc(&call, calls, STR_NONE, request->from.uri, request->request_uri);

	if (ret) {
		targets_free(target, targets);
		respond_plain(calls, tx, 500, NULL, STR_NONE);
		return;
	}
	call->target = target;
	call->targets = targets;
	ret = call_make_caller(call, request, who);
	if (!ret)
		ret = call_begun_by(call, who->aor);
	if (ret) {
		call_end(call, 0, STR_NONE, "no dialog", NULL);
		respond_plain(calls, tx, ret == -ENOMEM ? 500 : 400,
			      ret == -ENOMEM ? NULL : "Contact Missing", STR_NONE);
		return;
	}
	call->invite = tx;
	sip_server_tx_handle(tx, &invite_handlers, call);
	ret = take_offer(call, request);
	if (ret)
		call_refuse(call, offer_status(ret), NULL);
	else if (session_timer_refused(call->caller, tx, request))
		call_end(call, 422, STR_NONE, "session interval too small", NULL);
	else if (!attempt_next_group(call))
		call_refuse(call, call->best.status ? call->best.status : 480, NULL);
}

static void admitted(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
		     const struct identity *who)
{
	struct target *target;
	size_t targets;
	int status;

	if (!admit_caller(calls, tx, who))
		return;
	status = route_find(calls, request, who, &target, &targets);
	if (!status) {
		status = admit_targets(calls, who, target, targets);
		if (status)
			targets_free(target, targets);
	}
	if (status)
		respond_plain(calls, tx, status, NULL, STR_NONE);
	else
		begin(calls, tx, request, who, target, targets);
}

void invite_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request)
{
	int status = invite_refusal(calls, request);
	struct buf aor = BUF_EMPTY;
	struct identity who;

	if (status)
		respond_plain(calls, tx, status, NULL,
			      status == 415 ? STR("Accept: application/sdp\r\n") : STR_NONE);
	else if (!require_refused(calls, tx, request) &&
		 invite_identify(calls, tx, request, &aor, &who) &&
		 !redirect_serve(calls, tx, request))
		admitted(calls, tx, request, &who);
	buf_free(&aor);
}

/* ---- the answer ----------------------------------------------------------------------------- */

/* B's offer or answer as A gets it, into calls->sdp. 0 or a negative errno. */
static int write_answer(struct call *call, struct leg *leg)
{
	struct leg *caller = call->caller;
	struct buf *sdp = &call->calls->sdp;
	struct error err;
	int ret;

	buf_reset(sdp);
	if (leg->oa.state == OA_OFFER_RECEIVED) {
		ret = offer_write(caller, str_of(leg->oa.offer), sdp);
		return ret ? ret : oa_send_offer(&caller->oa, buf_str(sdp));
	}
	if (caller->oa.state != OA_OFFER_RECEIVED) {
		/* Answered by a reliable provisional: of this dialog of B's, or of another. */
		caller->offer_again = caller->oa.state == OA_AGREED && !leg->told && leg->oa.remote;
		return 0;
	}
	ret = offer_write(caller, str_of(leg->oa.remote), sdp);
	return ret ? ret : oa_send_answer(&caller->oa, buf_str(sdp), &err);
}

void invite_offer_again(struct leg *caller)
{
	const struct leg *leg = call_opposite(caller);
	int ret = leg ? exchange_offer(caller, str_of(leg->oa.remote)) : -ENOENT;

	caller->offer_again = false;
	if (ret)
		log_warning(caller->calls->log, caller->call->id,
			    "A was told of another answer than B's: %s", strerror(-ret));
}

static int respond(struct call *call, const struct sip_message *response)
{
	struct buf *extra = &call->calls->extra, *sdp = &call->calls->sdp;
	struct leg *caller = call->caller;
	int ret;

	buf_reset(extra);
	headers_pass(response, extra);
	session_timer_response(caller, sip_server_tx_request(call->invite), extra);
	ret = leg_respond(caller, call->invite, 200, NULL, buf_str(extra),
			  sdp->len ? STR("application/sdp") : STR_NONE, buf_str(sdp));
	if (ret)
		return ret;
	leg_await_ack(caller, call->invite);
	call->invite = NULL;
	caller->dialog->state = SIP_DIALOG_CONFIRMED;
	leg_join_side(caller);
	return 0;
}

static void fail(struct call *call, struct leg *leg, int error)
{
	log_warning(call->calls->log, call->id, "cannot be answered: %s", strerror(-error));
	/* One whose offer waits in a 2xx has to be ACKed before it can get a BYE. */
	if (leg->oa.state == OA_OFFER_RECEIVED) {
		oa_abandon(&leg->oa);
		leg_ack(leg);
	}
	call_refuse(call, error == -EBADMSG ? 502 : offer_status(error), NULL);
}

void invite_answered(struct call *call, struct leg *leg, struct sip_message *response, int result)
{
	int ret = result;

	if (leg->owes_ack)
		leg_ack(leg);
	if (!ret)
		ret = write_answer(call, leg);
	if (!ret && call->caller->oa.state == OA_OFFER_SENT)
		ret = exchange_await_answer(call->caller, leg);
	if (!ret)
		ret = respond(call, response);
	if (ret) {
		fail(call, leg, ret);
		return;
	}
	call->state = CALL_UP;
	call->answered_ns = call_now_ns(call);
	targets_free(call->target, call->targets);
	call->target = NULL;
	call->targets = 0;
	sip_message_unref(call->best.message);
	call->best = (struct group_best){0};
	call_step(call, -1, "established", NULL, 0);
	session_timer_start(call->caller);
	session_timer_start(leg);
	call_watch(call);
	journal_save(call);
}
