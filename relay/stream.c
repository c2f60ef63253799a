/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams come and go in the order that DESIGN calls "map first": everything that can refuse is
 * checked, then slot with a closed route, ports, and last the route; on removal the reverse.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "index.h"
#include "internal.h"

#define CLOCK_HZ_DEFAULT 8000u
#define TICK_Q8(hz) ((uint32_t)(1000000000ull * 256 / (hz)))

bool sg_stream_is_open(const struct sg_relay *relay, uint32_t stream)
{
	return stream < relay->capacity && relay->record[stream].state == SG_STREAM_OPEN &&
	       relay->stream[stream].route;
}

/* ---- adding --------------------------------------------------------------------------------- */

static int check_name(const struct sg_relay *relay, const char *name, struct sg_error *err)
{
	size_t length = name ? strlen(name) : 0;

	if (!length || length >= SG_NAME_LEN)
		return sg_fail(err, -EINVAL, "a stream's name has 1 to %u characters, this one %zu",
			       SG_NAME_LEN - 1, length);
	for (size_t i = 0; i < length; i++) {
		if (!isgraph((unsigned char)name[i]))
			return sg_fail(
				err, -EINVAL,
				"character %zu of the stream's name is a blank or not printable",
				i + 1);
	}
	if (sg_index_find(relay, name) >= 0)
		return sg_fail(err, -EEXIST,
			       "a stream named '%s' exists: delete it or use another name", name);
	return 0;
}

static bool same_port(const struct sg_path_plan *a, const struct sg_path_plan *b)
{
	for (unsigned i = 0; i < SG_COMPONENTS; i++) {
		for (unsigned k = 0; k < SG_COMPONENTS; k++) {
			if (!memcmp(a->local[i].addr, b->local[k].addr, sizeof(b->local[k].addr)) &&
			    a->local[i].port == b->local[k].port)
				return true;
		}
	}
	return false;
}

static int plan_sides(struct sg_relay *relay, const struct sg_stream_spec *spec,
		      struct sg_path_plan plan[SG_SIDES], struct sg_error *err)
{
	char text[SG_ENDPOINT_STRLEN];
	int ret = sg_path_plan(relay, &plan[SG_SIDE_A], UINT32_MAX, SG_SIDE_A,
			       &spec->side[SG_SIDE_A], spec->rtcp_mux, err);

	if (ret)
		return ret;
	ret = sg_path_plan(relay, &plan[SG_SIDE_B], UINT32_MAX, SG_SIDE_B, &spec->side[SG_SIDE_B],
			   spec->rtcp_mux, err);
	if (ret) {
		sg_path_plan_drop(relay, &plan[SG_SIDE_A]);
		return ret;
	}
	if (!same_port(&plan[SG_SIDE_A], &plan[SG_SIDE_B]))
		return 0;
	sg_path_plan_drop(relay, &plan[SG_SIDE_A]);
	sg_path_plan_drop(relay, &plan[SG_SIDE_B]);
	return sg_fail(err, -EINVAL,
		       "both sides would use a port of %s: RTP and RTCP of each side "
		       "need ports of their own",
		       sg_endpoint_format(&spec->side[SG_SIDE_B].local, text));
}

static uint64_t direction_bits(enum sg_direction direction)
{
	return (direction & SG_DIRECTION_A_TO_B ? SG_ROUTE_OPEN_AB : 0) |
	       (direction & SG_DIRECTION_B_TO_A ? SG_ROUTE_OPEN_BA : 0);
}

static void install(struct sg_relay *relay, uint32_t stream, const struct sg_stream_spec *spec,
		    const struct sg_path_plan plan[SG_SIDES])
{
	struct sg_stream *s = &relay->stream[stream];
	struct sg_record *record = &relay->record[stream];

	s->route = 0;
	s->generation++;
	s->flags = (uint16_t)((spec->rtcp_mux ? SG_STREAM_MUX : 0) |
			      (spec->opaque ? SG_STREAM_OPAQUE : 0));
	s->tick_q8 = TICK_Q8(spec->clock_hz ? spec->clock_hz : CLOCK_HZ_DEFAULT);
	record->rest_until_ns = 0;
	record->created_ns = sg_now_ns();
	strncpy(record->name, spec->name, SG_NAME_LEN - 1);
	__atomic_store_n(&record->state, SG_STREAM_INSTALLING, __ATOMIC_RELEASE);
	sg_stat_clear(relay, stream);
	for (uint32_t side = 0; side < SG_SIDES; side++)
		sg_path_install(relay, stream, side, 0, &plan[side]);
	/* Path 0 of both sides: sent to, listened to, active. */
	sg_route_store(relay, stream, 0x01010101ull | direction_bits(spec->direction));
	__atomic_store_n(&record->state, SG_STREAM_OPEN, __ATOMIC_RELEASE);
	sg_index_add_name(relay, stream);
}

