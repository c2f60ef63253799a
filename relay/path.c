/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths join, leave, move and change their part in the route. */
#include <errno.h>
#include <string.h>

#include "index.h"
#include "internal.h"

static char side_letter(uint32_t side)
{
	return side ? 'b' : 'a';
}

static void begin_drain(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	struct sg_path *path = sg_path_at(relay, stream, side, slot);
	struct sg_job drained = {sg_now_ns() + relay->meta->drain_ns, SG_JOB_PATH_DRAINED, stream,
				 side, slot};

	path->until_ns = drained.due_ns;
	__atomic_store_n(&path->state, SG_PATH_DRAINING, __ATOMIC_RELEASE);
	sg_index_schedule(relay, &drained);
}

static unsigned live_paths(struct sg_relay *relay, uint32_t stream, uint32_t side)
{
	unsigned count = 0;

	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++)
		count += sg_path_at(relay, stream, side, slot)->state == SG_PATH_LIVE;
	return count;
}

static int free_slot(struct sg_relay *relay, uint32_t stream, uint32_t side, struct sg_error *err)
{
	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
		if (sg_path_at(relay, stream, side, slot)->state == SG_PATH_FREE)
			return (int)slot;
	}
	return sg_fail(err, -EAGAIN,
		       "side %c of '%s': every path slot is in use, draining or resting; try again "
		       "in a second",
		       side_letter(side), relay->record[stream].name);
}

/* ---- checks of a request -------------------------------------------------------------------- */

static int check_stream(const struct sg_relay *relay, uint32_t stream, enum sg_side side,
			struct sg_error *err)
{
	if (!sg_stream_is_open(relay, stream))
		return sg_fail(err, -ENOENT, "no stream %u", stream);
	if (side != SG_SIDE_A && side != SG_SIDE_B)
		return sg_fail(err, -EINVAL, "side %d: a stream has sides a and b", (int)side);
	return 0;
}

static int check_live(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		      struct sg_error *err)
{
	int ret = check_stream(relay, stream, side, err);

	if (ret)
		return ret;
	if (slot >= SG_PATH_SLOTS || sg_path_at(relay, stream, side, slot)->state != SG_PATH_LIVE)
		return sg_fail(err, -ENOENT, "side %c of '%s' has no live path %u",
			       side_letter(side), relay->record[stream].name, slot);
	return 0;
}

/* Two paths of a side with the same two endpoints could not be told apart. */
static int check_distinct(struct sg_relay *relay, uint32_t stream, uint32_t side,
			  const struct sg_path_plan *plan, struct sg_error *err)
{
	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
		const struct sg_path *path = sg_path_at(relay, stream, side, slot);

		if (path->state != SG_PATH_LIVE ||
		    memcmp(path->local, plan->path.local, sizeof(path->local)) != 0 ||
		    memcmp(path->remote, plan->path.remote, sizeof(path->remote)) != 0 ||
		    path->local_port[SG_RTP] != plan->path.local_port[SG_RTP] ||
		    path->remote_port[SG_RTP] != plan->path.remote_port[SG_RTP])
			continue;
		return sg_fail(err, -EEXIST,
			       "path %u of side %c of '%s' has these endpoints already", slot,
			       side_letter(side), relay->record[stream].name);
	}
	return 0;
}

/* Device maps for the paths that a side is to be sent to: those of `send`, and one more if not 0.
 */
static int ensure_fanout(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t send,
			 uint16_t added, struct sg_error *err)
{
	uint16_t nexthop[SG_PATH_SLOTS + 1];
	unsigned count = 0;

	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
		if (send & 1u << slot)
			nexthop[count++] = sg_path_at(relay, stream, side, slot)->nexthop;
	}
	if (added)
		nexthop[count++] = added;
	if (count > SG_PATHS)
		return sg_fail(err, -ENOSPC,
			       "side %c of '%s' would be sent to on %u paths: %u are the most",
			       side_letter(side), relay->record[stream].name, count, SG_PATHS);
	return count > 1 ? sg_fanout_ensure(relay, nexthop, count, err) : 0;
}

/* ---- the verbs ------------------------------------------------------------------------------ */

/* What joining and moving have in common: a plan in a spare slot, out of the route. */
static int plan_spare(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		      const struct sg_path_spec *spec, uint32_t send, struct sg_path_plan *plan,
		      struct sg_error *err)
{
	bool mux = relay->stream[stream].flags & SG_STREAM_MUX;
	int slot = free_slot(relay, stream, side, err);
	int ret;

	if (slot < 0)
		return slot;
	ret = sg_index_reserve(relay, 8, err);
	if (!ret)
		ret = sg_path_plan(relay, plan, stream, side, spec, mux, err);
	if (ret)
		return ret;
	ret = check_distinct(relay, stream, side, plan, err);
	if (!ret)
		ret = ensure_fanout(relay, stream, side, send, plan->path.nexthop, err);
	if (ret) {
		sg_path_plan_drop(relay, plan);
		return ret;
	}
	return slot;
}

