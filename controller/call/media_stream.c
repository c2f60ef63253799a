// SPDX-License-Identifier: BSD-2-Clause
/* One m= line's stream: what is installed of it, by our numbers and ports. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "call/media_internal.h"

/* ---- life ----------------------------------------------------------------------------------- */

struct media_stream *media_stream_new(struct media *media, const char *name)
{
	struct media_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->media = media;
	strncpy(stream->name, name, sizeof(stream->name) - 1);
	list_init(&stream->ops);
	list_init(&stream->past);
	list_append(&media->streams, &stream->node);
	return stream;
}

void media_stream_enter(struct media_stream *stream, uint32_t number)
{
	struct media *media = stream->media;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	stream->since_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	stream->number = number;
	stream->installed = true;
	media->by_number[number] = stream;
	if (number >= media->high)
		media->high = number + 1;
}

void media_stream_forget(struct media_stream *stream)
{
	media_op_cancel_all(stream);
	media_past_forget(stream);
	if (stream->installed)
		stream->media->by_number[stream->number] = NULL;
	list_remove(&stream->node);
	free(stream);
}

static void rest_all(struct media_stream *stream)
{
	for (unsigned side = 0; side < SG_SIDES; side++) {
		for (unsigned i = 0; i < SG_PATHS; i++) {
			if (stream->place[side][i].used)
				media_rest(stream->media, &stream->place[side][i].local);
		}
	}
}

/* A stream is named after its call: "CALL.0". */
void media_stream_complain(const struct media_stream *stream, enum log_level level,
			   const char *what, const char *why)
{
	char call[SG_NAME_LEN];
	const struct log_about about = {.call = call, .stream = stream->name};
	char *dot;

	memcpy(call, stream->name, sizeof(call));
	dot = strrchr(call, '.');
	if (dot)
		*dot = '\0';
	log_write_about(stream->media->log, level, &about, "media: %s%s: %s", what, stream->name,
			why);
}

void media_remove(struct media_stream *stream)
{
	struct sg_error why;

	if (!stream)
		return;
	if (stream->installed && sg_stream_remove(stream->media->relay, stream->number, &why))
		media_stream_complain(stream, LOG_LEVEL_WARNING, "removing ", why.text);
	rest_all(stream);
	media_stream_forget(stream);
}

/* ---- paths ---------------------------------------------------------------------------------- */

void media_place_set(struct media_place *place, const struct sg_path_spec *spec)
{
	*place = (struct media_place){.used = true,
				      .local = spec->local,
				      .remote = spec->remote,
				      .remote_rtcp_port = media_rtcp_port(spec)};
}

int media_stream_slot(struct media_stream *stream, unsigned side, unsigned place)
{
	struct sg_port_info port;

	if (!stream->installed || side >= SG_SIDES || place >= SG_PATHS ||
	    !stream->place[side][place].used)
		return -ENOENT;
	if (!sg_port_get(stream->media->relay, &stream->place[side][place].local, &port) ||
	    port.resting || port.stream != stream->number || (unsigned)port.side != side)
		return -ENOENT;
	return (int)port.slot;
}

int media_stream_place(struct media_stream *stream, unsigned side, unsigned slot)
{
	for (unsigned place = 0; place < SG_PATHS; place++) {
		if (media_stream_slot(stream, side, place) == (int)slot)
			return (int)place;
	}
	return -ENOENT;
}

static void path_spec(const struct media *media, const struct media_path *path,
		      struct sg_path_spec *out)
{
	*out = (struct sg_path_spec){
		.remote_rtcp_port = path->remote_rtcp_port,
		.dscp = media->config->dscp,
		.learn = path->learn,
	};
	media_endpoint(&out->local, &path->local);
	media_endpoint(&out->remote, &path->remote);
}

/* ---- installing ----------------------------------------------------------------------------- */

int media_install(struct media *media, const struct media_spec *spec, media_done_fn *done,
		  void *context, struct media_stream **out)
{
	struct sg_stream_spec install = {
		.rtcp_mux = spec->rtcp_mux,
		.opaque = spec->opaque,
		.clock_hz = spec->clock_hz,
		.direction = spec->direction,
		.resolve_ms = SG_RESOLVE_NOWAIT,
	};
	const struct media_op_request request = {
		.kind = MEDIA_OP_INSTALL, .install = &install, .done = done, .context = context};
	struct media_stream *stream;
	int ret;

	if (!spec->name || strlen(spec->name) >= SG_NAME_LEN)
		return -EINVAL;
	for (unsigned side = 0; side < SG_SIDES; side++) {
		path_spec(media, &spec->side[side], &install.side[side]);
		if (!media_is_reserved(media, &install.side[side].local))
			return -EINVAL;
	}
	stream = media_stream_new(media, spec->name);
	if (!stream)
		return -ENOMEM;
	stream->opaque = spec->opaque;
	install.name = stream->name;
	ret = media_op_start(stream, &request);
	if (ret && ret != -EINPROGRESS)
		media_stream_forget(stream);
	else
		*out = stream;
	return ret;
}

