// SPDX-License-Identifier: BSD-2-Clause
#include "fake_media.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void fake_media_init(struct media *media)
{
	memset(media, 0, sizeof(*media));
	media->ports = 1000;
	media->next_port = 30000;
}

void fake_media_tell(struct media *media)
{
	media->story[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static void tell(struct media *media, const char *format, ...)
{
	size_t used = strlen(media->story);
	va_list list;

	va_start(list, format);
	vsnprintf(media->story + used, sizeof(media->story) - used, format, list);
	va_end(list);
}

unsigned fake_media_streams(const struct media *media)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_STREAMS; i++)
		count += media->stream[i].used;
	return count;
}

struct media_stream *fake_media_only(struct media *media)
{
	struct media_stream *only = NULL;

	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		if (!media->stream[i].used)
			continue;
		if (only)
			return NULL;
		only = &media->stream[i];
	}
	return only;
}

static int soon(struct media_stream *stream, media_done_fn *done, void *context)
{
	if (!stream->media->slow)
		return 0;
	stream->done = done;
	stream->context = context;
	return -EINPROGRESS;
}

unsigned fake_media_finish(struct media *media, int result)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		struct media_stream *stream = &media->stream[i];
		media_done_fn *done = stream->done;

		if (!stream->used || !done)
			continue;
		stream->done = NULL;
		count++;
		done(stream->context, result);
	}
	return count;
}

/* ---- ports ------------------------------------------------------------------------------------
 */

int media_reserve(struct media *media, const struct netaddr *towards, struct netaddr *local)
{
	bool ipv4 = netaddr_is_ipv4(towards);

	if (!ipv4 && media->no_ipv6)
		return -EAFNOSUPPORT;
	if (!media->ports)
		return -ENOSPC;
	media->ports--;
	media->reserved++;
	if (netaddr_parse_host(local, ipv4 ? STR("192.0.2.1") : STR("2001:db8::1"),
			       media->next_port))
		return -EINVAL;
	media->next_port = (uint16_t)(media->next_port + 2);
	return 0;
}

/* The port is a stream's from now on, whatever becomes of it. */
static void take(struct media *media, const struct netaddr *local)
{
	media->reserved--;
	media->taken[local->port] = true;
}

void media_release(struct media *media, const struct netaddr *local)
{
	if (media->taken[local->port])
		return;
	media->ports++;
	media->reserved--;
}

bool media_has_family(const struct media *media, bool ipv4)
{
	return ipv4 || !media->no_ipv6;
}

/* ---- streams ----------------------------------------------------------------------------------
 */

static const char *const directions[] = {"none", "a-to-b", "b-to-a", "both"};

int media_install(struct media *media, const struct media_spec *spec, media_done_fn *done,
		  void *context, struct media_stream **out)
{
	for (unsigned i = 0; !media->refuse && i < FAKE_STREAMS; i++) {
		struct media_stream *stream = &media->stream[i];

		if (stream->used)
			continue;
		*stream = (struct media_stream){.media = media, .used = true, .number = i};
		snprintf(stream->name, sizeof(stream->name), "%s", spec->name);
		stream->path[SG_SIDE_A] = spec->side[SG_SIDE_A];
		stream->path[SG_SIDE_B] = spec->side[SG_SIDE_B];
		stream->mux = spec->rtcp_mux;
		stream->opaque = spec->opaque;
		stream->direction = spec->direction;
		stream->created_ns = now_ns();
		take(media, &spec->side[SG_SIDE_A].local);
		take(media, &spec->side[SG_SIDE_B].local);
		*out = stream;
		tell(media, "install %s%s; ", spec->opaque ? "opaque " : "",
		     directions[spec->direction]);
		return soon(stream, done, context);
	}
	return media->refuse ? media->refuse : -ENOSPC;
}

void media_remove(struct media_stream *stream)
{
	if (!stream)
		return;
	tell(stream->media, "remove; ");
	stream->media->ports += 2;
	stream->used = false;
	stream->done = NULL;
}

void media_watch(struct media_stream *stream, media_event_fn *fn, void *context)
{
	stream->event = fn;
	stream->event_context = context;
}

