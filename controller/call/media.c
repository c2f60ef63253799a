// SPDX-License-Identifier: BSD-2-Clause
#include "call/media.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"
#include "call/media_internal.h"
#include "call/media_links.h"

#define REST_MARGIN_MS 1000u /* the relay's rests end on whole seconds */
#define SHORT_REST_NS 1000000000ull

/* ---- ports ---------------------------------------------------------------------------------- */

uint64_t media_drain_ms(struct media *media)
{
	struct sg_meta meta = {.drain_ns = SG_DRAIN_NS_DEFAULT};

	sg_relay_meta(media->relay, &meta);
	return meta.drain_ns / 1000000;
}

/* How long a port that leaves use may not come back: it may have a drain before its rest. */
static uint64_t rest_ms(struct media *media)
{
	struct sg_meta meta = {.rest_ns = SG_REST_NS_DEFAULT, .drain_ns = SG_DRAIN_NS_DEFAULT};

	sg_relay_meta(media->relay, &meta);
	return (meta.rest_ns + meta.drain_ns) / 1000000 + REST_MARGIN_MS;
}

void media_rest(struct media *media, const struct sg_endpoint *local)
{
	struct media_address *address = media_source_find(media->source, local->addr);

	if (address)
		portpool_rest(address->pool, local->port, wheel_now_ms() + rest_ms(media));
}

bool media_is_reserved(struct media *media, const struct sg_endpoint *local)
{
	struct media_address *address = media_source_find(media->source, local->addr);

	return address && portpool_is_reserved(address->pool, local->port);
}

void media_hold(struct media *media, const struct sg_endpoint *local)
{
	struct media_address *address = media_source_find(media->source, local->addr);

	if (address)
		portpool_hold(address->pool, local->port);
}

/* Somebody else's stream may use ports of our range (`segue stream add`): not to be offered. 0 if
 * nobody does, else when to ask again. */
static uint64_t busy_until(struct media *media, const struct sg_endpoint *local, uint64_t now_ms)
{
	uint64_t until = 0;

	for (uint16_t i = 0; i < 2; i++) {
		struct sg_endpoint at = *local;
		struct sg_port_info port;
		uint64_t left;

		at.port = (uint16_t)(at.port + i);
		if (!sg_port_get(media->relay, &at, &port))
			continue;
		left = now_ms + (port.resting ? port.rest_left_ms : rest_ms(media));
		until = left > until ? left : until;
	}
	return until;
}

int media_reserve(struct media *media, const struct netaddr *towards, struct netaddr *local)
{
	uint64_t now_ms = wheel_now_ms();
	struct media_address *address = media_source_towards(media->source, towards, now_ms);
	struct sg_endpoint at;

	if (!address)
		return -EAFNOSUPPORT;
	media_endpoint(&at, &address->at);
	for (;;) { /* each turn takes a port out of the free ones */
		uint64_t busy;
		int ret = portpool_reserve(address->pool, now_ms, &at.port);

		if (ret)
			return ret;
		busy = busy_until(media, &at, now_ms);
		if (!busy)
			break;
		portpool_rest(address->pool, at.port, busy > now_ms ? busy : now_ms + 1);
	}
	*local = address->at;
	local->port = at.port;
	return 0;
}

void media_release(struct media *media, const struct netaddr *local)
{
	struct media_address *address = media_source_find(media->source, local->addr);

	if (address)
		portpool_release(address->pool, local->port);
}

bool media_has_family(const struct media *media, bool ipv4)
{
	return media_source_has(media->source, ipv4);
}

size_t media_ports_free(const struct media *media)
{
	uint64_t now_ms = wheel_now_ms();
	size_t count = 0;

	for (unsigned i = 0; i < media->source->count; i++)
		count += portpool_count_free(media->source->address[i].pool, now_ms);
	return count;
}

/* ---- after a restart ------------------------------------------------------------------------ */

/* "CALL.N": what media_install() is given for a call's m= line N. */
static bool is_named_like_ours(const char *name)
{
	const char *dot = strrchr(name, '.'), *at;

	if (!dot || dot == name || !dot[1])
		return false;
	for (at = dot + 1; *at; at++) {
		if (!isdigit((unsigned char)*at))
			return false;
	}
	return true;
}

/* Ours are held until they are adopted or collected. Others' are asked for again after a rest. */
static void seed_port(struct media *media, const struct sg_port_info *port, bool ours,
		      uint64_t now_ms)
{
	struct media_address *address = media_source_find(media->source, port->local.addr);

	if (!address)
		return;
	if (ours)
		portpool_seed_held(address->pool, port->local.port);
	else
		portpool_seed_resting(
			address->pool, port->local.port,
			now_ms + (port->resting ? port->rest_left_ms : rest_ms(media)));
}

static int open_ports(struct media *media)
{
	uint8_t *ours = calloc(media->capacity, 1);
	uint64_t now_ms = wheel_now_ms(), random;
	struct sg_stream_info stream;
	struct sg_port_info port;

	if (!ours)
		return -ENOMEM;
	for (uint32_t i = 0; sg_stream_next(media->relay, &i); i++) {
		if (!sg_stream_info(media->relay, i, &stream))
			ours[i] = is_named_like_ours(stream.name);
	}
	for (uint32_t cursor = 0; sg_port_next(media->relay, &cursor, &port);)
		seed_port(media, &port, !port.resting && ours[port.stream], now_ms);
	free(ours);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	for (unsigned i = 0; i < media->source->count; i++)
		portpool_open(media->source->address[i].pool, random + i);
	return 0;
}

