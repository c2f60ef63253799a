// SPDX-License-Identifier: BSD-2-Clause
#include "call.h"

#include <errno.h>
#include <stdlib.h>

#include "media.h"
#include "move.h"

#define WAIT_MS 20u /* between looks whether the call can be answered now */

/* ---- words ----------------------------------------------------------------------------------- */

void ua_call_write_self(struct ua *ua, const struct ua_network *network, struct buf *out)
{
	char host[NETADDR_STRLEN];

	if (ua->options->aor)
		buf_addf(out, "<%s>", ua->options->aor);
	else
		buf_addf(out, "<sip:%s@%s>", ua->user, netaddr_format_uri(&network->sip, host));
}

const char *ua_call_supported(const struct ua *ua)
{
	return ua->options->accept_handover ? "replaces, handover" : "replaces";
}

static json_t *names(const struct ua_leg *leg)
{
	char remote[NETADDR_STRLEN] = "";

	if (leg->agreed.stream[UA_AUDIO].there)
		netaddr_format(&leg->agreed.stream[UA_AUDIO].remote, remote);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "call_id", leg->dialog->call_id, "local_tag",
			 leg->dialog->local_tag, "remote_tag", leg->dialog->remote_tag, "network",
			 leg->network->name, "media", remote);
}

struct ua_leg *ua_call_leg(const struct ua_call *call)
{
	list_for_each(node, after, &call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);

		if (leg->state == UA_LEG_UP && !leg->standby)
			return leg;
	}
	return NULL;
}

struct ua_leg *ua_call_moving(const struct ua_call *call)
{
	struct ua_leg *leg = ua_call_leg(call);

	if (!leg && !call->answered && !list_empty(&call->legs))
		leg = container_of(call->legs.next, struct ua_leg, node);
	return leg;
}

/* ---- media ----------------------------------------------------------------------------------- */

static void aim_kind(struct ua_call *call, enum ua_kind kind)
{
	struct ua_media *media = call->ua->media[kind];
	struct ua_path path[UA_PATHS];
	struct netaddr from[UA_PATHS];
	size_t paths = 0, froms = 0;
	bool asked = false;

	list_for_each(node, after, &call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);
		const struct ua_agreed_stream *stream = &leg->agreed.stream[kind];

		asked |= leg->state == UA_LEG_CALLING;
		if (!stream->there || leg->state == UA_LEG_ENDING || froms == UA_PATHS)
			continue;
		if (!froms || !leg->standby)
			ua_media_start(media, &stream->codec);
		from[froms++] = stream->remote;
		if (!leg->standby && leg->state != UA_LEG_CALLING && !leg->unconfirmed &&
		    (stream->direction & SDP_SENDONLY))
			path[paths++] = (struct ua_path){leg->network, stream->remote};
	}
	ua_media_hear(media, from, froms);
	ua_media_await(media, asked);
	ua_media_aim(media, path, paths);
}

void ua_call_aim(struct ua_call *call)
{
	for (unsigned kind = 0; kind < UA_KINDS; kind++) {
		if (call->ua->media[kind])
			aim_kind(call, (enum ua_kind)kind);
	}
}

static void silence(struct ua *ua, bool stop)
{
	for (unsigned kind = 0; kind < UA_KINDS; kind++) {
		if (ua->media[kind] && stop)
			ua_media_stop(ua->media[kind]);
		else if (ua->media[kind])
			ua_media_aim(ua->media[kind], NULL, 0);
	}
}

/* ---- the end --------------------------------------------------------------------------------- */

json_t *ua_call_report(const struct ua_call *call)
{
	return json_pack("{s:s, s:b, s:b, s:i, s:s, s:I, s:I, s:I}", "peer", call->peer, "outgoing",
			 call->outgoing, "answered", call->answered, "status", call->status,
			 "reason", call->reason ? call->reason : "", "began_us",
			 (json_int_t)call->began_us, "answered_us", (json_int_t)call->answered_us,
			 "ended_us", (json_int_t)call->ended_us);
}

void ua_call_free(struct ua_call *call)
{
	if (!call)
		return;
	timer_stop(&call->timer);
	ua_move_free(call->move);
	list_for_each(node, after, &call->legs)
		ua_leg_free(container_of(node, struct ua_leg, node));
	free(call->peer);
	free(call);
}

