/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of sg_path and sg_stream: planned, filled, drained, rested and freed. A path is written
 * only while it is out of the route; then one store of the route brings it in (DESIGN, order of
 * changes). A slot that left the route rests until no packet can still hold it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "index.h"
#include "internal.h"

#define LEARN_NS_DEFAULT 5000000000ull
#define RESOLVE_MS_DEFAULT                                                                         \
	2500u /* ARP asks once a second: one lost question must not refuse a call */

/* ---- the route ------------------------------------------------------------------------------ */

void sg_route_store(struct sg_relay *relay, uint32_t stream, uint64_t route)
{
	uint64_t *word = (uint64_t *)&relay->stream[stream].route;
	uint64_t version = (*word >> SG_ROUTE_VERSION_SHIFT) + 1;
	uint64_t masks = route & ((1ull << SG_ROUTE_VERSION_SHIFT) - 1);

	/* 0 would read as "closed" to the kernel. */
	if (!(version & 0xffff))
		version = 1;
	__atomic_store_n(word, masks | version << SG_ROUTE_VERSION_SHIFT, __ATOMIC_RELEASE);
}

uint64_t sg_route_with(uint64_t route, uint32_t side, uint32_t send, uint32_t listen,
		       uint32_t active)
{
	unsigned shift = side ? 16 : 0;
	unsigned active_shift = side ? 36 : 32;

	if (send && !(send & 1u << active))
		active = (uint32_t)__builtin_ctz(send);
	route &= ~(0xffffull << shift | 7ull << active_shift);
	return route | (uint64_t)send << shift | (uint64_t)listen << (shift + 8) |
	       (uint64_t)active << active_shift;
}

/* ---- planning: everything that can refuse --------------------------------------------------- */

static int check_endpoints(const struct sg_path_spec *spec, bool mux, struct sg_error *err)
{
	char local[SG_ENDPOINT_STRLEN], remote[SG_ENDPOINT_STRLEN];
	bool v4 = sg_address_is_ipv4(spec->local.addr);

	sg_endpoint_format(&spec->local, local);
	sg_endpoint_format(&spec->remote, remote);
	if (v4 != sg_address_is_ipv4(spec->remote.addr))
		return sg_fail(
			err, -EINVAL,
			"%s and %s are of different families: a path needs one, only the two "
			"sides may differ",
			local, remote);
	if (!spec->local.port || !spec->remote.port)
		return sg_fail(err, -EINVAL, "%s=%s: port 0 carries no media", local, remote);
	if (!mux && (!spec->local_rtcp_port && spec->local.port == UINT16_MAX))
		return sg_fail(err, -EINVAL, "%s: no port is left for RTCP", local);
	if (!mux && (!spec->remote_rtcp_port && spec->remote.port == UINT16_MAX))
		return sg_fail(err, -EINVAL, "%s: no port is left for RTCP", remote);
	if (!mux && spec->local_rtcp_port == spec->local.port)
		return sg_fail(err, -EINVAL, "%s: RTP and RTCP on one port need rtcp-mux", local);
	if (spec->dscp > 63 && spec->dscp != SG_DSCP_KEEP)
		return sg_fail(err, -EINVAL, "DSCP %u: 0 to 63, or keep", spec->dscp);
	if (spec->learn && spec->learn_bits > (v4 ? 32 : 128))
		return sg_fail(err, -EINVAL, "a prefix of %u bits: at most %d", spec->learn_bits,
			       v4 ? 32 : 128);
	return 0;
}