static void adopt_path(struct media_stream *stream, const struct sg_path_info *path, bool mux)
{
	uint16_t muxed = (uint16_t)(path->remote.port + 1); /* as media_rtcp_port() has it */
	struct media_place *place = stream->place[path->side];

	for (unsigned i = 0; i < SG_PATHS; i++) {
		if (place[i].used)
			continue;
		place[i] = (struct media_place){.used = true,
						.spoke = path->packets > 0,
						.down = !path->nexthop_usable,
						.local = path->local,
						.remote = path->remote,
						.remote_rtcp_port =
							mux ? muxed : path->remote_rtcp_port};
		return;
	}
}

/* The ports of paths that leave, unless a path that stays has them too. */
static void rest_draining(struct media *media, const struct sg_stream_info *info)
{
	for (size_t i = 0; i < info->paths; i++) {
		bool stays = info->path[i].state == SG_PATH_LIVE;

		for (size_t k = 0; k < info->paths && !stays; k++)
			stays = info->path[k].state == SG_PATH_LIVE &&
				info->path[k].local.port == info->path[i].local.port &&
				!memcmp(info->path[k].local.addr, info->path[i].local.addr, 16);
		if (!stays)
			media_rest(media, &info->path[i].local);
	}
}

int media_adopt(struct media *media, const char *name, struct media_stream **out)
{
	struct sg_stream_info info;
	struct media_stream *stream;
	uint32_t number;
	int ret = sg_stream_find(media->relay, name, &number);

	if (!ret)
		ret = sg_stream_info(media->relay, number, &info);
	if (!ret && media->by_number[number])
		ret = -EEXIST;
	if (ret)
		return ret;
	stream = media_stream_new(media, name);
	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < info.paths; i++) {
		if (info.path[i].state == SG_PATH_LIVE)
			adopt_path(stream, &info.path[i], info.rtcp_mux);
	}
	stream->opaque = info.opaque;
	rest_draining(media, &info);
	media_stream_enter(stream, number);
	*out = stream;
	return 0;
}

int media_collect(struct media *media)
{
	struct sg_stream_info info;
	struct sg_error why;
	int count = 0;

	for (uint32_t i = 0; sg_stream_next(media->relay, &i); i++) {
		if (media->by_number[i] || sg_stream_info(media->relay, i, &info) ||
		    !is_named_like_ours(info.name))
			continue;
		if (sg_stream_remove(media->relay, i, &why)) {
			log_warning(media->log, NULL, "media: collecting %s: %s", info.name,
				    why.text);
			continue;
		}
		for (size_t k = 0; k < info.paths; k++)
			media_rest(media, &info.path[k].local);
		count++;
	}
	return count;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void on_links(void *context)
{
	struct media *media = context;

	media_source_refresh(media->source);
	media_attach_again(media->attach);
}

/* Tests and measurements cannot wait for 32 s; sg_relay_tune() allows it under the same name. */
static int shorten_rests(struct media *media, struct sg_error *why)
{
	const struct sg_tunables tunables = {.rest_ns = SHORT_REST_NS};
	const char *value = getenv("SEGUE_SHORT_TIMES");

	return value && !strcmp(value, "1") ? sg_relay_tune(media->relay, &tunables, why) : 0;
}

static int open_relay(struct media *media, struct error *err)
{
	const struct sg_relay_options options = {.capacity = media->config->stream_capacity,
						 .flags = SG_OPEN_CREATE | SG_OPEN_RESIDENT};
	struct sg_error why = {"the relay's maps say nothing of themselves"};
	struct sg_meta meta;
	int ret = sg_relay_open(&media->relay, &options, &why);

	if (!ret)
		ret = shorten_rests(media, &why);
	if (!ret)
		ret = sg_relay_meta(media->relay, &meta);
	if (ret)
		return error_set(err, ret, "%s", why.text);
	media->capacity = meta.capacity;
	media->by_number = calloc(media->capacity, sizeof(*media->by_number));
	return media->by_number ? 0 : error_set(err, -ENOMEM, "no memory for streams");
}

static int open_all(struct media *media, struct error *err)
{
	int ret = media_source_alloc(&media->source, media->config, err);

	if (!ret)
		ret = open_relay(media, err);
	if (!ret)
		ret = media_attach_alloc(&media->attach, media, err);
	if (!ret)
		ret = media_watch_alloc(&media->watch, media, err);
	if (!ret)
		ret = media_links_alloc(&media->links, media->base, media->wheel, on_links, media,
					err);
	if (ret)
		return ret;
	ret = open_ports(media);
	return ret ? error_set(err, ret, "media ports: %s", strerror(-ret)) : 0;
}

int media_alloc(struct media **out, struct event_base *base, struct wheel *wheel, struct log *log,
		const struct config *config, struct error *err)
{
	struct media *media = calloc(1, sizeof(*media));
	int ret;

	if (!media)
		return error_set(err, -ENOMEM, "no memory for media");
	media->base = base;
	media->wheel = wheel;
	media->log = log;
	media->config = config;
	list_init(&media->streams);
	ret = open_all(media, err);
	if (ret) {
		media_free(media);
		return ret;
	}
	*out = media;
	return 0;
}

void media_free(struct media *media)
{
	if (!media)
		return;
	while (!list_empty(&media->streams))
		media_stream_forget(container_of(media->streams.next, struct media_stream, node));
	media_links_free(media->links);
	media_watch_free(media->watch);
	media_attach_free(media->attach);
	if (media->relay)
		sg_relay_close(media->relay);
	media_source_free(media->source);
	free(media->by_number);
	free(media);
}
