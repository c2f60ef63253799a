// SPDX-License-Identifier: BSD-2-Clause
/*
 * An INVITE with Handover (HH-1 to HH-4, HH-10) or Replaces (RFC 3891, SG-41): a second leg joins
 * the side of the dialog that it names. All that can refuse it is looked at before the first
 * change; then the relay, and only when that is done the 200.
 */
#include "call/dialog_ids.h"
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what is asked ------------------------------------------------------------------------------
 */

bool handover_asked(const struct sip_message *request)
{
	return sip_has_header(request, "Handover") || sip_has_header(request, "Replaces") ||
	       sip_has_header(request, "Join");
}

static void refuse(struct calls *calls, struct sip_server_tx *tx, int status, const char *reason)
{
	respond_plain(calls, tx, status, reason, STR_NONE);
}

/* HH-1, RFC 3891 3, RFC 3911 4: one such header, once, well-formed. 0, or the status. */
static int read_ids(const struct sip_message *request, struct dialog_ids *ids,
		    enum handover_scheme *scheme)
{
	struct str handover = sip_header(request, "Handover", 0);
	struct str replaces = sip_header(request, "Replaces", 0);
	struct str join = sip_header(request, "Join", 0);

	if ((handover.p != NULL) + (replaces.p != NULL) + (join.p != NULL) != 1 ||
	    sip_header(request, "Handover", 1).p || sip_header(request, "Replaces", 1).p ||
	    sip_header(request, "Join", 1).p)
		return 400;
	*scheme = replaces.p ? HANDOVER_REPLACES : HANDOVER_HEADER;
	if (dialog_ids_parse(ids, handover.p ? handover : replaces.p ? replaces : join))
		return 400;
	return join.p ? 488 : 0; /* a third party cannot be mixed in by a relay (RFC 3911 4) */
}

/* HH-3. The leg, or NULL and the status. */
static struct leg *find_leg(struct calls *calls, const struct dialog_ids *ids,
			    enum handover_scheme scheme, int *status)
{
	struct sip_dialog *dialog =
		sip_dialog_find(calls->dialogs, ids->call_id, ids->to_tag, ids->from_tag);
	struct leg *leg = dialog ? dialog->owner : NULL;

	*status = 481;
	if (!dialog && grave_find(calls->graves, ids->call_id, ids->to_tag, ids->from_tag))
		*status = 603;
	if (!leg)
		return NULL;
	if (leg->state == LEG_LEAVING || !leg->call) {
		*status = 603;
		return NULL;
	}
	if (leg->state != LEG_UP || leg->call->state != CALL_UP)
		return NULL; /* early: confirmed ones only */
	if (scheme == HANDOVER_REPLACES && ids->early_only) {
		*status = 486;
		return NULL;
	}
	*status = 0;
	return leg;
}

/* ---- into the relay -----------------------------------------------------------------------------
 */

void handover_fail(struct handover *handover, int status)
{
	struct leg *leg = handover->fresh;

	for (size_t i = 0; i < leg->medias && i < handover->call->streams; i++) {
		struct stream *stream = &handover->call->stream[i];

		if (leg->media[i].own.slot < SG_PATHS && stream->media)
			media_leave(stream->media, leg->side, leg->media[i].own.slot);
	}
	second_leg_release(leg); /* those that never came to a stream */
	call_step(handover->call, (int)handover->side, "handover failed", NULL, status);
	if (handover->invite) {
		sip_server_tx_forget(handover->invite);
		leg_refuse(leg, handover->invite, status, NULL);
		handover->invite = NULL;
	}
	handover->fresh = NULL;
	if (leg->dialog->state == SIP_DIALOG_CONFIRMED) /* it answered an INVITE of ours */
		leg_bye(leg, STR("SIP;cause=488"));
	else
		leg_free(leg);
	handover_end(handover, HANDOVER_FAILED);
}

static void unacknowledged(void *context)
{
	struct leg *leg = context;

	leg->unacked = NULL;
	call_step(leg->call, (int)leg->side, "handover", "no ACK", 408);
	handover_turn_away(leg, STR("SIP;cause=408;text=\"No ACK\""));
}

static void on_cancel(void *context, struct sip_message *cancel)
{
	struct handover *handover = context;

	(void)cancel;
	if (!handover->waiting)
		handover_fail(handover, 487);
	else
		handover->result = -ECANCELED; /* the relay first */
}

static const struct sip_server_tx_handlers joining_handlers = {on_cancel, NULL};
static const struct sip_server_tx_handlers joined_handlers = {NULL, unacknowledged};

static int answer(struct handover *handover)
{
	struct leg *leg = handover->fresh;
	struct sip_server_tx *invite = handover->invite;
	struct buf *extra = &leg->calls->extra;
	int ret;

	buf_reset(extra);
	session_timer_response(leg, handover->request, extra);
	ret = leg_respond(leg, invite, 200, NULL, buf_str(extra), STR("application/sdp"),
			  str_of(leg->oa.local));
	if (ret)
		return ret;
	handover->invite = NULL;
	leg->unacked = invite;
	sip_server_tx_handle(invite, &joined_handlers, leg);
	return 0;
}

/* PH-7: nothing is sent there, and what comes from there is counted and dropped. */
static void close_paths(struct leg *leg)
{
	for (size_t i = 0; i < leg->medias && i < leg->call->streams; i++) {
		struct media_stream *media = leg->call->stream[i].media;

		if (media && leg->media[i].own.slot < SG_PATHS)
			media_path_set(media, leg->side, leg->media[i].own.slot, false, false,
				       false);
	}
}