int media_set_direction(struct media_stream *stream, enum sg_direction direction)
{
	if (!stream->installed) {
		media_op_set_direction(stream, direction);
		return 0;
	}
	return sg_stream_set_direction(stream->media->relay, stream->number, direction, NULL);
}

int media_set_opaque(struct media_stream *stream, bool opaque)
{
	int ret = 0;

	if (stream->opaque == opaque)
		return 0;
	if (stream->installed)
		ret = sg_stream_set_opaque(stream->media->relay, stream->number, opaque, NULL);
	else
		media_op_set_opaque(stream, opaque);
	if (!ret)
		stream->opaque = opaque;
	return ret;
}

/* ---- handing over --------------------------------------------------------------------------- */

int media_move(struct media_stream *stream, enum sg_side side, unsigned slot,
	       const struct media_path *path, unsigned *new_slot, media_done_fn *done,
	       void *context)
{
	struct sg_path_spec spec;
	const struct media_op_request request = {.kind = MEDIA_OP_MOVE,
						 .path = &spec,
						 .side = side,
						 .place = slot,
						 .out = new_slot,
						 .done = done,
						 .context = context};

	if (side >= SG_SIDES || slot >= SG_PATHS ||
	    (stream->installed && !stream->place[side][slot].used))
		return -ENOENT;
	path_spec(stream->media, path, &spec);
	return media_op_start(stream, &request);
}

int media_join(struct media_stream *stream, enum sg_side side, const struct media_path *path,
	       unsigned *slot, media_done_fn *done, void *context)
{
	struct sg_path_spec spec;
	const struct media_op_request request = {.kind = MEDIA_OP_JOIN,
						 .path = &spec,
						 .side = side,
						 .out = slot,
						 .done = done,
						 .context = context};

	if (side >= SG_SIDES)
		return -EINVAL;
	path_spec(stream->media, path, &spec);
	return media_op_start(stream, &request);
}

int media_leave(struct media_stream *stream, enum sg_side side, unsigned slot)
{
	int relay_slot = media_stream_slot(stream, side, slot), ret;

	if (relay_slot < 0)
		return relay_slot;
	ret = sg_path_remove(stream->media->relay, stream->number, side, (unsigned)relay_slot,
			     NULL);
	if (ret)
		return ret;
	media_past_add(stream, side, slot, (unsigned)relay_slot);
	media_rest(stream->media, &stream->place[side][slot].local);
	stream->place[side][slot].used = false;
	return 0;
}

int media_path_set(struct media_stream *stream, enum sg_side side, unsigned slot, bool send,
		   bool listen, bool active)
{
	const struct sg_path_change change = {
		.send = send ? SG_ON : SG_OFF,
		.listen = listen ? SG_ON : SG_OFF,
		.active = active,
	};
	int relay_slot = media_stream_slot(stream, side, slot);

	if (relay_slot < 0)
		return relay_slot;
	return sg_path_set(stream->media->relay, stream->number, side, (unsigned)relay_slot,
			   &change, NULL);
}

/* ---- looking -------------------------------------------------------------------------------- */

void media_watch(struct media_stream *stream, media_event_fn *fn, void *context)
{
	stream->fn = fn;
	stream->context = context;
}

int media_info(struct media_stream *stream, struct sg_stream_info *out)
{
	int ret = stream->installed ? sg_stream_info(stream->media->relay, stream->number, out)
				    : -EAGAIN;

	for (size_t i = 0; !ret && i < out->paths; i++) {
		struct sg_path_info *path = &out->path[i];
		int place = path->state == SG_PATH_LIVE
				    ? media_stream_place(stream, path->side, path->slot)
				    : -ENOENT;

		path->slot = place < 0 ? SG_PATH_SLOTS : (unsigned)place;
	}
	return ret;
}

int media_find_path(struct media_stream *stream, enum sg_side side, const struct netaddr *local,
		    unsigned *slot)
{
	for (unsigned i = 0; side < SG_SIDES && i < SG_PATHS; i++) {
		const struct media_place *place = &stream->place[side][i];

		if (!place->used || place->local.port != local->port ||
		    memcmp(place->local.addr, local->addr, sizeof(local->addr)) != 0)
			continue;
		*slot = i;
		return 0;
	}
	return -ENOENT;
}

const char *media_name(const struct media_stream *stream)
{
	return stream->name;
}

uint32_t media_number(const struct media_stream *stream)
{
	return stream->number;
}
