// SPDX-License-Identifier: BSD-2-Clause
/*
 * Transfer (SG-9, SG-52): a party asks by REFER that the other one shall speak with somebody else.
 * We carry it out. Blind: the new party is invited with what the one who stays said of itself.
 * Attended (Replaces names another call of ours): that call's other leg comes over. When it has
 * answered, the relay moves the transferor's side to it; who stays hears nothing of it unless it
 * was on hold.
 */
#include "call/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SIPFRAG STR("message/sipfrag;version=2.0")

static const struct sip_client_tx_handlers refer_handlers;

/* ---- the one who asked hears of it (RFC 3515 2.4.4) --------------------------------------------
 */

void transfer_notify(struct refer *refer, int status)
{
	struct buf *extra, *body;

	if (!refer->from || refer->silent)
		return;
	extra = &refer->call->calls->extra;
	body = &refer->call->calls->sdp;
	buf_reset(extra);
	buf_add(extra, status < 200
			       ? STR("Event: refer\r\nSubscription-State: active;expires=180\r\n")
			       : STR("Event: refer\r\n"
				     "Subscription-State: terminated;reason=noresource\r\n"));
	buf_reset(body);
	buf_addf(body, "SIP/2.0 %d %s\r\n", status, sip_reason(status));
	leg_request(refer->from, STR("NOTIFY"), buf_str(extra), SIPFRAG, buf_str(body), NULL, NULL,
		    NULL);
}

static void refer_free(struct refer *refer)
{
	timer_stop(&refer->timer);
	refer->call->refer = NULL;
	if (refer->other)
		refer->other->refer = NULL;
	if (refer->out)
		sip_client_tx_forget(refer->out);
	blind_free(refer);
	free(refer);
}

/* The new party does not come: the call goes on as it was, if there still are two. */
void transfer_fail(struct refer *refer, int status)
{
	struct call *call = refer->call;
	struct leg *leg = refer->leg;
	bool alone = !call->side[refer->side].count;

	call_step(call, (int)refer->side, "transfer failed", NULL, status);
	transfer_notify(refer, status);
	if (refer->other)
		offer_abandon(leg);
	else if (leg)
		leg_bye(leg, STR_NONE);
	refer_free(refer);
	if (alone)
		call_end(call, 0, STR("SIP;cause=480;text=\"Transfer failed\""), "transfer failed",
			 NULL);
}

void transfer_drop(struct call *call)
{
	struct refer *refer = call->refer;

	if (!refer)
		return;
	if (refer->call != call) { /* the call that the new party came from ends first */
		transfer_fail(refer, 487);
		return;
	}
	if (refer->out)
		sip_client_tx_cancel(refer->out, STR_NONE);
	if (refer->other)
		offer_abandon(refer->leg);
	else if (refer->leg) /* it has answered, and waits for the relay */
		leg_bye(refer->leg, STR_NONE);
	refer_free(refer);
}

bool transfer_outlives(struct leg *leg)
{
	struct refer *refer = leg->call->refer;

	if (!refer || refer->from != leg)
		return false;
	refer->from = NULL;
	return true;
}

/* ---- it came ------------------------------------------------------------------------------------
 */

static bool was_held(const struct leg *leg)
{
	for (size_t i = 0; i < leg->medias; i++)
		if (leg->media[i].on && leg->media[i].direction != SDP_SENDRECV)
			return true;
	return false;
}

/* Attended: its old call is over, without it. */
static void leave_other_call(struct refer *refer)
{
	struct call *other = refer->other;

	refer->other->refer = NULL;
	refer->other = NULL;
	leg_leave_side(refer->leg);
	refer->leg->call = refer->call;
	refer->leg->side = refer->side;
	call_end(other, 0, STR("SIP;cause=200;text=\"Transferred\""), "transferred", NULL);
}

static void say_goodbye(struct refer *refer)
{
	struct leg *from = refer->from;

	transfer_notify(refer, 200);
	if (!from)
		return;
	exchange_abandon_leg(from, 487);
	leg_leave_side(from);
	leg_bye(from, STR("SIP;cause=200;text=\"Transferred\""));
}

