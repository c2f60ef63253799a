// SPDX-License-Identifier: BSD-2-Clause
/* The streams of a call: what both parties say of themselves becomes paths in the relay. */
#include "call/handover.h"

#include <errno.h>
#include <stdlib.h>

static unsigned family_of(const struct netaddr *a)
{
	return netaddr_is_ipv4(a) ? 0 : 1;
}

int streams_room(struct call *call, size_t count)
{
	struct stream *stream;

	if (count <= call->streams)
		return 0;
	stream = realloc(call->stream, count * sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	memset(stream + call->streams, 0, (count - call->streams) * sizeof(*stream));
	for (size_t i = call->streams; i < count; i++)
		stream[i].call = call;
	call->stream = stream;
	call->streams = count;
	return 0;
}

const char *stream_name(const struct stream *stream, char out[STREAM_NAME_LEN])
{
	const struct call *call = stream->call;
	size_t index = (size_t)(stream - call->stream), n = strlen(call->id);

	memcpy(out, call->id, n);
	out[n++] = '.';
	if (index >= 10)
		out[n++] = (char)('0' + index / 10);
	out[n++] = (char)('0' + index % 10);
	out[n] = '\0';
	return out;
}

/* ---- ports ---------------------------------------------------------------------------------- */

/* The address that tells which of our addresses the party will send to. */
static const struct netaddr *party_address(const struct leg *leg, size_t index)
{
	const struct netaddr *remote = &leg->media[index].remote;

	if (remote->port && !netaddr_is_any(remote))
		return remote;
	return &leg->dialog->flow.remote;
}

/* Nothing is known of a callee that DNS has still to find: then any family that we have. */
static int reserve_anywhere(struct leg *leg, struct netaddr *local)
{
	struct media *media = leg->calls->media;
	struct leg *other = call_opposite(leg);

	if (!other)
		return -EAFNOSUPPORT;
	return media_reserve(media, party_address(other, 0), local);
}

int streams_local(struct leg *leg, size_t index, struct netaddr *local)
{
	struct stream *stream = &leg->call->stream[index];
	const struct netaddr *towards = party_address(leg, index);
	bool known = !netaddr_is_any(towards);
	struct netaddr *reserved;
	int ret;

	if (leg->media[index].own.local.port) {
		*local = leg->media[index].own.local;
		return 0;
	}
	*local = stream->path[leg->side].local;
	if (local->port && (!known || family_of(local) == family_of(towards)))
		return 0;
	for (unsigned family = 0; family < 2; family++) {
		*local = stream->reserved[leg->side][family];
		if (local->port && (!known || family == family_of(towards)))
			return 0;
	}
	ret = known ? media_reserve(leg->calls->media, towards, local)
		    : reserve_anywhere(leg, local);
	if (ret)
		return ret;
	reserved = &stream->reserved[leg->side][family_of(local)];
	*reserved = *local;
	return 0;
}

/* The port is the relay's from now on. */
static void give_up(struct stream *stream, enum sg_side side, const struct netaddr *local)
{
	struct netaddr *reserved = &stream->reserved[side][family_of(local)];

	if (netaddr_eq(reserved, local))
		reserved->port = 0;
}

static void release_reserved(struct call *call, struct stream *stream)
{
	for (unsigned i = 0; i < SG_SIDES * 2; i++) {
		struct netaddr *reserved = &stream->reserved[i / 2][i % 2];

		if (reserved->port)
			media_release(call->calls->media, reserved);
		reserved->port = 0;
	}
}

/* ---- paths ---------------------------------------------------------------------------------- */

/*
 * A party behind NAT says an address of its own network; its packets come from where its
 * signalling comes from, and there ours must go. The kernel learns the port.
 */
void streams_path(const struct leg *leg, size_t index, struct media_path *out)
{
	const struct leg_media *said = &leg->media[index];
	const struct sip_dialog *dialog = leg->dialog;

	*out = (struct media_path){.remote = said->remote, .remote_rtcp_port = said->remote_rtcp};
	if (!leg->calls->config->symmetric || !dialog->use_flow ||
	    netaddr_same_host(&said->remote, &dialog->flow.remote) ||
	    family_of(&said->remote) != family_of(&dialog->flow.remote))
		return;
	memcpy(out->remote.addr, dialog->flow.remote.addr, sizeof(out->remote.addr));
	out->learn = true;
}

static enum sg_direction direction_of(const struct leg_media *a, const struct leg_media *b)
{
	unsigned direction = SG_DIRECTION_NONE;

	if ((a->direction & SDP_SENDONLY) && (b->direction & SDP_RECVONLY))
		direction |= SG_DIRECTION_A_TO_B;
	if ((b->direction & SDP_SENDONLY) && (a->direction & SDP_RECVONLY))
		direction |= SG_DIRECTION_B_TO_A;
	return (enum sg_direction)direction;
}

/* ---- a change that waits -------------------------------------------------------------------- */

static void commit(struct call *call, int result)
{
	for (size_t i = 0; i < call->streams; i++) {
		struct stream *stream = &call->stream[i];

		for (unsigned side = 0; side < SG_SIDES; side++) {
			if (stream->changing[side] && !result)
				stream->path[side] = stream->next[side];
			stream->changing[side] = false;
		}
	}
}

static void finish(struct call *call)
{
	struct change change = call->change;

	commit(call, change.result);
	call->change = (struct change){0};
	change.done(call, change.leg, change.message, change.result);
	sip_message_unref(change.message);
}

static void nobody_waits(struct call *call, struct leg *leg, struct sip_message *message,
			 int result)
{
	(void)call;
	(void)leg;
	(void)message;
	(void)result;
}

void streams_disown(struct call *call)
{
	if (call->change.waiting)
		call->change.done = nobody_waits;
	call->change.leg = NULL;
}

static void operation_done(void *context, int result)
{
	struct call *call = ((struct stream *)context)->call;

	if (result)
		call->change.result = result;
	if (!--call->change.waiting)
		finish(call);
}

static void install_done(void *context, int result)
{
	struct stream *stream = context;

	if (result) /* it is gone, with its ports */
		stream->media = NULL;
	call_media_step(stream->call, stream, -1, result ? "no next hop" : "next hops found", NULL);
	operation_done(context, result);
}

/* ---- what the relay reports ----------------------------------------------------------------- */

/* The party's end of a path. NULL: it has gone meanwhile. */
static const struct netaddr *remote_of(const struct call *call, size_t index, enum sg_side side,
				       unsigned slot)
{
	const struct stream *stream = &call->stream[index];

	list_for_each(node, after, &call->side[side].legs)
	{
		const struct leg *leg = container_of(node, struct leg, link);

		if (index < leg->medias && leg->media[index].own.local.port &&
		    leg->media[index].own.slot == slot)
			return &leg->media[index].own.remote;
	}
	return stream->path[side].slot == slot ? &stream->path[side].remote : NULL;
}

static void on_event(void *context, const struct media_event *event)
{
	static const char *const names[] = {
		[MEDIA_FIRST_PACKET] = "first packet",
		[MEDIA_LINK_DOWN] = "link down",
		[MEDIA_LINK_UP] = "link up",
	};
	struct call *call = context;
	char at[NETADDR_STRLEN] = "";

	for (size_t i = 0; i < call->streams; i++) {
		const struct netaddr *remote = remote_of(call, i, event->side, event->slot);

		if (call->stream[i].media == event->stream && remote)
			netaddr_format(remote, at);
	}
	story_add_at(call->story, event->at_ns, STORY_MEDIA, (int)event->side, names[event->kind],
		     at, 0);
	if (event->stream == call->stream[0].media)
		handover_event(call, event);
}

static void tell_installed(struct stream *stream, int result)
{
	struct call *call = stream->call;

	media_watch(stream->media, on_event, call);
	for (int side = 0; side < (int)SG_SIDES; side++)
		call_media_step(call, stream, side, "media installed", &stream->next[side].remote);
	if (result)
		call_media_step(call, stream, -1, "waits for next hops", NULL);
}

/* ---- one stream ----------------------------------------------------------------------------- */

static void plan_path(struct stream *stream, const struct leg *leg, const struct media_path *path)
{
	stream->next[leg->side] = (struct path){
		.local = path->local,
		.remote = path->remote,
		.remote_rtcp = path->remote_rtcp_port,
		.slot = stream->path[leg->side].slot,
	};
	stream->changing[leg->side] = true;
}

static int install(struct stream *stream, size_t index, struct leg *a, struct leg *b)
{
	struct call *call = a->call;
	char name[STREAM_NAME_LEN];
	struct leg *leg[SG_SIDES] = {[SG_SIDE_A] = a, [SG_SIDE_B] = b};
	struct media_spec spec = {.name = name, .clock_hz = a->media[index].clock_hz};
	int ret;

	stream_name(stream, name);
	spec.rtcp_mux = a->media[index].mux && b->media[index].mux;
	spec.opaque = a->media[index].opaque;
	spec.direction = direction_of(&a->media[index], &b->media[index]);
	for (unsigned side = 0; side < SG_SIDES; side++) {
		streams_path(leg[side], index, &spec.side[side]);
		ret = streams_local(leg[side], index, &spec.side[side].local);
		if (ret)
			return ret;
		plan_path(stream, leg[side], &spec.side[side]);
		stream->next[side].slot = 0;
	}
	ret = media_install(call->calls->media, &spec, install_done, stream, &stream->media);
	if (ret && ret != -EINPROGRESS) {
		stream->media = NULL;
		return ret;
	}
	stream->direction = spec.direction;
	for (unsigned side = 0; side < SG_SIDES; side++)
		give_up(stream, (enum sg_side)side, &spec.side[side].local);
	tell_installed(stream, ret);
	return ret;
}

/* 0: nothing to move, or moved. */
static int move(struct stream *stream, size_t index, struct leg *leg)
{
	const struct path *now = &stream->path[leg->side];
	struct media_path path;
	int ret;

	/* A leg of a handover moves its own path: handover.c. 0.0.0.0 is a hold, not a place. */
	if (leg->media[index].own.local.port || netaddr_is_any(&leg->media[index].remote))
		return 0;
	streams_path(leg, index, &path);
	ret = streams_local(leg, index, &path.local);
	if (ret)
		return ret;
	if (netaddr_eq(&path.remote, &now->remote) && netaddr_eq(&path.local, &now->local) &&
	    path.remote_rtcp_port == now->remote_rtcp)
		return 0;
	plan_path(stream, leg, &path);
	ret = media_move(stream->media, leg->side, now->slot, &path, &stream->next[leg->side].slot,
			 operation_done, stream);
	if (ret && ret != -EINPROGRESS)
		return ret;
	give_up(stream, leg->side, &path.local);
	if (!ret) { /* also when something else of the change is refused */
		stream->path[leg->side] = stream->next[leg->side];
		stream->changing[leg->side] = false;
	}
	call_media_step(leg->call, stream, (int)leg->side, "media moved", &path.remote);
	return ret;
}

static int set_direction(struct stream *stream, size_t index, struct leg *a, struct leg *b)
{
	enum sg_direction direction = direction_of(&a->media[index], &b->media[index]);
	int ret;

	if (direction == stream->direction)
		return 0;
	ret = media_set_direction(stream->media, direction);
	if (ret)
		return ret;
	stream->direction = direction;
	call_media_step(a->call, stream, -1,
			direction == SG_DIRECTION_BOTH ? "media opened" : "media held", NULL);
	return 0;
}

static void remove_stream(struct call *call, struct stream *stream)
{
	if (!stream->media)
		return;
	media_remove(stream->media);
	stream->media = NULL;
	memset(stream->path, 0, sizeof(stream->path));
	call_media_step(call, stream, -1, "media removed", NULL);
}

/* Counts what waits; 0 or an error. */
static int count(struct call *call, int ret)
{
	if (ret == -EINPROGRESS) {
		call->change.waiting++;
		return 0;
	}
	return ret;
}

/*
 * An answer in another family than we offered in: packets cannot go between the two ports. One who
 * offers may change the family, since our answer will say the new port.
 */
static bool fits(const struct leg *leg, size_t index)
{
	const struct leg_media *said = &leg->media[index];

	return leg->oa.state == OA_OFFER_RECEIVED || !said->told.port ||
	       netaddr_is_any(&said->remote) || family_of(&said->told) == family_of(&said->remote);
}

static int apply_one(struct stream *stream, size_t index, struct leg *a, struct leg *b)
{
	struct call *call = a->call;
	int ret;

	if (!a->media[index].on || !b->media[index].on ||
	    a->media[index].opaque != b->media[index].opaque) {
		remove_stream(call, stream);
		return 0;
	}
	if (!fits(a, index) || !fits(b, index))
		return -EAFNOSUPPORT;
	if (!stream->media) {
		if (netaddr_is_any(&a->media[index].remote) ||
		    netaddr_is_any(&b->media[index].remote))
			return 0; /* held from the start: there is nowhere to send to yet */
		return count(call, install(stream, index, a, b));
	}
	ret = media_set_opaque(stream->media, a->media[index].opaque);
	if (!ret)
		ret = set_direction(stream, index, a, b);
	if (!ret)
		ret = count(call, move(stream, index, a));
	if (!ret)
		ret = count(call, move(stream, index, b));
	return ret;
}

int streams_apply(struct leg *a, struct leg *b, change_done_fn *done, struct leg *leg,
		  struct sip_message *message)
{
	struct call *call = a->call;
	size_t medias = a->medias < b->medias ? a->medias : b->medias;
	int ret = 0;

	if (call->assisted)
		return 0;
	if (a->side != SG_SIDE_A) {
		struct leg *swapped = a;

		a = b;
		b = swapped;
	}
	/* Held back by one, so that nothing that is done at once finishes before the last began. */
	call->change = (struct change){.waiting = 1, .done = done, .leg = leg};
	for (size_t i = 0; !ret && i < medias && i < call->streams; i++)
		ret = apply_one(&call->stream[i], i, a, b);
	if (ret)
		call->change.result = ret;
	if (--call->change.waiting) {
		call->change.message = message ? sip_message_ref(message) : NULL;
		return -EINPROGRESS;
	}
	ret = call->change.result;
	commit(call, ret);
	call->change = (struct change){0};
	return ret;
}

int streams_adopt(struct call *call, size_t index)
{
	char name[STREAM_NAME_LEN];
	int ret;

	stream_name(&call->stream[index], name);
	ret = media_adopt(call->calls->media, name, &call->stream[index].media);
	if (!ret)
		media_watch(call->stream[index].media, on_event, call);
	return ret;
}

static void drop_path(struct stream *stream, struct leg *leg, struct leg_media *said,
		      struct leg_media *successor)
{
	struct path *main = &stream->path[leg->side];

	call_media_step(leg->call, stream, (int)leg->side, "path leaves",
			said->own.local.port ? &said->own.remote : &main->remote);
	if (said->own.local.port) {
		media_leave(stream->media, leg->side, said->own.slot);
		said->own = (struct path){0};
	} else if (successor && successor->own.local.port) {
		media_leave(stream->media, leg->side, main->slot);
		*main = successor->own;
		successor->own = (struct path){0};
	}
}

void streams_drop(struct leg *leg)
{
	struct leg *successor = leg->call->side[leg->side].main;

	for (size_t i = 0; i < leg->call->streams && i < leg->medias; i++) {
		struct stream *stream = &leg->call->stream[i];

		if (stream->media)
			drop_path(stream, leg, &leg->media[i],
				  successor && i < successor->medias ? &successor->media[i] : NULL);
	}
}

void streams_leave(struct call *call)
{
	for (size_t i = 0; i < call->streams; i++) {
		remove_stream(call, &call->stream[i]);
		release_reserved(call, &call->stream[i]);
	}
}

void streams_free(struct call *call)
{
	for (size_t i = 0; i < call->streams; i++) {
		media_remove(call->stream[i].media);
		release_reserved(call, &call->stream[i]);
	}
	free(call->stream);
	call->stream = NULL;
	call->streams = 0;
	sip_message_unref(call->change.message);
	call->change = (struct change){0};
}
