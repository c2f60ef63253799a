// SPDX-License-Identifier: BSD-2-Clause
/* A call: its two sides, its life and death. */
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

int call_alloc(struct call **out, struct calls *calls, struct str id, struct str from,
	       struct str to)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->calls = calls;
	list_init(&call->side[SG_SIDE_A].legs);
	list_init(&call->side[SG_SIDE_B].legs);
	list_init(&call->attempts);
	list_init(&call->exchanges);
	list_init(&call->moves);
	call->from = str_dup(from);
	call->to = str_dup(to);
	if (!call->from || !call->to) {
		free(call->from);
		free(call->to);
		free(call);
		return -ENOMEM;
	}
	call_start_clock(call, call_clock_ns());
	call->story = story_new();
	if (id.n)
		memcpy(call->id, id.p, id.n < sizeof(call->id) ? id.n : sizeof(call->id) - 1);
	else
		sip_token(calls->stack, call->id);
	hash_add(&calls->by_id, &call->node, hash_text(&calls->seed, str_of(call->id)));
	*out = call;
	return 0;
}

int call_begun_by(struct call *call, struct str aor)
{
	if (!aor.n)
		return 0;
	call->begun_by = tally_take(&call->calls->tally, TALLY_SUBSCRIBER, aor);
	return call->begun_by ? 0 : -ENOMEM;
}

struct call *call_find(const struct calls *calls, struct str id)
{
	struct hash_node *node = hash_first(&calls->by_id, hash_text(&calls->seed, id));

	for (; node; node = hash_next(node)) {
		struct call *call = container_of(node, struct call, node);

		if (str_eq(str_of(call->id), id))
			return call;
	}
	return NULL;
}

struct leg *call_opposite(const struct leg *leg)
{
	const struct call *call = leg->call;
	enum sg_side other = side_other(leg->side);

	if (leg->peer)
		return leg->peer;
	if (call->side[other].main)
		return call->side[other].main;
	if (other == SG_SIDE_A)
		return call->caller;
	/* Not answered yet: the early dialog that spoke last. */
	list_for_each(node, after, &call->attempts)
	{
		struct attempt *attempt = container_of(node, struct attempt, link);
		struct leg *early;

		if (list_empty(&attempt->legs))
			continue;
		early = container_of(attempt->legs.prev, struct leg, link);
		if (early->dialog->remote_tag[0])
			return early;
	}
	return NULL;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void drop_held(struct call *call)
{
	for (size_t i = 0; i < call->held_count; i++)
		sip_message_unref(call->held[i].message);
	call->held_count = 0;
}

void call_free(struct call *call)
{
	struct calls *calls = call->calls;

	timer_stop(&call->timer);
	timer_stop(&call->silence);
	hash_remove(&calls->by_id, &call->node);
	stories_keep(calls->stories, call);
	drop_held(call);
	targets_free(call->target, call->targets);
	sip_message_unref(call->best.message);
	tally_give(&calls->tally, call->begun_by);
	free(call->stream);
	free(call->from);
	free(call->to);
	free(call);
	if (calls->draining && !calls->by_id.count && calls->drained)
		calls->drained(calls->drained_context);
}

static void end_side(struct side *side, struct str reason, const struct leg *except)
{
	list_for_each(node, after, &side->legs)
	{
		struct leg *leg = container_of(node, struct leg, link);

		if (leg == except || leg->call->subscription)
			leg_free(leg);
		else
			leg_bye(leg, reason);
	}
}

/* The caller whose INVITE has no final answer yet, or was refused. */
static void end_caller(struct call *call, int status)
{
	struct leg *caller = call->caller;

	if (!caller || caller->state != LEG_EARLY)
		return;
	if (call->invite) {
		sip_server_tx_forget(call->invite);
		leg_refuse(caller, call->invite, status ? status : 487, NULL);
	}
	leg_free(caller);
}

void call_end(struct call *call, int status, struct str reason, const char *why,
	      const struct leg *except)
{
	char *kept = reason.n ? str_dup(reason) : NULL; /* it may be part of a message that goes */

	call->state = CALL_OVER;
	call_step(call, -1, "ended", why, call->answered_ns ? 0 : status);
	cdr_write(call, why, status);
	assist_free(call->assist, 487);
	handovers_free(call);
	journal_forget(call);
	transfer_drop(call);
	streams_free(call);
	while (!list_empty(&call->exchanges))
		exchange_abandon(container_of(call->exchanges.next, struct exchange, link), 487);
	while (!list_empty(&call->attempts))
		attempt_abandon(container_of(call->attempts.next, struct attempt, link),
				str_of(kept));
	end_caller(call, status);
	end_side(&call->side[SG_SIDE_A], str_of(kept), except);
	end_side(&call->side[SG_SIDE_B], str_of(kept), except);
	free(kept);
	call_free(call);
}

void call_refuse(struct call *call, int status, const struct sip_message *response)
{
	struct buf *extra = &call->calls->extra;
	const char *reason = NULL;
	char *phrase = NULL;

	buf_reset(extra);
	if (response) {
		headers_pass(response, extra);
		phrase = str_dup(response->reason);
		reason = phrase;
	}
	if (call->invite && call->caller) {
		sip_server_tx_forget(call->invite);
		if (leg_respond(call->caller, call->invite, status, reason, buf_str(extra),
				STR_NONE, STR_NONE))
			leg_refuse(call->caller, call->invite, status, NULL);
		call->invite = NULL;
	}
	free(phrase);
	call_end(call, status, STR_NONE, "refused", NULL);
}

/* ---- what a call that is up is watched for (SG-51) ------------------------------------------- */

static void duration_over(void *context)
{
	call_end(context, 0, STR("SIP;cause=480;text=\"Maximum duration\""), "maximum duration",
		 NULL);
}

static uint64_t last_packet_ns(struct call *call)
{
	struct sg_stream_info info;
	uint64_t last = 0;

	for (size_t i = 0; i < call->streams; i++) {
		if (!call->stream[i].media || media_info(call->stream[i].media, &info))
			continue;
		if (info.created_ns > last)
			last = info.created_ns;
		for (size_t j = 0; j < info.paths; j++)
			if (info.path[j].last_packet_ns > last)
				last = info.path[j].last_packet_ns;
	}
	return last;
}

/* A party on hold may be silent for as long as it likes. */
static bool is_held(const struct call *call)
{
	for (size_t i = 0; i < call->streams; i++)
		if (call->stream[i].media && call->stream[i].direction == SG_DIRECTION_BOTH)
			return false;
	return true;
}

static void check_silence(void *context)
{
	struct call *call = context;
	uint64_t most_ms = call->calls->config->media_timeout * 1000ull;
	uint64_t last_ms = last_packet_ns(call) / 1000000u, now_ms = wheel_now_ms();
	uint64_t silent_ms = last_ms && now_ms > last_ms ? now_ms - last_ms : 0;

	if (!most_ms)
		return;
	if (is_held(call))
		silent_ms = 0;
	if (silent_ms >= most_ms) {
		call_end(call, 0, STR("SIP;cause=408;text=\"No media\""), "media silence", NULL);
		return;
	}
	timer_start(call->calls->wheel, &call->silence, most_ms - silent_ms, check_silence, call);
}

void call_watch(struct call *call)
{
	const struct config *config = call->calls->config;

	timer_stop(&call->timer);
	if (config->max_duration)
		timer_start(call->calls->wheel, &call->timer, config->max_duration * 1000ull,
			    duration_over, call);
	if (config->media_timeout)
		timer_start(call->calls->wheel, &call->silence, config->media_timeout * 1000ull,
			    check_silence, call);
}
