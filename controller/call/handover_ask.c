// SPDX-License-Identifier: BSD-2-Clause
/*
 * A handover that we begin, because the operator says so: the party's other contact (its other
 * network) gets an INVITE with Replaces, which names its dialog as it knows it. Every phone that
 * has RFC 3891 takes the call over and ends the old dialog by itself; meanwhile both legs are
 * served.
 */
#include <errno.h>
#include <stdlib.h>

#include "call/dialog_ids.h"
#include "call/handover.h"

#define ANSWER_MS                                                                                  \
	20000u /* a device takes its own call over by itself; one that rings is not it             \
		*/

/* ---- whom to ask --------------------------------------------------------------------------------
 */

/* A contact of the leg's user somewhere else than the leg is. NULL: there is none. */
static const struct binding *other_contact(const struct leg *leg)
{
	const struct binding *found[LOCATION_BINDINGS];
	size_t count;

	if (!leg->user)
		return NULL;
	count = location_lookup(leg->calls->location, str_of(leg->user), found, LOCATION_BINDINGS);
	for (size_t i = 0; i < count; i++)
		if (!netaddr_same_host(&found[i]->flow.remote, &leg->dialog->flow.remote))
			return found[i];
	return NULL;
}

/* ---- the new leg --------------------------------------------------------------------------------
 */

static int make_dialog(struct leg *leg, const struct leg *old, const struct binding *binding)
{
	struct calls *calls = leg->calls;
	struct target target = {.uri = binding->contact,
				.path = binding->path,
				.flow = binding->flow,
				.use_flow = binding->use_flow};
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	int ret;

	sip_token(calls->stack, call_id);
	sip_token(calls->stack, tag);
	ret = sip_dialog_create(&dialog, calls->dialogs, str_of(call_id), str_of(tag),
				str_of(old->dialog->local_uri), str_of(old->dialog->remote_uri),
				str_of(binding->contact));
	if (ret)
		return ret;
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, leg->call->id, sizeof(dialog->contact_user));
	return target_aim(&target, dialog);
}

/* Towards where the contact is: the party says in its answer where its media is. */
static int reserve_ports(struct leg *leg)
{
	int ret = leg_media_room(leg, leg->call->streams);

	for (size_t i = 0; !ret && i < leg->call->streams; i++) {
		struct path *own = &leg->media[i].own;

		own->slot = SG_PATHS;
		if (!leg->call->stream[i].media)
			continue;
		ret = media_reserve(leg->calls->media, &leg->dialog->flow.remote, &own->local);
		own->local.port = ret ? 0 : own->local.port;
	}
	return ret;
}

static int make_leg(struct leg **out, const struct leg *old, const struct binding *binding)
{
	struct buf *sdp = &old->calls->sdp;
	struct leg *leg;
	int ret = leg_alloc(&leg, old->calls, old->call, old->side);

	if (ret)
		return ret;
	ret = leg_take_party(leg, str_of(old->user), str_of(old->trunk));
	if (!ret)
		ret = make_dialog(leg, old, binding);
	if (!ret)
		ret = reserve_ports(leg);
	buf_reset(sdp);
	if (!ret)
		ret = offer_write(leg, str_of(call_opposite(old)->oa.remote), sdp);
	if (!ret)
		ret = oa_send_offer(&leg->oa, buf_str(sdp));
	if (ret) {
		second_leg_release(leg);
		leg_free(leg);
		return ret;
	}
	*out = leg;
	return 0;
}

/* ---- what it says -------------------------------------------------------------------------------
 */

static struct handover *asking(const struct leg *leg)
{
	struct handover *handover = leg->call ? handover_on(leg->call, leg->side) : NULL;

	return handover && handover->fresh == leg ? handover : NULL;
}

static void refused(struct leg *leg, int status)
{
	struct handover *handover = asking(leg);

	leg->bye = NULL;
	if (handover)
		handover_fail(handover, status);
	else
		leg_free(leg);
}

/* A stream that the party has not taken needs no port of ours. */
static void release_unused(struct leg *leg)
{
	for (size_t i = 0; i < leg->medias; i++) {
		if (leg->media[i].on || !leg->media[i].own.local.port)
			continue;
		media_release(leg->calls->media, &leg->media[i].own.local);
		leg->media[i].own = (struct path){0};
	}
}

