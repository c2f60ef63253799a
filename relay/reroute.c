/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths looked up again, and moved between next hops. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "fanout.h"
#include "nexthop.h"
#include "reroute.h"

#define CACHE_SLOTS 4096u /* a power of two */
#define STEP_STREAMS 64u  /* under one lock */
#define STEP_NS 5000000ull
#define SILENCE_TOLD_AT 3u /* attempt: an answer may take some milliseconds */
#define MOVES 16u
#define COMPLAINTS 4u

/* One answer of this pass; the table forgets whom another remote pushes out. */
struct answer {
	uint8_t local[16];
	uint8_t remote[16];
	struct sg_route route;
	int error;
	uint32_t pass;
	bool silent; /* its next hop did not resolve in this pass */
};

struct move {
	uint16_t from, to;
	unsigned paths;
	char from_name[SG_NEXTHOP_STRLEN];
};

struct sg_reroute {
	struct sg_relay *relay;
	const struct sg_listener *listener;
	bool busy;
	unsigned attempt;
	uint32_t pass;
	uint32_t next_stream;
	unsigned silent;
	unsigned complaints;
	unsigned moves;
	unsigned unnamed; /* paths that moved beyond what `move` has room for */
	struct move move[MOVES];
	struct answer cache[CACHE_SLOTS];
};

struct sg_reroute *sg_reroute_open(struct sg_relay *relay, const struct sg_listener *listener)
{
	struct sg_reroute *reroute = calloc(1, sizeof(*reroute));

	if (reroute) {
		reroute->relay = relay;
		reroute->listener = listener;
	}
	return reroute;
}

void sg_reroute_close(struct sg_reroute *reroute)
{
	free(reroute);
}

void sg_reroute_begin(struct sg_reroute *reroute, unsigned attempt)
{
	reroute->busy = true;
	reroute->attempt = attempt;
	reroute->pass++;
	reroute->next_stream = 0;
	reroute->silent = 0;
	reroute->complaints = 0;
	reroute->moves = 0;
	reroute->unnamed = 0;
}

/* ---- what the kernel says ------------------------------------------------------------------- */

static uint32_t cache_slot(const struct sg_path *path)
{
	uint32_t hash = path->remote[0] ^ path->remote[1] ^ path->remote[2];

	hash = (hash * 0x85EBCA6Bu ^ path->remote[3]) * 0x9E3779B1u;
	return ((hash ^ path->local[3] * 0xC2B2AE35u) >> 16) & (CACHE_SLOTS - 1);
}

static struct answer *ask(struct sg_reroute *reroute, const struct sg_path *path)
{
	struct answer *answer = &reroute->cache[cache_slot(path)];
	struct sg_netlink *netlink = sg_netlink_of(reroute->relay, NULL);

	if (answer->pass == reroute->pass && !memcmp(answer->local, path->local, 16) &&
	    !memcmp(answer->remote, path->remote, 16))
		return answer;
	memcpy(answer->local, path->local, 16);
	memcpy(answer->remote, path->remote, 16);
	answer->pass = reroute->pass;
	answer->silent = false;
	answer->error =
		netlink ? sg_netlink_route(netlink, answer->local, answer->remote, &answer->route)
			: -EIO;
	if (!answer->error && answer->route.type != RTN_UNICAST)
		answer->error = -EHOSTUNREACH;
	return answer;
}

/* ---- device maps ---------------------------------------------------------------------------- */

/* For one side of a stream, with one of its paths, or all paths of one entry, on another NIC. */
static int ensure_side(struct sg_relay *relay, uint32_t stream, uint32_t side, uint16_t from,
		       int only_slot, uint8_t nic, struct sg_error *err)
{
	uint32_t send = sg_route_send(relay->stream[stream].route, side);
	uint8_t nics[SG_PATHS];
	unsigned count = 0;

	for (uint32_t slot = 0; slot < SG_PATH_SLOTS && count < SG_PATHS; slot++) {
		uint16_t hop = sg_path_at(relay, stream, side, slot)->nexthop;
		bool moves = only_slot < 0 ? hop == from : (int)slot == only_slot;

		if (send & 1u << slot)
			nics[count++] = moves ? nic : sg_nexthop_hop(relay, hop)->nic;
	}
	return count > 1 ? sg_fanout_ensure_nics(relay, nics, count, err) : 0;
}

int sg_reroute_prepare(struct sg_relay *relay, uint16_t index, uint8_t nic, struct sg_error *err)
{
	int error = 0;

	for (uint32_t stream = 0; !error && stream < relay->meta->stream_high; stream++) {
		if (!sg_stream_is_open(relay, stream))
			continue;
		for (uint32_t side = 0; !error && side < SG_SIDES; side++)
			error = ensure_side(relay, stream, side, index, -1, nic, err);
	}
	return error;
}

/* ---- one path ------------------------------------------------------------------------------- */

