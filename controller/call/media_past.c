// SPDX-License-Identifier: BSD-2-Clause
/*
 * What paths that are over had counted: the relay forgets it when their drain ends, the record of
 * the call (SG-50) wants it. It is read when the path leaves and once more just before the drain
 * ends, so that the last packets, still under way when it left, are in it.
 */
#include <stdlib.h>

#include "call/media_internal.h"

#define EARLY_MS 60u /* before the drain ends: a timer may be late by its grain */
#define MOST 8u	     /* kept of a stream; older ones are added up */

struct media_past {
	struct list node; /* stream->past */
	struct media_stream *stream;
	struct timer timer; /* runs while the path drains */
	unsigned slot;	    /* the relay's */
	struct sg_path_info info;
};

/* ---- reading -------------------------------------------------------------------------------- */

static void read_again(struct media_past *past)
{
	struct media_stream *stream = past->stream;
	struct sg_stream_info info;
	unsigned place = past->info.slot;

	if (sg_stream_info(stream->media->relay, stream->number, &info))
		return;
	for (size_t i = 0; i < info.paths; i++) {
		if (info.path[i].side != past->info.side || info.path[i].slot != past->slot ||
		    info.path[i].state != SG_PATH_DRAINING)
			continue;
		past->info = info.path[i];
		past->info.slot = place;
		past->info.state = SG_PATH_RESTING;
	}
}

static void read_last(void *context)
{
	read_again(context);
}

/* ---- keeping -------------------------------------------------------------------------------- */

static void drop(struct media_past *past)
{
	timer_stop(&past->timer);
	list_remove(&past->node);
	past->stream->pasts--;
	free(past);
}

static void add_up(struct sg_path_info *sum, const struct sg_path_info *more)
{
	sum->packets += more->packets;
	sum->octets += more->octets;
	sum->sent_packets += more->sent_packets;
	sum->sent_octets += more->sent_octets;
	sum->rtcp_packets += more->rtcp_packets;
	sum->duplicates += more->duplicates;
	sum->late += more->late;
	sum->lost += more->lost;
	for (unsigned i = 0; i < SG_STAT_REASONS; i++)
		sum->dropped[i] += more->dropped[i];
}

/* The oldest goes into the next one of its side, or else waits for one. */
static void make_room(struct media_stream *stream)
{
	list_for_each(node, after, &stream->past)
	{
		struct media_past *old = container_of(node, struct media_past, node);

		for (struct list *at = after; at != &stream->past; at = at->next) {
			struct media_past *next = container_of(at, struct media_past, node);

			if (next->info.side != old->info.side || timer_running(&old->timer))
				continue;
			add_up(&next->info, &old->info);
			drop(old);
			return;
		}
	}
}

static struct media_past *draining(struct media_stream *stream, unsigned side, unsigned slot)
{
	list_for_each(node, after, &stream->past)
	{
		struct media_past *past = container_of(node, struct media_past, node);

		if (past->info.side == side && past->slot == slot && timer_running(&past->timer))
			return past;
	}
	return NULL;
}

void media_past_add(struct media_stream *stream, unsigned side, unsigned place, unsigned slot)
{
	uint64_t drain_ms = media_drain_ms(stream->media);
	struct media_past *past;

	if (draining(stream, side, slot))
		return;
	if (stream->pasts >= MOST)
		make_room(stream);
	past = stream->pasts < 2 * MOST ? calloc(1, sizeof(*past)) : NULL;
	if (!past)
		return;
	past->stream = stream;
	past->slot = slot;
	past->info.side = (enum sg_side)side;
	past->info.slot = place;
	list_append(&stream->past, &past->node);
	stream->pasts++;
	read_again(past);
	timer_start(stream->media->wheel, &past->timer,
		    drain_ms > EARLY_MS ? drain_ms - EARLY_MS : 0, read_last, past);
}

void media_past_forget(struct media_stream *stream)
{
	list_for_each(node, after, &stream->past) drop(container_of(node, struct media_past, node));
}

size_t media_past(struct media_stream *stream, struct sg_path_info *out, size_t room)
{
	size_t count = 0;

	list_for_each(node, after, &stream->past)
	{
		struct media_past *past = container_of(node, struct media_past, node);

		if (timer_running(&past->timer))
			read_again(past);
		if (count < room)
			out[count] = past->info;
		count++;
	}
	return count;
}