static int add(struct sg_relay *relay, const struct sg_stream_spec *spec, uint32_t *stream,
	       struct sg_error *err)
{
	struct sg_path_plan plan[SG_SIDES];
	int64_t slot;
	int ret = check_name(relay, spec->name, err);

	if (!ret && spec->clock_hz > 1000000)
		ret = sg_fail(err, -EINVAL, "an RTP clock of %u Hz: at most 1000000",
			      spec->clock_hz);
	if (!ret)
		ret = plan_sides(relay, spec, plan, err);
	if (ret)
		return ret;
	slot = sg_index_take_slot(relay);
	if (slot < 0) {
		sg_path_plan_drop(relay, &plan[SG_SIDE_A]);
		sg_path_plan_drop(relay, &plan[SG_SIDE_B]);
		return sg_fail(err, -ENOSPC,
			       "all %u stream slots are in use or resting: attach with a greater "
			       "--capacity, or wait",
			       relay->capacity);
	}
	install(relay, (uint32_t)slot, spec, plan);
	if (stream)
		*stream = (uint32_t)slot;
	return 0;
}

static int try_add(struct sg_relay *relay, const struct sg_stream_spec *spec, uint32_t *stream,
		   struct sg_error *err)
{
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	return sg_change_end(relay, add(relay, spec, stream, err));
}

/* With SG_RESOLVE_NOWAIT the second side is asked although the first has not answered. */
static int resolve_sides(struct sg_relay *relay, const struct sg_stream_spec *spec,
			 struct sg_error *err)
{
	int result = 0;

	for (uint32_t side = 0; side < SG_SIDES; side++) {
		int ret = sg_path_resolve(relay, &spec->side[side], spec->resolve_ms, err);

		if (ret && ret != -EINPROGRESS)
			return ret;
		result = ret ? ret : result;
	}
	return result;
}

int sg_stream_add(struct sg_relay *relay, const struct sg_stream_spec *spec, uint32_t *stream,
		  struct sg_error *err)
{
	int ret = try_add(relay, spec, stream, err);

	if (ret != -EINPROGRESS)
		return ret;
	ret = resolve_sides(relay, spec, err);
	return ret ? ret : try_add(relay, spec, stream, err);
}

/* ---- removing and changing ------------------------------------------------------------------ */

static void remove_open(struct sg_relay *relay, uint32_t stream)
{
	struct sg_record *record = &relay->record[stream];
	struct sg_job rested = {sg_now_ns() + relay->meta->rest_ns, SG_JOB_STREAM_RESTED, stream, 0,
				0};

	__atomic_store_n((uint64_t *)&relay->stream[stream].route, 0, __ATOMIC_RELEASE);
	sg_index_remove_name(relay, stream);
	for (uint32_t i = 0; i < SG_SIDES * SG_PATH_SLOTS; i++) {
		struct sg_path *path = sg_path_at(relay, stream, i % SG_SIDES, i / SG_SIDES);

		if (path->state != SG_PATH_LIVE && path->state != SG_PATH_DRAINING)
			continue;
		/* Out of the side first, so that no path of the stream inherits its ports. */
		__atomic_store_n(&path->state, SG_PATH_RESTING, __ATOMIC_RELEASE);
		path->until_ns = rested.due_ns;
		sg_path_rest_ports(relay, stream, i % SG_SIDES, i / SG_SIDES, rested.due_ns);
	}
	record->rest_until_ns = rested.due_ns;
	__atomic_store_n(&record->state, SG_STREAM_RESTING, __ATOMIC_RELEASE);
	sg_index_schedule(relay, &rested);
}

int sg_stream_remove(struct sg_relay *relay, uint32_t stream, struct sg_error *err)
{
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	if (!sg_stream_is_open(relay, stream))
		ret = sg_fail(err, -ENOENT, "no stream %u", stream);
	else
		ret = sg_index_reserve(relay, 2 * SG_SIDES * SG_PATH_SLOTS + 1, err);
	if (!ret)
		remove_open(relay, stream);
	return sg_change_end(relay, ret);
}

int sg_stream_set_direction(struct sg_relay *relay, uint32_t stream, enum sg_direction direction,
			    struct sg_error *err)
{
	uint64_t open = SG_ROUTE_OPEN_AB | SG_ROUTE_OPEN_BA;
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	if (!sg_stream_is_open(relay, stream))
		ret = sg_fail(err, -ENOENT, "no stream %u", stream);
	else
		sg_route_store(relay, stream,
			       (relay->stream[stream].route & ~open) | direction_bits(direction));
	return sg_change_end(relay, ret);
}