static int path_add(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		    const struct sg_path_spec *spec, unsigned *slot, struct sg_error *err)
{
	uint64_t route = relay->stream[stream].route;
	uint32_t send = sg_route_send(route, side);
	struct sg_path_plan plan;
	int spare;

	if (live_paths(relay, stream, side) >= SG_PATHS)
		return sg_fail(err, -ENOSPC,
			       "side %c of '%s' has %u paths, the most there can be: "
			       "remove one first",
			       side_letter(side), relay->record[stream].name, SG_PATHS);
	spare = plan_spare(relay, stream, side, spec, send, &plan, err);
	if (spare < 0)
		return spare;
	sg_path_stat_clear(relay, stream, side, (uint32_t)spare);
	sg_path_install(relay, stream, side, (uint32_t)spare, &plan);
	sg_route_store(relay, stream,
		       sg_route_with(route, side, send | 1u << spare,
				     sg_route_listen(route, side) | 1u << spare,
				     send ? sg_route_active(route, side) : (uint32_t)spare));
	if (slot)
		*slot = (unsigned)spare;
	return 0;
}

static int try_path_add(struct sg_relay *relay, uint32_t stream, enum sg_side side,
			const struct sg_path_spec *spec, unsigned *slot, struct sg_error *err)
{
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	ret = check_stream(relay, stream, side, err);
	if (!ret)
		ret = path_add(relay, stream, side, spec, slot, err);
	return sg_change_end(relay, ret);
}

int sg_path_add(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *slot,
		struct sg_error *err)
{
	int ret = try_path_add(relay, stream, side, spec, slot, err);

	if (ret != -EINPROGRESS)
		return ret;
	ret = sg_path_resolve(relay, spec, resolve_ms, err);
	return ret ? ret : try_path_add(relay, stream, side, spec, slot, err);
}

int sg_path_remove(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		   struct sg_error *err)
{
	uint64_t route;
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	ret = check_live(relay, stream, side, slot, err);
	if (!ret && live_paths(relay, stream, side) < 2)
		ret = sg_fail(err, -EBUSY,
			      "path %u is the last of side %c of '%s': delete the stream "
			      "instead",
			      slot, side_letter(side), relay->record[stream].name);
	if (!ret)
		ret = sg_index_reserve(relay, 4, err);
	if (ret)
		return sg_change_end(relay, ret);
	route = relay->stream[stream].route;
	sg_route_store(relay, stream,
		       sg_route_with(route, side, sg_route_send(route, side) & ~(1u << slot),
				     sg_route_listen(route, side), sg_route_active(route, side)));
	begin_drain(relay, stream, side, slot);
	return sg_change_end(relay, 0);
}

static int path_move(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		     const struct sg_path_spec *spec, unsigned *new_slot, struct sg_error *err)
{
	uint64_t route = relay->stream[stream].route;
	uint32_t send = sg_route_send(route, side), listen = sg_route_listen(route, side);
	uint32_t active = sg_route_active(route, side), bit = 1u << slot;
	struct sg_path_plan plan;
	int spare = plan_spare(relay, stream, side, spec, send & ~bit, &plan, err);

	if (spare < 0)
		return spare;
	sg_path_stat_clear(relay, stream, side, (uint32_t)spare);
	sg_path_install(relay, stream, side, (uint32_t)spare, &plan);
	if (send & bit)
		send = (send & ~bit) | 1u << spare;
	if (listen & bit)
		listen |= 1u << spare;
	sg_route_store(relay, stream,
		       sg_route_with(route, side, send, listen,
				     active == slot ? (uint32_t)spare : active));
	begin_drain(relay, stream, side, slot);
	if (new_slot)
		*new_slot = (unsigned)spare;
	return 0;
}

static int try_path_move(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
			 const struct sg_path_spec *spec, unsigned *new_slot, struct sg_error *err)
{
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	ret = check_live(relay, stream, side, slot, err);
	if (!ret)
		ret = path_move(relay, stream, side, slot, spec, new_slot, err);
	return sg_change_end(relay, ret);
}

int sg_path_move(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		 const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *new_slot,
		 struct sg_error *err)
{
	int ret = try_path_move(relay, stream, side, slot, spec, new_slot, err);

	if (ret != -EINPROGRESS)
		return ret;
	ret = sg_path_resolve(relay, spec, resolve_ms, err);
	return ret ? ret : try_path_move(relay, stream, side, slot, spec, new_slot, err);
}

static uint32_t toggled(uint32_t mask, unsigned slot, enum sg_toggle toggle)
{
	if (toggle == SG_KEEP)
		return mask;
	return toggle == SG_ON ? mask | 1u << slot : mask & ~(1u << slot);
}

int sg_path_set(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		const struct sg_path_change *change, struct sg_error *err)
{
	uint32_t send, listen;
	uint64_t route;
	int ret = sg_change_begin(relay, err);

	if (ret)
		return ret;
	ret = check_live(relay, stream, side, slot, err);
	if (ret)
		return sg_change_end(relay, ret);
	route = relay->stream[stream].route;
	send = toggled(sg_route_send(route, side), slot, change->send);
	listen = toggled(sg_route_listen(route, side), slot, change->listen);
	if (change->active && !(send & 1u << slot))
		ret = sg_fail(err, -EINVAL,
			      "path %u of side %c of '%s' is not sent to, so it cannot "
			      "be the active one",
			      slot, side_letter(side), relay->record[stream].name);
	if (!ret)
		ret = ensure_fanout(relay, stream, side, send, 0, err);
	if (!ret)
		sg_route_store(relay, stream,
			       sg_route_with(route, side, send, listen,
					     change->active ? slot : sg_route_active(route, side)));
	return sg_change_end(relay, ret);
}

int sg_path_usable(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot)
{
	const struct sg_hop *hop;

	if (check_live(relay, stream, side, slot, NULL))
		return -ENOENT;
	hop = sg_nexthop_hop(relay, sg_path_at(relay, stream, side, slot)->nexthop);
	return hop->flags & SG_NEXTHOP_USABLE ? 1 : 0;
}