static void fill_path(struct sg_path_plan *plan, const struct sg_path_spec *spec, bool mux)
{
	struct sg_path *path = &plan->path;
	uint16_t local_rtcp = spec->local_rtcp_port, remote_rtcp = spec->remote_rtcp_port;

	if (mux || !local_rtcp)
		local_rtcp = mux ? spec->local.port : (uint16_t)(spec->local.port + 1);
	if (mux || !remote_rtcp)
		remote_rtcp = mux ? spec->remote.port : (uint16_t)(spec->remote.port + 1);
	memset(plan, 0, sizeof(*plan));
	plan->local[SG_RTP] = spec->local;
	plan->local[SG_RTCP] = spec->local;
	plan->local[SG_RTCP].port = local_rtcp;
	memcpy(path->local, spec->local.addr, sizeof(path->local));
	memcpy(path->remote, spec->remote.addr, sizeof(path->remote));
	path->local_port[SG_RTP] = htons(spec->local.port);
	path->local_port[SG_RTCP] = htons(local_rtcp);
	path->remote_port[SG_RTP] = htons(spec->remote.port);
	path->remote_port[SG_RTCP] = htons(remote_rtcp);
	if (!sg_address_is_ipv4(spec->local.addr))
		path->flags |= SG_PATH_IPV6;
	if (spec->dscp == SG_DSCP_KEEP)
		path->flags |= SG_PATH_KEEP_DSCP;
	else
		path->dscp = spec->dscp;
	if (spec->learn) {
		path->flags |= SG_PATH_LEARN;
		path->learn_bits = spec->learn_bits;
	}
	path->sum[SG_RTP] = sg_path_sum(path, SG_RTP);
	path->sum[SG_RTCP] = sg_path_sum(path, SG_RTCP);
}

int sg_path_resolve(struct sg_relay *relay, const struct sg_path_spec *spec, unsigned resolve_ms,
		    struct sg_error *err)
{
	return sg_nexthop_resolve(relay, spec->local.addr, spec->remote.addr,
				  resolve_ms ? resolve_ms : RESOLVE_MS_DEFAULT, err);
}

int sg_path_plan(struct sg_relay *relay, struct sg_path_plan *plan, uint32_t stream, uint32_t side,
		 const struct sg_path_spec *spec, bool mux, struct sg_error *err)
{
	uint16_t nexthop;
	int ret = check_endpoints(spec, mux, err);

	if (ret)
		return ret;
	fill_path(plan, spec, mux);
	for (unsigned i = 0; !ret && i < SG_COMPONENTS; i++)
		ret = sg_port_check(relay, &plan->local[i], stream, side, err);
	if (ret)
		return ret;
	ret = sg_nexthop_get(relay, spec->local.addr, spec->remote.addr, SG_RESOLVE_NOWAIT,
			     &nexthop, err);
	if (ret)
		return ret;
	plan->path.nexthop = nexthop;
	if (sg_address_slot(relay, spec->local.addr, true) < 0) {
		char text[SG_ENDPOINT_STRLEN];

		sg_path_plan_drop(relay, plan);
		return sg_fail(err, -ENOSPC, "%s would be media address number %u: %u are the most",
			       sg_address_format(spec->local.addr, text), SG_ADDRESS_SLOTS + 1,
			       SG_ADDRESS_SLOTS);
	}
	/* The learning window starts when everything is ready, not before the next hop answered. */
	if (spec->learn)
		plan->path.until_ns =
			sg_now_ns() + (spec->learn_ns ? spec->learn_ns : LEARN_NS_DEFAULT);
	return 0;
}

void sg_path_plan_drop(struct sg_relay *relay, struct sg_path_plan *plan)
{
	if (plan->path.nexthop)
		sg_nexthop_put(relay, plan->path.nexthop);
	plan->path.nexthop = 0;
}

/* ---- slots ---------------------------------------------------------------------------------- */

/* Points the ports of a path at its slot: which path a packet tries first. */
static void install_ports(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
			  const struct sg_endpoint local[SG_COMPONENTS])
{
	const struct sg_stream *s = &relay->stream[stream];
	bool mux = s->flags & SG_STREAM_MUX;
	enum sg_component component = mux ? SG_MUX : SG_RTP;

	if (s->flags & SG_STREAM_OPAQUE)
		component = SG_OPAQUE;
	sg_port_install(relay, &local[SG_RTP],
			sg_port_live(stream, side, slot, component, s->generation));
	if (!mux)
		sg_port_install(relay, &local[SG_RTCP],
				sg_port_live(stream, side, slot, SG_RTCP, s->generation));
}

void sg_path_install(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		     const struct sg_path_plan *plan)
{
	struct sg_path *path = sg_path_at(relay, stream, side, slot);

	*path = plan->path;
	__atomic_store_n(&path->state, SG_PATH_LIVE, __ATOMIC_RELEASE);
	install_ports(relay, stream, side, slot, plan->local);
}

