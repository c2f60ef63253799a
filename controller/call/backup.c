// SPDX-License-Identifier: BSD-2-Clause
/*
 * Backup sessions, the earlier scheme (PH-7 to PH-12): a second leg stands by, with its path in the
 * relay but closed; a re-INVITE in it opens it. The far end hears no SIP of either.
 */
#include "call/handover.h"

#include <errno.h>

#define WATCH_MS                                                                                   \
	2000u /* how long the first packet on the new path is waited for, for the report           \
	       */

/* ---- standing by --------------------------------------------------------------------------------
 */

/* E2: sendonly as in the paper, or inactive, which says it better. */
static bool wants_no_media(struct str offer)
{
	struct sdp sdp;

	if (!offer.n || sdp_parse(&sdp, offer, NULL))
		return false;
	for (size_t i = 0; i < sdp.medias; i++)
		if (sdp.media[i].direction & SDP_RECVONLY)
			return false;
	return sdp.medias != 0;
}

static struct leg *main_leg(const struct calls *calls, struct str call_id)
{
	struct leg *leg = NULL;

	while ((leg = leg_of_call_id(calls, call_id, leg))) {
		if (leg->state == LEG_UP && leg->call && leg->call->state == CALL_UP &&
		    !leg->standby)
			return leg;
	}
	return NULL;
}

bool backup_asked(const struct calls *calls, const struct sip_message *request)
{
	const struct leg *leg = main_leg(calls, request->call_id);

	/* The From tag is a new one (E1); the old one would be the INVITE of the call itself. */
	return leg && !str_eq(request->from_tag, str_of(leg->dialog->remote_tag)) &&
	       wants_no_media(offer_of(request));
}

static void stand_by(struct leg *old, struct sip_server_tx *tx, struct sip_message *request)
{
	struct handover *handover;
	struct leg *leg;
	int ret = second_leg_make(&leg, old, request);

	if (ret) {
		second_leg_refuse(old->calls, tx, offer_status(ret));
		return;
	}
	handover = handover_begin(old->call, old->side, HANDOVER_BACKUP, request);
	if (!handover) {
		second_leg_release(leg);
		leg_free(leg);
		second_leg_refuse(old->calls, tx, 503);
		return;
	}
	handover->old = old;
	handover->standby = true;
	handover_join(handover, leg, tx, request);
}

void backup_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request)
{
	struct leg *leg = main_leg(calls, request->call_id);
	int status = invite_refusal(calls, request);

	if (status) {
		respond_plain(calls, tx, status, NULL, STR_NONE);
		return;
	}
	if (require_refused(calls, tx, request) || !second_leg_is_owner(calls, tx, request, leg))
		return;
	status = second_leg_obstacle(calls, leg, offer_of(request));
	if (status)
		second_leg_refuse(calls, tx, status);
	else
		stand_by(leg, tx, request);
}

/* ---- taking over --------------------------------------------------------------------------------
 */

static void refuse(struct leg *leg, struct sip_server_tx *tx, int status)
{
	offer_abandon(leg);
	leg_refuse(leg, tx, status, NULL);
}

/* The answer to the offer that waits: what the far end said last. Before anything changes. */
static int agree(struct leg *leg)
{
	const struct leg *other = call_opposite(leg);
	struct buf *sdp = &leg->calls->sdp;
	struct error err;
	int ret;

	if (!other || !other->oa.remote)
		return -EBADMSG;
	buf_reset(sdp);
	ret = offer_write(leg, str_of(other->oa.remote), sdp);
	return ret ? ret : oa_send_answer(&leg->oa, buf_str(sdp), &err);
}

static int answer(struct leg *leg, struct sip_server_tx *tx, const struct sip_message *request)
{
	struct buf *extra = &leg->calls->extra;

	buf_reset(extra);
	session_timer_response(leg, request, extra);
	sip_dialog_refresh(leg->dialog, request);
	return leg_respond(leg, tx, 200, NULL, buf_str(extra), STR("application/sdp"),
			   str_of(leg->oa.local));
}

