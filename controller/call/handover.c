// SPDX-License-Identifier: BSD-2-Clause
/* The handover of a side: its beginning, its states, its end. */
#include "call/handover.h"

#include <stdlib.h>
#include <time.h>

uint64_t handover_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const char *handover_scheme_name(enum handover_scheme scheme)
{
	static const char *const name[] = {
		[HANDOVER_HEADER] = "handover",	  [HANDOVER_REPLACES] = "replaces",
		[HANDOVER_BACKUP] = "backup",	  [HANDOVER_ADDRESS] = "re-invite",
		[HANDOVER_REGISTER] = "register", [HANDOVER_OPERATOR] = "operator",
	};

	return name[scheme];
}

const char *handover_state_name(enum handover_state state)
{
	static const char *const name[] = {
		[HANDOVER_JOINING] = "joining",	  [HANDOVER_BOTH] = "both",
		[HANDOVER_FINISHED] = "finished", [HANDOVER_ABORTED] = "aborted",
		[HANDOVER_EXPIRED] = "expired",	  [HANDOVER_FAILED] = "failed",
	};

	return name[state];
}

bool handover_runs(const struct handover *handover)
{
	return handover->state == HANDOVER_JOINING || handover->state == HANDOVER_BOTH;
}

struct handover *handover_on(const struct call *call, enum sg_side side)
{
	list_for_each(node, after, &call->moves)
	{
		struct handover *handover = container_of(node, struct handover, link);

		if (handover->side == side && handover_runs(handover))
			return handover;
	}
	return NULL;
}

/* The oldest report makes room; at most one runs on each side, so there are others. */
static void make_room(struct call *call)
{
	unsigned count = 0;
	struct handover *oldest = NULL;

	list_for_each(node, after, &call->moves)
	{
		struct handover *handover = container_of(node, struct handover, link);

		count++;
		if (!oldest && !handover_runs(handover))
			oldest = handover;
	}
	if (count >= HANDOVER_REPORTS && oldest)
		handover_free(oldest);
}

struct handover *handover_begin(struct call *call, enum sg_side side, enum handover_scheme scheme,
				const struct sip_message *request)
{
	struct handover *handover;

	make_room(call);
	handover = calloc(1, sizeof(*handover));
	if (!handover)
		return NULL;
	handover->call = call;
	handover->side = side;
	handover->scheme = scheme;
	handover->state = HANDOVER_JOINING;
	handover->began_ns = call_clock_ns();
	handover->at.requested = request ? request->arrived_ns : handover_clock_ns();
	list_append(&call->moves, &handover->link);
	call->calls->handovers++;
	return handover;
}

void handover_free(struct handover *handover)
{
	if (handover_runs(handover))
		handover->call->calls->handovers--;
	timer_stop(&handover->timer);
	timer_stop(&handover->look);
	list_remove(&handover->link);
	if (handover->invite) {
		sip_server_tx_forget(handover->invite);
		leg_refuse(handover->fresh, handover->invite, 487, NULL);
	}
	sip_message_unref(handover->request);
	/* One that is not on its side yet belongs to the handover alone. */
	if (handover->state == HANDOVER_JOINING && handover->fresh && handover->fresh->bye)
		handover_ask_abandon(handover->fresh);
	else if (handover->state == HANDOVER_JOINING)
		leg_free(handover->fresh);
	free(handover);
}

static unsigned long long changed_us(const struct handover *handover)
{
	return handover->at.changed ? (handover->at.changed - handover->at.requested) / 1000 : 0;
}

static void tail_over(void *context)
{
	struct handover *handover = context;

	handover_count_after(handover);
	handover->counted = true;
	log_info(handover->call->calls->log, handover->call->id,
		 "handover (%s) of side %s %s: map changed %llu us after the request, lost %lld, "
		 "copies removed %llu, skew %.0f ms",
		 handover_scheme_name(handover->scheme), handover->side == SG_SIDE_A ? "A" : "B",
		 handover_state_name(handover->state), changed_us(handover),
		 (long long)handover_lost(handover),
		 (unsigned long long)(handover->after.duplicates - handover->before.duplicates),
		 handover->skew_ms);
}

/* Where one path took over from the other, the new one's first packet is still to come. */
static unsigned tail_ms(const struct handover *handover)
{
	return handover->at.first_new ? HANDOVER_TAIL_MS : HANDOVER_WATCH_MS;
}

void handover_end(struct handover *handover, enum handover_state state)
{
	struct calls *calls = handover->call->calls;

	if (!handover_runs(handover))
		return;
	calls->handovers--;
	timer_stop(&handover->look);
	handover->state = state;
	handover_figure(handover);
	handover->at.ended = handover_clock_ns();
	handover->old = handover->fresh = NULL;
	timer_start(calls->wheel, &handover->timer, tail_ms(handover), tail_over, handover);
}

void handovers_free(struct call *call)
{
	list_for_each(node, after, &call->moves)
		handover_free(container_of(node, struct handover, link));
}

/* ---- hard ones ----------------------------------------------------------------------------------
 */

static bool moves(const struct leg *leg)
{
	for (size_t i = 0; i < leg->medias && i < leg->call->streams; i++) {
		const struct path *now = &leg->call->stream[i].path[leg->side];
		struct media_path path;

		if (!leg->call->stream[i].media || !leg->media[i].on ||
		    netaddr_is_any(&leg->media[i].remote))
			continue;
		streams_path(leg, i, &path);
		if (!netaddr_eq(&path.remote, &now->remote))
			return true;
	}
	return false;
}

/* The one that this leg's move is; NULL: it is none. */
static struct handover *hard_of(const struct leg *leg)
{
	struct handover *handover = handover_on(leg->call, leg->side);

	return handover && handover->scheme == HANDOVER_ADDRESS ? handover : NULL;
}

/* Is it the leg that the side speaks by? Before the answer, the one that spoke last. */
static bool speaks(const struct leg *leg)
{
	const struct leg *main = leg->call->side[leg->side].main, *caller = leg->call->caller;

	if (main || leg == caller)
		return !main || main == leg;
	return caller && call_opposite(caller) == leg;
}

void handover_hard_begin(struct leg *leg, const struct sip_message *request)
{
	struct handover *handover;

	if (!speaks(leg) || handover_on(leg->call, leg->side) || !moves(leg))
		return;
	handover = handover_begin(leg->call, leg->side, HANDOVER_ADDRESS, request);
	if (!handover)
		return; /* it is the report alone that is missing */
	handover->new_slot = leg->call->stream[0].path[leg->side].slot;
	handover_count_before(handover);
	handover_note_old(handover);
}

void handover_hard_changed(struct leg *leg)
{
	struct handover *handover = hard_of(leg);

	if (handover)
		handover->at.changed = handover_clock_ns();
}

void handover_hard_end(struct leg *leg, int result)
{
	struct handover *handover = hard_of(leg);

	if (!handover)
		return;
	handover->at.answered = handover_clock_ns();
	if (!result)
		leg->call->handovers++;
	handover_end(handover, result ? HANDOVER_FAILED : HANDOVER_FINISHED);
}