static struct sg_endpoint path_local(const struct sg_path *path, unsigned component)
{
	struct sg_endpoint local;

	memcpy(local.addr, path->local, sizeof(local.addr));
	local.port = ntohs(path->local_port[component]);
	return local;
}

void sg_path_point_ports(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	const struct sg_path *path = sg_path_at(relay, stream, side, slot);
	const struct sg_endpoint local[SG_COMPONENTS] = {
		[SG_RTP] = path_local(path, SG_RTP),
		[SG_RTCP] = path_local(path, SG_RTCP),
	};

	install_ports(relay, stream, side, slot, local);
}

static bool shares_local(const struct sg_path *a, const struct sg_path *b)
{
	return memcmp(a->local, b->local, sizeof(a->local)) == 0 &&
	       (a->local_port[SG_RTP] == b->local_port[SG_RTP] ||
		a->local_port[SG_RTCP] == b->local_port[SG_RTCP] ||
		a->local_port[SG_RTP] == b->local_port[SG_RTCP] ||
		a->local_port[SG_RTCP] == b->local_port[SG_RTP]);
}

/*
 * The path of the side that goes on using the ports of `slot`; SG_PATH_SLOTS if there is none. One
 * that is live before one that drains too: sg_port_get() names it.
 */
static uint32_t port_heir(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	const struct sg_path *path = sg_path_at(relay, stream, side, slot);
	uint32_t heir = SG_PATH_SLOTS;

	for (uint32_t i = 0; i < SG_PATH_SLOTS; i++) {
		const struct sg_path *other = sg_path_at(relay, stream, side, i);

		if (i == slot ||
		    (other->state != SG_PATH_LIVE && other->state != SG_PATH_DRAINING) ||
		    !shares_local(path, other))
			continue;
		heir = i;
		if (other->state == SG_PATH_LIVE)
			break;
	}
	return heir;
}

void sg_path_rest_ports(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
			uint64_t until_ns)
{
	const struct sg_path *path = sg_path_at(relay, stream, side, slot);
	uint32_t heir = port_heir(relay, stream, side, slot);
	struct sg_endpoint local[SG_COMPONENTS] = {path_local(path, SG_RTP),
						   path_local(path, SG_RTCP)};

	if (heir < SG_PATH_SLOTS) {
		install_ports(relay, stream, side, heir, local);
		return;
	}
	sg_port_rest(relay, &local[SG_RTP], until_ns);
	sg_port_rest(relay, &local[SG_RTCP], until_ns);
	sg_index_schedule_ports(relay, sg_port_rest_end(until_ns));
}

void sg_path_release(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	struct sg_path *path = sg_path_at(relay, stream, side, slot);

	if (path->state == SG_PATH_FREE)
		return;
	__atomic_store_n(&path->state, SG_PATH_FREE, __ATOMIC_RELEASE);
	if (path->nexthop)
		sg_nexthop_put(relay, path->nexthop);
}

void sg_path_drained(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	struct sg_path *path = sg_path_at(relay, stream, side, slot);
	uint64_t route = relay->stream[stream].route;
	uint64_t now_ns = sg_now_ns();
	struct sg_job rested = {now_ns + SG_PATH_REST_NS, SG_JOB_PATH_RESTED, stream, side, slot};

	sg_route_store(relay, stream,
		       sg_route_with(route, side, sg_route_send(route, side) & ~(1u << slot),
				     sg_route_listen(route, side) & ~(1u << slot),
				     sg_route_active(route, side)));
	sg_path_rest_ports(relay, stream, side, slot, now_ns + relay->meta->rest_ns);
	path->until_ns = rested.due_ns;
	__atomic_store_n(&path->state, SG_PATH_RESTING, __ATOMIC_RELEASE);
	sg_index_schedule(relay, &rested);
}

void sg_stream_release(struct sg_relay *relay, uint32_t stream)
{
	for (uint32_t i = 0; i < SG_SIDES * SG_PATH_SLOTS; i++)
		sg_path_release(relay, stream, i % SG_SIDES, i / SG_SIDES);
	relay->record[stream].name[0] = '\0';
	__atomic_store_n(&relay->record[stream].state, SG_STREAM_FREE, __ATOMIC_RELEASE);
	sg_index_give_slot(relay, stream);
}
