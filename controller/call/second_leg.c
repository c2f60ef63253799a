// SPDX-License-Identifier: BSD-2-Clause
/*
 * A further leg for a side that is up: may it be, who asks, and the leg itself, whole but for the
 * relay. All of it is looked at before anything of the call or of the relay changes (HH-3, HH-4,
 * PH-8).
 */
#include "call/handover.h"

#include <errno.h>
#include <stdlib.h>

bool second_leg_is_owner(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
			 const struct leg *leg)
{
	const struct config_trunk *trunk = trunk_of(calls->config, &request->flow.remote);
	struct buf aor = BUF_EMPTY;
	bool owner;

	if (leg->trunk) {
		owner = trunk && !strcmp(trunk->name, leg->trunk);
	} else {
		bool proven = registrar_authenticate(calls->registrar, tx, request, false, &aor);

		owner = proven && leg->user && str_eq(buf_str(&aor), str_of(leg->user));
		buf_free(&aor);
		if (!proven)
			return false; /* it was answered */
	}
	if (!owner)
		respond_plain(calls, tx, 403, "Not Your Call", STR_NONE);
	return owner;
}

/* ---- may it be ----------------------------------------------------------------------------------
 */

static bool same_medias(const struct sdp *offer, const struct sdp *agreed)
{
	if (offer->medias != agreed->medias)
		return false;
	for (size_t i = 0; i < offer->medias; i++)
		if (!str_case_eq(offer->media[i].type, agreed->media[i].type))
			return false;
	return true;
}

/* The same m= lines as the leg that it takes over from. */
static bool fits(const struct leg *leg, struct str offer)
{
	struct sdp asked, agreed;

	return offer.n && leg->oa.remote && !sdp_parse(&asked, offer, NULL) &&
	       !sdp_parse(&agreed, str_of(leg->oa.remote), NULL) && same_medias(&asked, &agreed);
}

int second_leg_obstacle(const struct calls *calls, const struct leg *leg, struct str offer)
{
	const struct call *call = leg->call;

	if (call->assisted)
		return 488; /* its media is not in the relay */
	if (handover_on(call, leg->side) || call->offering || call->change.waiting)
		return 491;
	if (calls->config->handover_most && calls->handovers >= calls->config->handover_most)
		return 503;
	if (call->side[leg->side].count >= SIDE_LEGS || !call_opposite(leg) ||
	    !call_opposite(leg)->oa.remote || !fits(leg, offer))
		return 488;
	return 0;
}

void second_leg_refuse(struct calls *calls, struct sip_server_tx *tx, int status)
{
	struct str extra = STR_NONE;

	if (status == 503)
		extra = STR("Retry-After: 5\r\n");
	else if (status == 488)
		extra = STR(
			"Warning: 304 segue \"Not the media of the call, or too many legs\"\r\n");
	respond_plain(calls, tx, status, NULL, extra);
}

/* ---- the new leg --------------------------------------------------------------------------------
 */

int second_leg_accept(struct leg **out, const struct leg *old, struct sip_message *request)
{
	struct calls *calls = old->calls;
	char tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	struct leg *leg;
	int ret = leg_alloc(&leg, calls, old->call, old->side);

	if (ret)
		return ret;
	sip_token(calls->stack, tag);
	ret = sip_dialog_accept(&dialog, calls->dialogs, request, str_of(tag));
	if (ret) {
		leg_free(leg);
		return ret;
	}
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, old->call->id, sizeof(dialog->contact_user));
	leg->updates = sip_header_has_token(request, "Allow", STR("UPDATE"));
	ret = leg_take_party(leg, str_of(old->user), str_of(old->trunk));
	if (!ret)
		ret = oa_receive_offer(&leg->oa, offer_of(request));
	if (!ret)
		ret = offer_hear(leg, offer_of(request));
	if (ret)
		leg_free(leg);
	else
		*out = leg;
	return ret;
}

void second_leg_release(struct leg *leg)
{
	for (size_t i = 0; i < leg->medias; i++) {
		if (leg->media[i].own.local.port)
			media_release(leg->calls->media, &leg->media[i].own.local);
		leg->media[i].own = (struct path){0};
	}
}

/* A port of its own for each stream that runs. All, or none and a negative errno. */
static int reserve_ports(struct leg *leg)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < leg->medias; i++) {
		struct leg_media *said = &leg->media[i];

		said->own.slot = SG_PATHS; /* none yet */
		if (leg->call->stream[i].media && said->on)
			ret = media_reserve(leg->calls->media, &said->remote, &said->own.local);
		if (ret)
			said->own.local.port = 0;
	}
	if (ret)
		second_leg_release(leg);
	return ret;
}

/*
 * What the far end said last, as the new leg gets it: leg->oa.local. Agreed before the relay is
 * told, since an offer that cannot be answered must not have changed anything (HH-3).
 */
static int agree(struct leg *leg)
{
	struct buf *sdp = &leg->calls->sdp;
	struct error err;
	int ret;

	buf_reset(sdp);
	ret = offer_write(leg, str_of(call_opposite(leg)->oa.remote), sdp);
	return ret ? ret : oa_send_answer(&leg->oa, buf_str(sdp), &err);
}

int second_leg_make(struct leg **out, const struct leg *old, struct sip_message *request)
{
	struct leg *leg;
	int ret = second_leg_accept(&leg, old, request);

	if (ret)
		return ret;
	ret = reserve_ports(leg);
	if (!ret)
		ret = agree(leg);
	if (ret) {
		second_leg_release(leg);
		leg_free(leg);
		return ret;
	}
	*out = leg;
	return 0;
}