static void record_move(struct sg_reroute *reroute, uint16_t from, uint16_t to)
{
	struct move *move;

	for (unsigned i = 0; i < reroute->moves; i++) {
		if (reroute->move[i].from == from && reroute->move[i].to == to) {
			reroute->move[i].paths++;
			return;
		}
	}
	if (reroute->moves == MOVES) {
		reroute->unnamed++;
		return;
	}
	move = &reroute->move[reroute->moves++];
	move->from = from;
	move->to = to;
	move->paths = 1;
	/* Now: the entry may be somebody else's when the pass is over. */
	if (from)
		sg_nexthop_name(reroute->relay, from, move->from_name);
	else
		strcpy(move->from_name, "no next hop");
}

/*
 * A path whose new way cannot be taken keeps the old one: routes flap, and media that a router may
 * still deliver is better than none.
 */
static void complain(struct sg_reroute *reroute, uint32_t stream, uint32_t side, uint32_t slot,
		     int error, const char *why)
{
	unsigned told_at = error == -EINPROGRESS ? SILENCE_TOLD_AT : 0;

	if (reroute->attempt != told_at || reroute->complaints++ >= COMPLAINTS)
		return;
	sg_tell(reroute->listener, SG_FOLLOW_ROUTE, "%s %c %u keeps its next hop: %s",
		reroute->relay->record[stream].name, side ? 'b' : 'a', slot, why);
}

static int move_path(struct sg_reroute *reroute, uint32_t stream, uint32_t side, uint32_t slot,
		     uint16_t to, struct sg_error *err)
{
	struct sg_relay *relay = reroute->relay;
	struct sg_path *path = sg_path_at(relay, stream, side, slot);
	uint16_t from = path->nexthop;
	int error = ensure_side(relay, stream, side, from, (int)slot,
				sg_nexthop_hop(relay, to)->nic, err);

	if (error) {
		sg_nexthop_put(relay, to);
		return error;
	}
	__atomic_store_n(&path->nexthop, to, __ATOMIC_RELEASE);
	record_move(reroute, from, to);
	sg_nexthop_put(relay, from);
	return 0;
}

static void visit_path(struct sg_reroute *reroute, uint32_t stream, uint32_t side, uint32_t slot)
{
	struct sg_relay *relay = reroute->relay;
	const struct sg_path *path = sg_path_at(relay, stream, side, slot);
	struct sg_error why;
	struct answer *answer;
	uint16_t to;
	int error;

	if (path->state != SG_PATH_LIVE)
		return;
	answer = ask(reroute, path);
	if (answer->error || answer->silent || sg_nexthop_is(relay, path->nexthop, &answer->route))
		return;
	error = sg_nexthop_get(relay, answer->local, answer->remote, SG_RESOLVE_NOWAIT, &to, &why);
	if (error) {
		answer->silent = true;
		reroute->silent += error == -EINPROGRESS || error == -EHOSTUNREACH;
	} else if (to == path->nexthop) { /* the route changed back meanwhile */
		sg_nexthop_put(relay, to);
	} else {
		error = move_path(reroute, stream, side, slot, to, &why);
	}
	if (error)
		complain(reroute, stream, side, slot, error, why.text);
}

static void visit_stream(struct sg_reroute *reroute, uint32_t stream)
{
	if (!sg_stream_is_open(reroute->relay, stream))
		return;
	for (uint32_t side = 0; side < SG_SIDES; side++)
		for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++)
			visit_path(reroute, stream, side, slot);
}

/* ---- the pass ------------------------------------------------------------------------------- */

static void report(struct sg_reroute *reroute)
{
	char to[SG_NEXTHOP_STRLEN];

	for (unsigned i = 0; i < reroute->moves; i++) {
		const struct move *move = &reroute->move[i];

		sg_tell(reroute->listener, SG_FOLLOW_ROUTE, "%u path%s moved from %s to %s",
			move->paths, move->paths == 1 ? "" : "s", move->from_name,
			sg_nexthop_name(reroute->relay, move->to, to));
	}
	if (reroute->unnamed)
		sg_tell(reroute->listener, SG_FOLLOW_ROUTE,
			"%u more paths moved to other next hops", reroute->unnamed);
}

static int visit_some(struct sg_reroute *reroute)
{
	struct sg_relay *relay = reroute->relay;
	int error = sg_lock(relay, NULL);

	if (error)
		return error;
	for (unsigned i = 0; i < STEP_STREAMS; i++) {
		if (reroute->next_stream >= relay->meta->stream_high)
			break;
		visit_stream(reroute, reroute->next_stream++);
	}
	reroute->busy = reroute->next_stream < relay->meta->stream_high;
	sg_unlock(relay, false);
	return 0;
}

int sg_reroute_step(struct sg_reroute *reroute)
{
	uint64_t started = sg_now_ns();

	if (!reroute->busy)
		return SG_REROUTE_IDLE;
	while (reroute->busy && sg_now_ns() - started < STEP_NS) {
		int error = visit_some(reroute);

		if (error)
			return error;
	}
	if (reroute->busy)
		return SG_REROUTE_BUSY;
	report(reroute);
	return reroute->silent ? SG_REROUTE_RETRY : SG_REROUTE_IDLE;
}