static void over(struct ua_call *call, const char *reason)
{
	struct ua *ua = call->ua;

	call->reason = call->reason ? call->reason : reason;
	call->ended_us = ua_now_us();
	silence(ua, true);
	ua_move_end(call);
	ua_event(ua, "ended",
		 json_pack("{s:s, s:i}", "reason", call->reason, "status", call->status));
	json_array_append_new(ua->calls, ua_call_report(call));
	if (call->outgoing && !call->answered)
		ua->failed = true;
	ua->call = NULL;
	ua_call_free(call);
	if (ua->options->mode == UA_CALL && !ua->quitting)
		ua_quit(ua); /* looks by itself whether anything is left */
	else
		ua_check_end(ua);
}

void ua_call_drop(struct ua_call *call, struct ua_leg *leg, const char *reason)
{
	ua_move_forget(call->move, leg);
	ua_leg_free(leg);
	ua_call_aim(call);
	if (list_empty(&call->legs))
		over(call, reason);
}

static void on_ended(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	(void)status;
	(void)response;
	/* A 2xx that crossed our CANCEL made a dialog: it is ended like one. */
	if (leg->state != UA_LEG_UP || ua_leg_end(leg, leg->network, on_ended, leg))
		ua_call_drop(leg->call, leg, "hung up");
}

void ua_call_end(struct ua_call *call, const char *reason)
{
	call->ending = true;
	call->reason = call->reason ? call->reason : reason;
	timer_stop(&call->timer);
	silence(call->ua, false); /* RFC 3261 15.1.1: nothing more is sent */
	list_for_each(node, after, &call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);
		bool last = after == &call->legs;

		if (leg->state != UA_LEG_ENDING && ua_leg_end(leg, leg->network, on_ended, leg))
			ua_call_drop(call, leg, "hung up");
		if (last)
			return; /* the call may be gone */
	}
}

void ua_call_lost(struct ua_call *call, struct ua_leg *leg, const char *reason)
{
	ua_call_drop(call, leg, reason);
}

void ua_call_unconfirmed(struct ua_call *call, struct ua_leg *leg)
{
	if (ua_leg_end(leg, leg->network, on_ended, leg))
		ua_call_drop(call, leg, "not acknowledged");
}