void fake_media_report(struct media_stream *stream, enum media_event_kind kind, enum sg_side side,
		       unsigned slot)
{
	const struct media_event event = {kind, side, slot, now_ns(), stream};

	assert(stream->event);
	stream->event(stream->event_context, &event);
}

int media_set_direction(struct media_stream *stream, enum sg_direction direction)
{
	tell(stream->media, "direction %s; ", directions[direction]);
	stream->direction = direction;
	return 0;
}

int media_set_opaque(struct media_stream *stream, bool opaque)
{
	if (stream->opaque != opaque)
		tell(stream->media, opaque ? "opaque; " : "RTP; ");
	stream->opaque = opaque;
	return 0;
}

int media_move(struct media_stream *stream, enum sg_side side, unsigned slot,
	       const struct media_path *path, unsigned *new_slot, media_done_fn *done,
	       void *context)
{
	char text[NETADDR_STRLEN];

	if (stream->media->refuse)
		return stream->media->refuse;
	if (stream->media->refuse_b && side == SG_SIDE_B)
		return stream->media->refuse_b;
	if (slot != stream->slot[side])
		return -ENOENT;
	if (!netaddr_eq(&stream->path[side].local, &path->local))
		take(stream->media, &path->local);
	stream->path[side] = *path;
	*new_slot = stream->slot[side] = slot + 1;
	tell(stream->media, "move %c to %s; ", side == SG_SIDE_A ? 'a' : 'b',
	     netaddr_format(&path->remote, text));
	return soon(stream, done, context);
}

int media_join(struct media_stream *stream, enum sg_side side, const struct media_path *path,
	       unsigned *slot, media_done_fn *done, void *context)
{
	char text[NETADDR_STRLEN];

	tell(stream->media, "join %c to %s; ", side == SG_SIDE_A ? 'a' : 'b',
	     netaddr_format(&path->remote, text));
	take(stream->media, &path->local);
	stream->has_joined[side] = true;
	stream->joined[side] = *path;
	*slot = stream->slot[side] + 1;
	return soon(stream, done, context);
}

int media_leave(struct media_stream *stream, enum sg_side side, unsigned slot)
{
	tell(stream->media, "leave %c %u; ", side == SG_SIDE_A ? 'a' : 'b', slot);
	return 0;
}

int media_path_set(struct media_stream *stream, enum sg_side side, unsigned slot, bool send,
		   bool listen, bool active)
{
	tell(stream->media, "set %c %u %d%d%d; ", side == SG_SIDE_A ? 'a' : 'b', slot, send, listen,
	     active);
	return 0;
}

static void describe_path(struct sg_path_info *out, enum sg_side side,
			  const struct media_path *path, uint64_t last_ns)
{
	out->side = side;
	out->state = SG_PATH_LIVE;
	out->packets = 100 * (side + 1u);
	out->octets = 17200 * (side + 1u);
	out->last_packet_ns = last_ns;
	memcpy(out->local.addr, path->local.addr, sizeof(out->local.addr));
	out->local.port = path->local.port;
	memcpy(out->remote.addr, path->remote.addr, sizeof(out->remote.addr));
	out->remote.port = path->remote.port;
}

int media_info(struct media_stream *stream, struct sg_stream_info *out)
{
	memset(out, 0, sizeof(*out));
	out->created_ns = stream->created_ns;
	for (unsigned i = 0; i < SG_SIDES; i++) {
		describe_path(&out->path[out->paths++], (enum sg_side)i, &stream->path[i],
			      stream->last_packet_ns);
		if (stream->has_joined[i])
			describe_path(&out->path[out->paths++], (enum sg_side)i, &stream->joined[i],
				      stream->joined_ns[i]);
	}
	return 0;
}

size_t media_past(struct media_stream *stream, struct sg_path_info *out, size_t room)
{
	(void)stream;
	(void)out;
	(void)room;
	return 0;
}

const char *media_name(const struct media_stream *stream)
{
	return stream->name;
}

uint32_t media_number(const struct media_stream *stream)
{
	return stream->number;
}

int media_adopt(struct media *media, const char *name, struct media_stream **out)
{
	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		if (media->stream[i].used && !strcmp(media->stream[i].name, name)) {
			*out = &media->stream[i];
			return 0;
		}
	}
	return -ENOENT;
}

int media_collect(struct media *media)
{
	(void)media;
	return 0;
}