int sg_stream_set_opaque(struct sg_relay *relay, uint32_t stream, bool opaque, struct sg_error *err)
{
	unsigned flag = opaque ? SG_STREAM_OPAQUE : 0;
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	if (!sg_stream_is_open(relay, stream))
		return sg_change_end(relay, sg_fail(err, -ENOENT, "no stream %u", stream));
	relay->stream[stream].flags =
		(uint16_t)((relay->stream[stream].flags & ~SG_STREAM_OPAQUE) | flag);
	for (uint32_t i = 0; i < SG_SIDES * SG_PATH_SLOTS; i++) {
		if (sg_path_at(relay, stream, i % SG_SIDES, i / SG_SIDES)->state == SG_PATH_LIVE)
			sg_path_point_ports(relay, stream, i % SG_SIDES, i / SG_SIDES);
	}
	return sg_change_end(relay, 0);
}

/* ---- reading -------------------------------------------------------------------------------- */

bool sg_stream_next(struct sg_relay *relay, uint32_t *stream)
{
	uint32_t high = relay->meta->stream_high;

	for (; *stream < high; (*stream)++) {
		if (sg_stream_is_open(relay, *stream))
			return true;
	}
	return false;
}

int sg_stream_find(struct sg_relay *relay, const char *name, uint32_t *stream)
{
	/* Readers have no view of their own: one look needs none. */
	for (*stream = 0; relay->read_only && sg_stream_next(relay, stream); (*stream)++) {
		if (!strncmp(relay->record[*stream].name, name, SG_NAME_LEN))
			return 0;
	}
	if (!relay->read_only && !sg_index_sync(relay, NULL)) {
		int64_t found = sg_index_find(relay, name);

		*stream = (uint32_t)found;
		return found < 0 ? -ENOENT : 0;
	}
	return -ENOENT;
}

size_t sg_stream_count(struct sg_relay *relay)
{
	size_t count = 0;

	for (uint32_t stream = 0; sg_stream_next(relay, &stream); stream++)
		count++;
	return count;
}

static void describe_path(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
			  uint64_t route, struct sg_path_info *out)
{
	const struct sg_path *path = sg_path_at(relay, stream, side, slot);
	const struct sg_hop *hop = sg_nexthop_hop(relay, path->nexthop);

	memset(out, 0, sizeof(*out));
	out->side = (enum sg_side)side;
	out->slot = slot;
	out->state = (enum sg_path_state)path->state;
	out->send = sg_route_send(route, side) & 1u << slot;
	out->listen = sg_route_listen(route, side) & 1u << slot;
	out->active = sg_route_active(route, side) == slot;
	memcpy(out->local.addr, path->local, sizeof(out->local.addr));
	memcpy(out->remote.addr, path->remote, sizeof(out->remote.addr));
	out->local.port = ntohs(path->local_port[SG_RTP]);
	out->remote.port = ntohs(path->remote_port[SG_RTP]);
	out->local_rtcp_port = ntohs(path->local_port[SG_RTCP]);
	out->remote_rtcp_port = ntohs(path->remote_port[SG_RTCP]);
	out->dscp = path->flags & SG_PATH_KEEP_DSCP ? SG_DSCP_KEEP : path->dscp;
	out->learn = path->flags & SG_PATH_LEARN;
	out->nexthop = path->nexthop;
	out->nexthop_usable = hop && hop->flags & SG_NEXTHOP_USABLE;
	out->mtu = hop ? hop->mtu : 0;
	if (path->mtu && (!out->mtu || path->mtu < out->mtu))
		out->mtu = path->mtu;
	sg_path_read_stat(relay, stream, side, slot, out);
}

int sg_stream_info(struct sg_relay *relay, uint32_t stream, struct sg_stream_info *out)
{
	const struct sg_stream *s = &relay->stream[stream];

	if (!sg_stream_is_open(relay, stream))
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->stream = stream;
	out->generation = s->generation;
	memcpy(out->name, relay->record[stream].name, SG_NAME_LEN - 1);
	out->route = __atomic_load_n(&s->route, __ATOMIC_ACQUIRE);
	out->direction = (enum sg_direction)((sg_route_open(out->route, SG_SIDE_A) ? 1 : 0) |
					     (sg_route_open(out->route, SG_SIDE_B) ? 2 : 0));
	out->rtcp_mux = s->flags & SG_STREAM_MUX;
	out->opaque = s->flags & SG_STREAM_OPAQUE;
	out->clock_hz =
		s->tick_q8 ? (uint32_t)((1000000000ull * 256 + s->tick_q8 / 2) / s->tick_q8) : 0;
	out->created_ns = relay->record[stream].created_ns;
	for (uint32_t side = 0; side < SG_SIDES; side++) {
		for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
			uint8_t state = sg_path_at(relay, stream, side, slot)->state;

			if (state == SG_PATH_LIVE || state == SG_PATH_DRAINING)
				describe_path(relay, stream, side, slot, out->route,
					      &out->path[out->paths++]);
		}
	}
	return 0;
}