static void tell_joined(const struct leg *leg)
{
	for (size_t i = 0; i < leg->medias; i++)
		if (leg->media[i].own.local.port)
			call_media_step(leg->call, &leg->call->stream[i], (int)leg->side,
					"path joins", &leg->media[i].own.remote);
}

/* Both legs are up: the window begins. */
static void joined(struct handover *handover)
{
	struct leg *leg = handover->fresh;
	struct call *call = handover->call;
	int ret = handover->result;

	handover->at.changed = handover_clock_ns();
	if (!ret)
		tell_joined(leg);
	if (!ret && handover->standby)
		close_paths(leg);
	if (!ret && handover->invite)
		ret = answer(handover);
	if (ret) {
		handover_fail(handover, ret == -ECANCELED ? 487 : offer_status(ret));
		return;
	}
	handover->at.answered = handover_clock_ns();
	sip_message_unref(handover->request);
	handover->request = NULL;
	leg->dialog->state = SIP_DIALOG_CONFIRMED;
	leg->standby = handover->standby;
	leg_join_side(leg);
	if (leg->standby) {
		handover->fresh = NULL;
		handover_free(handover);
		call_step(call, (int)leg->side, "backup", "stands by", 200);
		session_timer_start(leg);
		journal_save(call);
		return;
	}
	handover->state = HANDOVER_BOTH;
	handover->new_slot = leg->medias ? leg->media[0].own.slot : 0;
	call->handovers++;
	call_step(call, (int)leg->side, "handover", handover_scheme_name(handover->scheme), 200);
	session_timer_start(leg);
	timer_start(call->calls->wheel, &handover->timer, call->calls->config->handover_window_ms,
		    handover_expired, handover);
	handover_trigger_start(handover);
	journal_save(call);
}

static void path_joined(void *context, int result)
{
	struct handover *handover = context;

	if (result && !handover->result)
		handover->result = result;
	if (!--handover->waiting)
		joined(handover);
}

static int join_stream(struct handover *handover, size_t index)
{
	struct leg *leg = handover->fresh;
	struct leg_media *said = &leg->media[index];
	struct stream *stream = &handover->call->stream[index];
	struct media_path path;
	int ret;

	if (!said->own.local.port)
		return 0;
	streams_path(leg, index, &path);
	path.local = said->own.local;
	said->own.remote = path.remote;
	said->own.remote_rtcp = path.remote_rtcp_port;
	ret = media_join(stream->media, leg->side, &path, &said->own.slot, path_joined, handover);
	return ret;
}

void handover_join(struct handover *handover, struct leg *fresh, struct sip_server_tx *tx,
		   struct sip_message *request)
{
	handover->fresh = fresh;
	handover->invite = tx;
	handover->request = request ? sip_message_ref(request) : NULL;
	if (tx)
		sip_server_tx_handle(tx, &joining_handlers, handover);
	handover_count_before(handover);
	/* Held back by one, so that what is done at once does not finish before the last began. */
	handover->waiting = 1;
	for (size_t i = 0; !handover->result && i < handover->fresh->medias; i++) {
		int ret = join_stream(handover, i);

		if (ret == -EINPROGRESS)
			handover->waiting++;
		else if (ret)
			handover->result = ret;
	}
	if (!--handover->waiting)
		joined(handover);
}

/* ---- in
 * ------------------------------------------------------------------------------------------ */

static void begin(struct leg *old, struct sip_server_tx *tx, struct sip_message *request,
		  enum handover_scheme scheme)
{
	struct calls *calls = old->calls;
	struct handover *handover;
	struct leg *leg;
	int ret = second_leg_make(&leg, old, request);

	if (ret) {
		second_leg_refuse(calls, tx, offer_status(ret));
		return;
	}
	handover = handover_begin(old->call, old->side, scheme, request);
	if (!handover) {
		second_leg_release(leg);
		leg_free(leg);
		second_leg_refuse(calls, tx, 503);
		return;
	}
	handover->old = old;
	handover_join(handover, leg, tx, request);
}

void handover_start(struct leg *old, struct sip_server_tx *tx, struct sip_message *request,
		    enum handover_scheme scheme)
{
	int status = second_leg_obstacle(old->calls, old, offer_of(request));

	if (status)
		second_leg_refuse(old->calls, tx, status);
	else
		begin(old, tx, request, scheme);
}

/* Where the far end is to do it, it may do what a relay cannot. */
static bool is_for_far_end(struct calls *calls, const struct dialog_ids *ids)
{
	struct sip_dialog *dialog = ids->call_id.n ? sip_dialog_find(calls->dialogs, ids->call_id,
								     ids->to_tag, ids->from_tag)
						   : NULL;

	return dialog && dialog->owner && assist_may_join(dialog->owner);
}

void handover_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request)
{
	enum handover_scheme scheme;
	struct dialog_ids ids = {.call_id = STR_NONE};
	struct leg *leg;
	int status = request->method == SIP_INVITE ? read_ids(request, &ids, &scheme) : 400;

	if (status == 488 && is_for_far_end(calls, &ids))
		status = 0;
	if (status) {
		refuse(calls, tx, status, NULL);
		return;
	}
	status = invite_refusal(calls, request);
	if (status) {
		refuse(calls, tx, status, NULL);
		return;
	}
	if (require_refused(calls, tx, request))
		return;
	leg = find_leg(calls, &ids, scheme, &status);
	if (!leg) {
		refuse(calls, tx, status, NULL);
		return;
	}
	if (!second_leg_is_owner(calls, tx, request, leg))
		return;
	if (leg->call->assisted)
		assist_receive(leg, tx, request, scheme);
	else
		handover_start(leg, tx, request, scheme);
}