void ua_call_receive_bye(struct ua_leg *leg)
{
	struct ua_call *call = leg->call;

	if (!ua_move_receive_bye(call->move, leg))
		ua_call_drop(call, leg, "the other side hung up");
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int new_call(struct ua_call **out, struct ua *ua, struct str peer)
{
	struct ua_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->ua = ua;
	list_init(&call->legs);
	call->began_us = ua_now_us();
	call->peer = str_dup(peer);
	if (!call->peer) {
		free(call);
		return -ENOMEM;
	}
	ua->call = call;
	*out = call;
	return 0;
}

static void on_duration(void *context)
{
	ua_call_end(context, "its time is over");
}

static void established(struct ua_call *call, struct ua_leg *leg)
{
	const struct ua_options *options = call->ua->options;

	call->answered = true;
	call->answered_us = ua_now_us();
	ua_event(call->ua, "established", names(leg));
	ua_call_aim(call);
	if (options->duration)
		timer_start(call->ua->wheel, &call->timer, options->duration * 1000ull, on_duration,
			    call);
	ua_move_established(call);
}

void ua_call_heard(struct ua_call *call, int status)
{
	if (!call->answered)
		ua_event(call->ua, status == 180 ? "ringing" : "progress",
			 json_pack("{s:i}", "status", status));
}

static void on_answer(void *context, int status, struct sip_message *response);

static int invite(struct ua_call *call, struct ua_leg *leg, bool require)
{
	struct buf headers = BUF_EMPTY;
	int ret;

	sip_write_header(&headers, "Supported",
			 str_of(require ? "replaces, handover" : ua_call_supported(call->ua)));
	if (!call->ua->options->late) /* else a reliable provisional would have the offer */
		sip_write_header(&headers, "Supported", STR("100rel"));
	if (require)
		sip_write_header(&headers, "Require", STR("handover"));
	ret = buf_error(&headers);
	if (!ret)
		ret = ua_leg_invite(leg, leg->network, SDP_SENDRECV, buf_str(&headers), on_answer,
				    leg);
	buf_free(&headers);
	return ret;
}

/* Nobody on the way knows the extension (HH-6, seen from outside): the call goes on without. */
static bool goes_without(struct ua_leg *leg, const struct sip_message *response)
{
	return response && response->status == 420 &&
	       sip_header_has_token(response, "Unsupported", STR("handover")) &&
	       !invite(leg->call, leg, false);
}

static void on_answer(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;
	struct ua_call *call = leg->call;

	if (goes_without(leg, response))
		return;
	if (status < 300 && !call->ending) {
		established(call, leg);
		return;
	}
	call->status = status < 300 ? 0 : status;
	if (leg->state == UA_LEG_UP)
		ua_call_unconfirmed(call, leg);
	else
		ua_call_drop(call, leg, status == 487 ? "cancelled" : "refused");
}

int ua_call_start(struct ua *ua, struct ua_network *network, const char *callee)
{
	struct buf to = BUF_EMPTY;
	struct ua_call *call = NULL;
	struct ua_leg *leg;
	int ret;

	buf_addf(&to, "<%s>", callee);
	ret = buf_error(&to) ? buf_error(&to) : new_call(&call, ua, buf_str(&to));
	buf_free(&to);
	if (ret)
		return ret;
	call->outgoing = true;
	ret = ua_leg_create(&leg, call, network, NULL, call->peer, callee);
	if (!ret)
		ret = invite(call, leg, ua->options->scheme == UA_HANDOVER);
	if (ret) {
		ua->call = NULL;
		ua_call_free(call);
	} else {
		ua_call_aim(call);
	}
	return ret;
}

static void on_answer_time(void *context)
{
	struct ua_call *call = context;
	struct ua *ua = call->ua;
	struct ua_leg *leg = container_of(call->legs.next, struct ua_leg, node);

	if (ua_leg_waits(leg)) { /* RFC 3262 3: the answer in the 183 first */
		timer_start(ua->wheel, &call->timer, WAIT_MS, on_answer_time, call);
		return;
	}
	ua_leg_answer(leg, 200);
	if (ua->call == call) /* else the leg was lost, and the call with it */
		established(call, leg);
}

static int ring(struct ua *ua, struct ua_network *network, struct sip_server_tx *tx,
		struct sip_message *request)
{
	struct ua_call *call;
	struct ua_leg *leg;
	struct buf peer = BUF_EMPTY;
	int ret;

	buf_addf(&peer, "<%.*s>", STR_ARG(request->from.uri));
	ret = buf_error(&peer) ? buf_error(&peer) : new_call(&call, ua, buf_str(&peer));
	buf_free(&peer);
	if (ret)
		return ret;
	ret = ua_leg_accept(&leg, call, network, tx, request);
	if (ret) {
		ua->call = NULL;
		ua_call_free(call);
		return ret;
	}
	ua_event(ua, "incoming",
		 json_pack("{s:s, s:s}", "from", call->peer, "network", network->name));
	ua_leg_ring(leg);
	timer_start(ua->wheel, &call->timer, ua->options->answer_ms, on_answer_time, call);
	return 0;
}

int ua_call_answer(struct ua_call *call)
{
	const struct ua_leg *leg = ua_call_moving(call);

	if (!leg || leg->state != UA_LEG_RINGING)
		return -ENOENT;
	timer_stop(&call->timer);
	on_answer_time(call);
	return 0;
}

void ua_call_receive(struct ua *ua, struct ua_network *network, struct sip_server_tx *tx,
		     struct sip_message *request)
{
	int status = 0;

	if (ua_move_is_leg(request)) {
		ua_move_receive(ua, network, tx, request);
		return;
	}
	if (ua->call || ua->quitting)
		status = 486;
	else if (ua->options->refuse)
		status = ua->options->refuse;
	else if (ring(ua, network, tx, request))
		status = 500;
	if (status)
		ua_refuse(ua, tx, status, STR_NONE);
}

/* ---- hold ------------------------------------------------------------------------------------ */

static void on_held(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	(void)response;
	ua_event(leg->call->ua, leg->call->held ? "held" : "resumed",
		 json_pack("{s:i}", "status", status));
}

int ua_call_hold(struct ua_call *call, bool held)
{
	int ret = 0;

	call->held = held;
	list_for_each(node, after, &call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);

		leg->wanted = held ? SDP_SENDONLY : SDP_SENDRECV;
		if (!ret && leg->state == UA_LEG_UP && !leg->standby)
			ret = ua_leg_invite(leg, leg->network, leg->wanted, STR_NONE, on_held, leg);
	}
	return ret;
}

void ua_call_redirected(struct ua_call *call, const struct ua_leg *leg, enum sdp_direction before)
{
	json_t *more = names(leg);

	json_object_set_new(
		more, "direction",
		json_string(sdp_direction_name(leg->agreed.stream[UA_AUDIO].direction)));
	json_object_set_new(more, "was", json_string(sdp_direction_name(before)));
	ua_event(call->ua, "peer-changed", more);
}
