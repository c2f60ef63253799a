// SPDX-License-Identifier: BSD-2-Clause
/*
 * What may have to wait for a next hop. The relay never waits (SG_RESOLVE_NOWAIT): it says that it
 * would have to, and is asked again by timer: soon at first, since a neighbour that is there
 * answers within milliseconds, then after ever longer, since one that is not may be in fashion.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "call/media_internal.h"

#define RESOLVE_MS 2500u /* ARP asks once a second: one lost question must not refuse a call */
#define PAUSE_MIN_MS 10u
#define PAUSE_MAX_MS 100u
/* Each try costs some 20 us: calls to silent neighbours get at most a fifth of a CPU. */
#define TRIES_PER_GRAIN 100u
#define WAITING_MOST 16384u

struct media_op {
	struct list node; /* stream->ops */
	struct media_stream *stream;
	struct timer timer;
	uint64_t began_ms;
	enum media_op_kind kind;
	bool superseded;
	enum sg_side side;
	unsigned place;
	struct sg_stream_spec install;
	struct sg_path_spec path;
	unsigned *out;
	media_done_fn *done;
	void *context;
};

static bool same_local(const struct sg_endpoint *a, const struct sg_endpoint *b)
{
	return a->port == b->port && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* ---- one try -------------------------------------------------------------------------------- */

static struct media_place *free_place(struct media_op *op)
{
	struct media_place *place = op->stream->place[op->side];

	for (unsigned i = 0; i < SG_PATHS; i++) {
		if (!place[i].used)
			return &place[i];
	}
	return NULL;
}

static int try_install(struct media_op *op, struct sg_error *why)
{
	struct media_stream *stream = op->stream;
	uint32_t number;
	int ret = sg_stream_add(stream->media->relay, &op->install, &number, why);

	if (ret)
		return ret;
	for (unsigned side = 0; side < SG_SIDES; side++) {
		media_hold(stream->media, &op->install.side[side].local);
		media_place_set(&stream->place[side][0], &op->install.side[side]);
	}
	media_stream_enter(stream, number);
	return 0;
}

static int try_move(struct media_op *op, struct sg_error *why)
{
	struct media_stream *stream = op->stream;
	struct media_place *place = &stream->place[op->side][op->place];
	int ret, slot = media_stream_slot(stream, op->side, op->place);

	if (slot < 0) {
		snprintf(why->text, sizeof(why->text), "%s has no such path", stream->name);
		return slot;
	}
	ret = sg_path_move(stream->media->relay, stream->number, op->side, (unsigned)slot,
			   &op->path, SG_RESOLVE_NOWAIT, NULL, why);
	if (ret)
		return ret;
	media_past_add(stream, op->side, op->place, (unsigned)slot);
	if (!same_local(&place->local, &op->path.local)) {
		media_rest(stream->media, &place->local);
		media_hold(stream->media, &op->path.local);
	}
	media_place_set(place, &op->path);
	if (op->out)
		*op->out = op->place;
	return 0;
}

static int try_join(struct media_op *op, struct sg_error *why)
{
	struct media_stream *stream = op->stream;
	struct media_place *place = free_place(op);
	int ret;

	if (!place) {
		snprintf(why->text, sizeof(why->text), "%s: %u paths are the most", stream->name,
			 SG_PATHS);
		return -ENOSPC;
	}
	ret = sg_path_add(stream->media->relay, stream->number, op->side, &op->path,
			  SG_RESOLVE_NOWAIT, NULL, why);
	if (ret)
		return ret;
	media_hold(stream->media, &op->path.local);
	media_place_set(place, &op->path);
	if (op->out)
		*op->out = (unsigned)(place - stream->place[op->side]);
	return 0;
}

static int try_once(struct media_op *op, struct sg_error *why)
{
	why->text[0] = '\0';
	if (op->kind == MEDIA_OP_INSTALL)
		return try_install(op, why);
	if (!op->stream->installed)
		return -EINPROGRESS;
	return op->kind == MEDIA_OP_MOVE ? try_move(op, why) : try_join(op, why);
}

/* -EAGAIN: the slots of paths that left drain or rest, which ends within 1.5 s. */
static bool may_come_right(int result)
{
	return result == -EINPROGRESS || result == -EAGAIN;
}

/* ---- ending --------------------------------------------------------------------------------- */

static void rest_ports(struct media_op *op)
{
	struct media *media = op->stream->media;
	struct media_place *place = &op->stream->place[op->side][op->place];

	if (op->kind == MEDIA_OP_INSTALL) {
		for (unsigned side = 0; side < SG_SIDES; side++)
			media_rest(media, &op->install.side[side].local);
		return;
	}
	/* A move may keep the port, which then is still the path's. */
	if (op->kind == MEDIA_OP_MOVE && place->used && same_local(&place->local, &op->path.local))
		return;
	media_rest(media, &op->path.local);
}

static void drop(struct media_op *op)
{
	timer_stop(&op->timer);
	if (!list_empty(&op->node))
		op->stream->media->waiting--;
	list_remove(&op->node);
	free(op);
}

/* The last that is done here: `done` may remove the stream. */
static void finish(struct media_op *op, int result)
{
	struct media_stream *stream = op->stream;
	media_done_fn *done = op->done;
	void *context = op->context;
	bool gone = result && op->kind == MEDIA_OP_INSTALL;

	if (result)
		rest_ports(op);
	drop(op);
	if (gone)
		media_stream_forget(stream);
	if (done)
		done(context, result);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void retry(void *context);

/* After a quarter of the time that it has waited so far. */
static void wait_on(struct media_op *op, uint64_t waited_ms)
{
	uint64_t pause = waited_ms / 4;

	pause = pause < PAUSE_MIN_MS ? PAUSE_MIN_MS : pause;
	pause = pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
	timer_start(op->stream->media->wheel, &op->timer, pause, retry, op);
}

static bool may_try(struct media *media, uint64_t now_ms)
{
	if (now_ms - media->tried_ms >= TIMER_GRAIN_MS) {
		media->tried_ms = now_ms;
		media->tries = 0;
	}
	return media->tries++ < TRIES_PER_GRAIN;
}

static void retry(void *context)
{
	struct media_op *op = context;
	struct media *media = op->stream->media;
	uint64_t now_ms = wheel_now_ms(), waited_ms = now_ms - op->began_ms;
	struct sg_error why;
	int result;

	if (op->superseded) {
		finish(op, -ECANCELED);
		return;
	}
	if (!may_try(media, now_ms)) {
		timer_start(media->wheel, &op->timer, PAUSE_MIN_MS, retry, op);
		return;
	}
	result = try_once(op, &why);
	if (may_come_right(result) && waited_ms < RESOLVE_MS) {
		wait_on(op, waited_ms);
		return;
	}
	if (result)
		media_stream_complain(op->stream, LOG_LEVEL_INFO, "", why.text);
	finish(op, result == -EINPROGRESS ? -EHOSTUNREACH : result);
}

static void hold_ports(struct media_op *op)
{
	struct media *media = op->stream->media;

	for (unsigned side = 0; op->kind == MEDIA_OP_INSTALL && side < SG_SIDES; side++)
		media_hold(media, &op->install.side[side].local);
	if (op->kind != MEDIA_OP_INSTALL)
		media_hold(media, &op->path.local);
}

/* ---- starting ------------------------------------------------------------------------------- */

/* An older move of the same path that still waits: the newer one is what counts. */
static struct media_op *older_move(const struct media_op *op)
{
	if (op->kind != MEDIA_OP_MOVE)
		return NULL;
	list_for_each(node, after, &op->stream->ops)
	{
		struct media_op *other = container_of(node, struct media_op, node);

		if (other->kind == MEDIA_OP_MOVE && other->side == op->side &&
		    other->place == op->place && !other->superseded)
			return other;
	}
	return NULL;
}

/* Is it the port of the stream's waiting install? */
static bool will_have(struct media_stream *stream, enum sg_side side,
		      const struct sg_endpoint *local)
{
	list_for_each(node, after, &stream->ops)
	{
		struct media_op *op = container_of(node, struct media_op, node);

		if (op->kind == MEDIA_OP_INSTALL)
			return same_local(local, &op->install.side[side].local);
	}
	return false;
}

/* A move may keep the port that the path has or is about to get; else a reserved one is needed. */
static bool may_use_port(struct media_op *op, const struct media_op *older)
{
	struct media_stream *stream = op->stream;
	const struct sg_endpoint *local = &op->path.local;

	if (op->kind == MEDIA_OP_INSTALL) /* media_install() looked */
		return true;
	if (op->kind == MEDIA_OP_MOVE &&
	    (same_local(local, &stream->place[op->side][op->place].local) ||
	     (older && same_local(local, &older->path.local)) ||
	     will_have(stream, op->side, local)))
		return true;
	return media_is_reserved(stream->media, local);
}

static void supersede(struct media_op *older, const struct media_op *newer)
{
	older->superseded = true;
	/* The port goes on to the newer one, so that it does not rest with the older. */
	if (same_local(&older->path.local, &newer->path.local))
		older->path.local.port = 0;
	timer_start(older->stream->media->wheel, &older->timer, 0, retry, older);
}

static struct media_op *op_new(struct media_stream *stream, const struct media_op_request *request)
{
	struct media_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->stream = stream;
	op->began_ms = wheel_now_ms();
	op->kind = request->kind;
	op->side = request->side;
	op->place = request->place;
	op->out = request->out;
	op->done = request->done;
	op->context = request->context;
	if (request->install)
		op->install = *request->install;
	if (request->path)
		op->path = *request->path;
	return op;
}

/* Nothing changes: the party repeats what it said. What was learned about it since stays. */
static bool is_repeated(const struct media_op *op)
{
	const struct media_place *place = &op->stream->place[op->side][op->place];

	return op->kind == MEDIA_OP_MOVE && place->used &&
	       same_local(&place->local, &op->path.local) &&
	       same_local(&place->remote, &op->path.remote) &&
	       place->remote_rtcp_port == media_rtcp_port(&op->path);
}

static int first_try(struct media_op *op, const struct media_op *older, struct sg_error *why)
{
	if (!may_use_port(op, older)) {
		snprintf(why->text, sizeof(why->text), "port %u is not reserved",
			 op->path.local.port);
		return -EINVAL;
	}
	if (is_repeated(op)) {
		if (op->out)
			*op->out = op->place;
		return 0;
	}
	return try_once(op, why);
}

int media_op_start(struct media_stream *stream, const struct media_op_request *request)
{
	struct media_op *op = op_new(stream, request), *older;
	struct media *media = stream->media;
	struct sg_error why;
	int result;

	if (!op)
		return -ENOMEM;
	older = older_move(op);
	result = first_try(op, older, &why);
	if (may_come_right(result) && media->waiting >= WAITING_MOST)
		result = -ENOBUFS;
	if (older && (!result || may_come_right(result)))
		supersede(older, op);
	if (may_come_right(result)) {
		hold_ports(op);
		list_append(&stream->ops, &op->node);
		media->waiting++;
		wait_on(op, 0);
		return -EINPROGRESS;
	}
	if (result)
		media_stream_complain(stream, LOG_LEVEL_INFO, "", why.text);
	drop(op);
	return result;
}

void media_op_cancel_all(struct media_stream *stream)
{
	list_for_each(node, after, &stream->ops)
	{
		struct media_op *op = container_of(node, struct media_op, node);

		rest_ports(op);
		drop(op);
	}
}

void media_op_set_opaque(struct media_stream *stream, bool opaque)
{
	list_for_each(node, after, &stream->ops)
	{
		struct media_op *op = container_of(node, struct media_op, node);

		if (op->kind == MEDIA_OP_INSTALL)
			op->install.opaque = opaque;
	}
}

void media_op_set_direction(struct media_stream *stream, enum sg_direction direction)
{
	list_for_each(node, after, &stream->ops)
	{
		struct media_op *op = container_of(node, struct media_op, node);

		if (op->kind == MEDIA_OP_INSTALL)
			op->install.direction = direction;
	}
}