static void came(struct call *call, struct leg *leg, struct sip_message *response, int result)
{
	struct refer *refer = call->refer;
	struct leg *stays;

	(void)response;
	if (result) {
		/* It has answered: it has to be told that it was in vain. */
		struct call *other = refer->other;

		if (other) {
			transfer_fail(refer, 488);
			call_end(other, 0, STR("SIP;cause=488"), "transfer failed", NULL);
			return;
		}
		refer->leg = NULL;
		leg_bye(leg, STR("SIP;cause=488"));
		transfer_fail(refer, 488);
		return;
	}
	say_goodbye(refer);
	call_step(call, (int)refer->side, "transferred", NULL, 200);
	leg_join_side(leg);
	call->side[leg->side].main = leg;
	if (leg->side == SG_SIDE_A)
		call->caller = leg;
	session_timer_start(leg);
	refer_free(refer);
	journal_save(call);
	stays = call_opposite(leg);
	if (stays && was_held(stays))
		exchange_offer(stays, str_of(leg->oa.remote));
}

void transfer_answered(struct refer *refer, struct sip_message *response)
{
	struct call *call = refer->call;
	struct leg *leg = refer->leg, *stays = call->side[side_other(refer->side)].main;
	struct str sdp = offer_of(response);
	struct error err;
	int ret;

	timer_stop(&refer->timer);
	if (refer->other)
		sip_dialog_refresh(leg->dialog, response);
	leg_ack(leg);
	leg->updates = sip_header_has_token(response, "Allow", STR("UPDATE"));
	session_timer_answered(leg, response);
	ret = stays && sdp.n ? oa_receive_answer(&leg->oa, sdp, &err) : -EBADMSG;
	if (!ret && refer->other)
		leave_other_call(refer);
	if (!ret)
		ret = offer_hear(leg, sdp);
	if (!ret)
		ret = streams_apply(leg, stays, came, leg, response);
	if (ret != -EINPROGRESS)
		came(call, leg, response, ret);
}

static void on_response(void *context, struct sip_message *response)
{
	struct refer *refer = context;

	if (response->status == 100)
		return;
	if (response->status < 200) {
		transfer_notify(refer, response->status);
	} else if (response->status < 300) {
		sip_client_tx_forget(refer->out);
		refer->out = NULL;
		transfer_answered(refer, response);
	} else {
		refer->out = NULL;
		transfer_fail(refer, response->status);
	}
}

static void on_failure(void *context, int status)
{
	struct refer *refer = context;

	refer->out = NULL;
	transfer_fail(refer, status);
}

static const struct sip_client_tx_handlers refer_handlers = {on_response, on_failure};

static void too_late(void *context)
{
	struct refer *refer = context;

	/* What is cancelled is answered, and that ends it. */
	if (refer->out)
		sip_client_tx_cancel(refer->out, STR("SIP;cause=408"));
}

/* ---- the INVITE to who comes over
 * ---------------------------------------------------------------------------
 */

int transfer_write_offer(struct leg *leg, const struct leg *stays)
{
	struct buf *sdp = &leg->calls->sdp;
	int ret;

	if (!stays->oa.remote)
		return -EBADMSG;
	buf_reset(sdp);
	ret = offer_write_open(leg, str_of(stays->oa.remote), sdp);
	return ret ? ret : oa_send_offer(&leg->oa, buf_str(sdp));
}

static int send_invite(struct refer *refer, const struct leg *stays)
{
	struct leg *leg = refer->leg;
	int ret = transfer_write_offer(leg, stays);

	if (ret)
		return ret;
	ret = leg_request(leg, STR("INVITE"), STR_NONE, STR("application/sdp"),
			  buf_str(&leg->calls->sdp), &refer_handlers, refer, &refer->out);
	if (!ret)
		timer_start(leg->calls->wheel, &refer->timer, SETUP_MS, too_late, refer);
	return ret;
}

/* ---- what is asked for
 * --------------------------------------------------------------------------- */

/* 0 or a status. */
static int read_wish(const struct sip_message *request, struct wish *wish)
{
	struct str value = sip_header(request, "Refer-To", 0), headers, one, method;
	struct sip_nameaddr party;

	*wish = (struct wish){.replaces = BUF_EMPTY};
	if (!value.p || sip_header(request, "Refer-To", 1).p || sip_nameaddr_parse(&party, value) ||
	    sip_uri_parse(&wish->parsed, party.uri))
		return 400;
	if (sip_param(wish->parsed.params, "method", &method) &&
	    !str_case_eq(method, STR("INVITE")))
		return 501;
	wish->uri = (struct str){party.uri.p, str_index(party.uri, '?')};
	headers = wish->parsed.headers;
	if (headers.n && headers.p[0] == '?')
		headers = (struct str){headers.p + 1, headers.n - 1};
	while (str_split(&headers, '&', &one))
		if (str_case_starts(one, STR("Replaces=")))
			sip_unescape(&wish->replaces, (struct str){one.p + 9, one.n - 9});
	return buf_error(&wish->replaces) ? 500 : 0;
}

