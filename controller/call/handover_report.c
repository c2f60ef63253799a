// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a handover cost, from the kernel's counters: when each step happened, what no path brought,
 * how much later the new path is. Of the call's first stream; of the packets that the moving party
 * sends.
 */
#include <stdlib.h>

#include "call/handover.h"

#define NS_PER_US 1000u

/* Sequence numbers of two paths can be compared in their lower 16 bits only. */
static int16_t ahead_by(uint32_t a, uint32_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

static void add_path(struct handover_count *out, const struct sg_path_info *path)
{
	out->packets += path->packets;
	out->duplicates += path->duplicates;
	out->reordered += path->late;
	out->late += path->dropped[SG_TOO_LATE];
	if (path->packets && (!out->seen || ahead_by(path->first_seq, out->first_seq) < 0))
		out->first_seq = path->first_seq;
	if (path->packets && (!out->seen || ahead_by(path->highest_seq, out->highest_seq) > 0))
		out->highest_seq = path->highest_seq;
	out->seen |= path->packets != 0;
}

static void count_once(const struct handover *handover, struct handover_count *out)
{
	struct call *call = handover->call;
	struct sg_path_info past[SG_PATH_SLOTS * 4];
	struct sg_stream_info info;
	size_t count;

	*out = (struct handover_count){0};
	if (!call->streams || !call->stream[0].media || media_info(call->stream[0].media, &info))
		return;
	for (size_t i = 0; i < info.paths; i++)
		if (info.path[i].side == handover->side && info.path[i].state == SG_PATH_LIVE)
			add_path(out, &info.path[i]);
	count = media_past(call->stream[0].media, past, sizeof(past) / sizeof(past[0]));
	for (size_t i = 0; i < count && i < sizeof(past) / sizeof(past[0]); i++)
		if (past[i].side == handover->side)
			add_path(out, &past[i]);
}

static bool same_count(const struct handover_count *a, const struct handover_count *b)
{
	return a->packets == b->packets && a->duplicates == b->duplicates && a->late == b->late &&
	       a->reordered == b->reordered && a->highest_seq == b->highest_seq;
}

/*
 * All that the party of the side sent by any path of the first stream, also those that are over.
 * The kernel counts on while it is read, one figure after the other: what reads the same twice is
 * of one moment.
 */
static void count_side(const struct handover *handover, struct handover_count *out)
{
	enum { TRIES = 8 };
	struct handover_count again;

	count_once(handover, out);
	for (int i = 0; i < TRIES; i++) {
		count_once(handover, &again);
		if (same_count(out, &again))
			return;
		*out = again;
	}
}

/* The live path of that local port. False: there is none. */
static bool find_path(const struct handover *handover, const struct netaddr *local,
		      struct sg_path_info *out)
{
	struct call *call = handover->call;
	struct sg_stream_info info;

	if (!call->streams || !call->stream[0].media || media_info(call->stream[0].media, &info))
		return false;
	for (size_t i = 0; i < info.paths; i++) {
		*out = info.path[i];
		if (out->side == handover->side && out->state == SG_PATH_LIVE &&
		    out->local.port == local->port &&
		    !memcmp(out->local.addr, local->addr, sizeof(local->addr)))
			return true;
	}
	return false;
}

void handover_count_before(struct handover *handover)
{
	const struct call *call = handover->call;
	struct sg_path_info old;

	if (!call->streams)
		return;
	handover->old_local = call->stream[0].path[handover->side].local;
	handover->new_local = handover->old_local;
	if (handover->fresh && handover->fresh->medias && handover->fresh->media[0].own.local.port)
		handover->new_local = handover->fresh->media[0].own.local;
	count_side(handover, &handover->before);
	if (find_path(handover, &handover->old_local, &old)) {
		handover->old_seq = old.highest_seq;
		handover->old_ns = old.last_packet_ns;
	}
}

/*
 * At one moment both paths have brought all that they will bring up to their highest sequence
 * number: the difference, at the pace of the old path since the handover began, or since it spoke
 * first, is the skew.
 */
void handover_note_old(struct handover *handover)
{
	struct sg_path_info old, fresh;
	double packets, ms;

	if (!find_path(handover, &handover->old_local, &old))
		return;
	handover->at.last_old = old.last_packet_ns;
	if (!handover->before.seen) {
		handover->old_seq = old.first_seq;
		handover->old_ns = old.first_packet_ns;
	}
	packets = ahead_by(old.highest_seq, handover->old_seq);
	ms = (double)(old.last_packet_ns - handover->old_ns) / 1e6;
	if (!find_path(handover, &handover->new_local, &fresh) || !fresh.packets || packets < 5)
		return;
	handover->skew_ms = ahead_by(old.highest_seq, fresh.highest_seq) * ms / packets;
}

void handover_count_after(struct handover *handover)
{
	if (!handover->counted)
		count_side(handover, &handover->after);
}

/*
 * First copies that went on to the far end, less the sequence numbers that passed meanwhile: since
 * it began, or where the relay had heard nothing by then (it was led here just now), since the
 * first packet.
 */
static bool surplus(const struct handover *handover, int64_t *out)
{
	const struct handover_count *before = &handover->before, *after = &handover->after;
	int64_t first = (int64_t)(after->packets - before->packets) -
			(int64_t)(after->duplicates - before->duplicates);
	int64_t expected = before->seen ? (uint16_t)(after->highest_seq - before->highest_seq)
					: (uint16_t)(after->highest_seq - after->first_seq) + 1;

	*out = first - expected;
	return after->seen && !handover->assisted;
}

int64_t handover_lost(const struct handover *handover)
{
	int64_t more;

	if (!surplus(handover, &more))
		return -1;
	return more < 0 ? -more : 0;
}

int64_t handover_doubled(const struct handover *handover)
{
	int64_t more;

	if (!surplus(handover, &more))
		return -1;
	return more > 0 ? more : 0;
}

/* ---- events ---------------------------------------------------------------------------------- */

static struct handover *newest(const struct call *call, enum sg_side side)
{
	struct handover *found = NULL;

	list_for_each(node, after, &call->moves)
	{
		struct handover *handover = container_of(node, struct handover, link);

		if (handover->side == side)
			found = handover;
	}
	return found;
}

void handover_event(struct call *call, const struct media_event *event)
{
	struct handover *handover = newest(call, event->side);

	if (event->kind == MEDIA_LINK_DOWN && handover) {
		handover_link_down(handover, event->slot);
		return;
	}
	if (event->kind != MEDIA_FIRST_PACKET || !handover || handover->counted ||
	    handover->new_slot != event->slot || handover->at.first_new)
		return;
	handover->at.first_new = event->at_ns;
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

/* Microseconds after the request; null: did not happen. */
static json_t *since_request(const struct handover *handover, uint64_t at)
{
	if (!at)
		return json_null();
	return json_integer(((json_int_t)at - (json_int_t)handover->at.requested) / NS_PER_US);
}

/* Null where nothing is known: no media, or it goes past the relay. */
static json_t *known(int64_t packets)
{
	return packets < 0 ? json_null() : json_integer((json_int_t)packets);
}

static json_t *counted(const struct handover *handover, uint64_t before, uint64_t after)
{
	return known(handover->assisted ? -1 : (int64_t)(after - before));
}

static void describe_times(const struct handover *handover, json_t *object)
{
	const struct handover_times *at = &handover->at;

	json_object_set_new(object, "began_us",
			    json_integer((json_int_t)(handover->began_ns / NS_PER_US)));
	json_object_set_new(object, "changed_us", since_request(handover, at->changed));
	json_object_set_new(object, "answered_us", since_request(handover, at->answered));
	json_object_set_new(object, "first_new_us", since_request(handover, at->first_new));
	json_object_set_new(object, "last_old_us", since_request(handover, at->last_old));
	json_object_set_new(object, "ended_us", since_request(handover, at->ended));
}

static void describe_packets(const struct handover *handover, json_t *object)
{
	const struct handover_count *before = &handover->before, *after = &handover->after;

	json_object_set_new(object, "lost", known(handover_lost(handover)));
	json_object_set_new(object, "doubled", known(handover_doubled(handover)));
	json_object_set_new(object, "copies_removed",
			    counted(handover, before->duplicates, after->duplicates));
	json_object_set_new(object, "reordered",
			    counted(handover, before->reordered, after->reordered));
	json_object_set_new(object, "late", counted(handover, before->late, after->late));
	json_object_set_new(object, "skew_ms",
			    handover->assisted ? json_null() : json_real(handover->skew_ms));
}

static json_t *describe(const struct handover *handover)
{
	json_t *object = json_object();

	json_object_set_new(object, "call", json_string(handover->call->id));
	json_object_set_new(object, "side", json_string(handover->side == SG_SIDE_A ? "a" : "b"));
	json_object_set_new(object, "scheme", json_string(handover_scheme_name(handover->scheme)));
	json_object_set_new(object, "by", json_string(handover->assisted ? "far-end" : "relay"));
	json_object_set_new(object, "state", json_string(handover_state_name(handover->state)));
	describe_times(handover, object);
	describe_packets(handover, object);
	return object;
}

json_t *handover_report(struct handover *handover)
{
	if (handover->state != HANDOVER_JOINING)
		handover_count_after(handover);
	return describe(handover);
}

json_t *handover_reports(const struct call *call)
{
	json_t *list = json_array();

	list_for_each(node, after, &call->moves)
	{
		json_array_append_new(list,
				      handover_report(container_of(node, struct handover, link)));
	}
	return list;
}