static int hear(struct leg *leg, const struct sip_message *response)
{
	struct str sdp = offer_of(response);
	struct error err;
	int ret = sdp.n ? oa_receive_answer(&leg->oa, sdp, &err) : -EBADMSG;

	if (!ret)
		ret = offer_hear(leg, sdp);
	if (!ret)
		release_unused(leg);
	return ret;
}

static void accepted(struct leg *leg, struct sip_message *response)
{
	struct handover *handover = asking(leg);
	int ret = sip_dialog_learn(leg->dialog, response);

	if (ret)
		return; /* it comes again, and there may be memory then */
	sip_client_tx_forget(leg->bye);
	leg->bye = NULL;
	leg_ack(leg);
	if (!handover) {
		leg_bye(leg, STR("SIP;cause=487;text=\"Call is over\""));
		return;
	}
	timer_stop(&handover->timer);
	leg->updates = sip_header_has_token(response, "Allow", STR("UPDATE"));
	handover->result = hear(leg, response);
	handover_join(handover, leg, NULL, NULL);
}

static void on_response(void *context, struct sip_message *response)
{
	if (response->status >= 300)
		refused(context, response->status);
	else if (response->status >= 200)
		accepted(context, response);
}

static void on_failure(void *context, int status)
{
	refused(context, status);
}

static const struct sip_client_tx_handlers ask_handlers = {on_response, on_failure};

static void no_answer(void *context)
{
	struct handover *handover = context;

	sip_client_tx_cancel(handover->fresh->bye, STR("SIP;cause=408"));
}

void handover_ask_abandon(struct leg *leg)
{
	second_leg_release(leg);
	leg->call = NULL;
	leg->state = LEG_LEAVING;
	list_append(&leg->calls->leaving, &leg->link);
	sip_client_tx_cancel(leg->bye, STR("SIP;cause=487"));
}

/* ---- the question -------------------------------------------------------------------------------
 */

static int send_invite(struct leg *leg, const struct leg *old)
{
	struct calls *calls = leg->calls;
	const struct dialog_ids ids = {.call_id = str_of(old->dialog->call_id),
				       .to_tag = str_of(old->dialog->remote_tag),
				       .from_tag = str_of(old->dialog->local_tag)};

	buf_reset(&calls->extra);
	dialog_ids_write(&calls->extra, "Replaces", &ids);
	buf_add(&calls->extra, STR("Require: replaces\r\n"));
	headers_supported(&calls->extra, false);
	return leg_request(leg, STR("INVITE"), buf_str(&calls->extra), STR("application/sdp"),
			   str_of(leg->oa.offer), &ask_handlers, leg, &leg->bye);
}

static int ask(struct leg *old, const struct binding *binding)
{
	struct handover *handover;
	struct leg *leg;
	int ret = make_leg(&leg, old, binding);

	if (ret)
		return ret;
	handover = handover_begin(old->call, old->side, HANDOVER_OPERATOR, NULL);
	ret = handover ? send_invite(leg, old) : -ENOMEM;
	if (ret) {
		if (handover)
			handover_end(handover, HANDOVER_FAILED);
		second_leg_release(leg);
		leg_free(leg);
		return ret;
	}
	handover->old = old;
	handover->fresh = leg;
	call_step(old->call, (int)old->side, "handover", "the other network is asked", 0);
	timer_start(leg->calls->wheel, &handover->timer, ANSWER_MS, no_answer, handover);
	return 0;
}

int handover_ask(struct call *call, enum sg_side side)
{
	struct leg *old = call->side[side].main;
	const struct binding *binding = old ? other_contact(old) : NULL;

	if (!binding)
		return -ESRCH;
	if (call->state != CALL_UP || call->assisted || handover_on(call, side) || call->offering ||
	    call->change.waiting || call->side[side].count >= SIDE_LEGS || !call_opposite(old) ||
	    !call_opposite(old)->oa.remote)
		return -EBUSY;
	return ask(old, binding);
}