/* What the far end hears from, and is heard by, from now on: `to`. The old path is still listened
 * to. */
static void switch_paths(struct leg *from, struct leg *to)
{
	struct call *call = to->call;

	for (size_t i = 0; i < call->streams && i < to->medias; i++) {
		struct stream *stream = &call->stream[i];
		struct path *fresh = &to->media[i].own, *main = &stream->path[to->side];
		struct path old = *main;

		if (!stream->media || fresh->slot >= SG_PATHS || !fresh->local.port)
			continue;
		media_path_set(stream->media, to->side, fresh->slot, true, true, true);
		media_path_set(stream->media, to->side, old.slot, false, true, false);
		*main = *fresh;
		*fresh = (struct path){0};
		if (from && i < from->medias)
			from->media[i].own = old;
	}
	call->side[to->side].main = to;
	to->standby = false;
	if (from)
		from->standby = true;
}

/* PH-10: nobody acknowledged. The former one carries the call again, if it still lives. */
static void unacknowledged(void *context)
{
	struct leg *leg = context, *former = NULL;

	leg->unacked = NULL;
	list_for_each(node, after, &leg->call->side[leg->side].legs)
	{
		struct leg *other = container_of(node, struct leg, link);

		if (other != leg && !former)
			former = other;
	}
	if (!former) {
		call_end(leg->call, 0, STR("SIP;cause=408;text=\"No ACK\""), "no ACK", NULL);
		return;
	}
	switch_paths(leg, former);
	handover_turn_away(leg, STR("SIP;cause=408;text=\"No ACK\""));
}

static const struct sip_server_tx_handlers active_handlers = {NULL, unacknowledged};

static void note(struct handover *handover)
{
	struct call *call = handover->call;

	handover->at.answered = handover_clock_ns();
	call->handovers++;
	call_step(call, (int)handover->side, "handover", "backup took over", 200);
	handover_end(handover, HANDOVER_FINISHED);
	journal_save(call);
}

static void take_over(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct call *call = leg->call;
	struct leg *former = call->side[leg->side].main;
	struct handover *handover = handover_begin(call, leg->side, HANDOVER_BACKUP, request);

	if (!handover) {
		refuse(leg, tx, 500);
		return;
	}
	handover->old = former;
	handover->fresh = leg;
	handover_count_before(handover);
	handover_note_old(handover);
	handover->new_slot = leg->medias ? leg->media[0].own.slot : 0;
	switch_paths(former, leg); /* map first (PH-9) */
	handover->at.changed = handover_clock_ns();
	if (answer(leg, tx, request)) {
		switch_paths(leg, former);
		handover->fresh = NULL;
		handover_end(handover, HANDOVER_FAILED);
		leg_refuse(leg, tx, 500, NULL);
		return;
	}
	if (request->method == SIP_INVITE) {
		leg->unacked = tx;
		sip_server_tx_handle(tx, &active_handlers, leg);
	}
	note(handover);
}

/* The address of the new path changed while it stood by. */
static bool has_moved(const struct leg *leg)
{
	for (size_t i = 0; i < leg->medias; i++) {
		const struct path *own = &leg->media[i].own;
		struct media_path path;

		if (!own->local.port)
			continue;
		streams_path(leg, i, &path);
		if (!netaddr_eq(&path.remote, &own->remote))
			return true;
	}
	return false;
}

void backup_offered(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	bool idle = wants_no_media(offer_of(request));
	int ret = has_moved(leg) || handover_on(leg->call, leg->side) ? -EBUSY : agree(leg);

	if (ret) {
		refuse(leg, tx, ret == -EBUSY ? 491 : offer_status(ret));
		return;
	}
	if (!idle) {
		take_over(leg, tx, request);
		return;
	}
	/* Said again: it stands by on. */
	if (!answer(leg, tx, request) && request->method == SIP_INVITE)
		leg_await_ack(leg, tx);
}