/*
 * The dialog that Replaces names, as the transferor knows it: its to-tag is the tag of the other
 * end of that dialog, which is us (RFC 3891 3).
 */
static struct leg *find_replaced(struct calls *calls, struct str replaces)
{
	size_t semicolon = str_index(replaces, ';');
	struct str params = {replaces.p + semicolon, replaces.n - semicolon}, to, from;
	struct str call_id = str_trim((struct str){replaces.p, semicolon});
	struct sip_dialog *dialog;
	struct leg *leg;

	if (!replaces.n || !sip_param(params, "to-tag", &to) ||
	    !sip_param(params, "from-tag", &from))
		return NULL;
	dialog = sip_dialog_find(calls->dialogs, call_id, to, from);
	leg = dialog ? dialog->owner : NULL;
	return leg && leg->call && leg->call->state == CALL_UP ? leg : NULL;
}

/* ---- attended
 * ------------------------------------------------------------------------------------ */

/* 0 or a status. */
static int bring_over(struct refer *refer, struct leg *replaced, const struct leg *stays)
{
	struct call *other = replaced->call;
	struct leg *leg = call_opposite(replaced);
	int ret;

	/* Only one of the transferor's own calls, and one where nothing else is going on. */
	if (other == refer->call || other->refer || other->assisted || other->offering ||
	    other->change.waiting || !leg || leg->state != LEG_UP || leg->unacked)
		return 491;
	if (!refer->from->user != !replaced->user ||
	    (replaced->user && strcmp(replaced->user, refer->from->user) != 0) ||
	    !refer->from->trunk != !replaced->trunk)
		return 403;
	refer->leg = leg;
	refer->other = other;
	other->refer = refer;
	/* Its offer names our port of this call, on the side that it comes to. */
	leg->call = refer->call;
	leg->side = refer->side;
	ret = send_invite(refer, stays);
	leg->call = other;
	leg->side = side_other(replaced->side);
	if (!ret)
		return 0;
	offer_abandon(leg);
	refer->other = NULL;
	other->refer = NULL;
	return change_status(ret);
}

/* ---- REFER
 * ---------------------------------------------------------------------------------------- */

static bool is_silent(const struct sip_message *request)
{
	struct str value = sip_header(request, "Refer-Sub", 0);

	return value.p && str_case_starts(value, STR("false"));
}

static int start(struct leg *from, struct sip_message *request, struct refer **out)
{
	struct call *call = from->call;
	struct leg *stays = call_opposite(from), *replaced;
	struct refer *refer;
	struct wish wish;
	int status = read_wish(request, &wish);

	refer = status ? NULL : calloc(1, sizeof(*refer));
	if (!refer) {
		buf_free(&wish.replaces);
		return status ? status : 500;
	}
	refer->call = call;
	refer->from = from;
	refer->side = from->side;
	refer->silent = is_silent(request);
	list_init(&refer->attempts);
	replaced = find_replaced(call->calls, buf_str(&wish.replaces));
	status = replaced ? bring_over(refer, replaced, stays)
			  : blind_start(refer, request, &wish, stays);
	buf_free(&wish.replaces);
	if (status) {
		blind_free(refer);
		free(refer);
	} else {
		*out = refer;
	}
	return status;
}

void transfer_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct call *call = leg->call;
	struct refer *refer = NULL;
	int status;

	if (call->assisted) { /* the new party would have to be found past the relay as well */
		leg_refuse(leg, tx, 603, NULL);
		return;
	}
	if (call->state != CALL_UP || call->refer || call->offering || call->change.waiting ||
	    call->side[leg->side].count != 1 || !call_opposite(leg)) {
		leg_refuse(leg, tx, 491, NULL);
		return;
	}
	status = start(leg, request, &refer);
	if (status) {
		leg_refuse(leg, tx, status, NULL);
		return;
	}
	call->refer = refer;
	/* 200 and not 202 (RFC 7647 5); then what goes on, from the beginning. */
	leg_respond(leg, tx, 200, NULL, refer->silent ? STR("Refer-Sub: false\r\n") : STR_NONE,
		    STR_NONE, STR_NONE);
	transfer_notify(refer, 100);
}
