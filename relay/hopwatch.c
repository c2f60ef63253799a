/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An entry is brought up to date by asking the kernel what is true now, never from the text of a
 * notification: that may be older than what was asked before it was read.
 */
#include <stdlib.h>
#include <string.h>

#include "hopwatch.h"
#include "nexthop.h"
#include "reroute.h"

#define RETRY_MIN_NS 250000000ull
#define RETRY_MAX_NS 8000000000ull

struct retry {
	uint64_t due_ns; /* 0: nothing to try */
	uint64_t wait_ns;
};

struct sg_hopwatch {
	struct sg_relay *relay;
	const struct sg_listener *listener;
	uint64_t next_ns; /* no retry is due before; 0: there is none */
	struct retry retry[SG_NEXTHOPS];
};

struct sg_hopwatch *sg_hopwatch_open(struct sg_relay *relay, const struct sg_listener *listener)
{
	struct sg_hopwatch *watch = calloc(1, sizeof(*watch));

	if (watch) {
		watch->relay = relay;
		watch->listener = listener;
	}
	return watch;
}

void sg_hopwatch_close(struct sg_hopwatch *watch)
{
	free(watch);
}

/* ---- trying again --------------------------------------------------------------------------- */

static void retry_at(struct sg_hopwatch *watch, uint16_t index, uint64_t due_ns)
{
	watch->retry[index].due_ns = due_ns;
	if (!watch->next_ns || due_ns < watch->next_ns)
		watch->next_ns = due_ns;
}

static void retry_later(struct sg_hopwatch *watch, uint16_t index)
{
	struct retry *retry = &watch->retry[index];

	if (retry->due_ns)
		return;
	retry->wait_ns = RETRY_MIN_NS;
	retry_at(watch, index, sg_now_ns() + retry->wait_ns);
}

/* ---- one entry ------------------------------------------------------------------------------ */

static void format_mac(const uint8_t mac[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

static void report(struct sg_hopwatch *watch, uint16_t index, const struct sg_hop *was,
		   const struct sg_hop *is)
{
	char name[SG_NEXTHOP_STRLEN], mac[18];

	sg_nexthop_name(watch->relay, index, name);
	format_mac(is->dst, mac);
	if (!(is->flags & SG_NEXTHOP_USABLE)) {
		if (was->flags & SG_NEXTHOP_USABLE)
			sg_tell(watch->listener, SG_FOLLOW_NEIGHBOUR, "next hop %s is unusable",
				name);
	} else if (memcmp(was->dst, is->dst, sizeof(is->dst)) || was->flags != is->flags) {
		sg_tell(watch->listener, SG_FOLLOW_NEIGHBOUR, "next hop %s is at %s", name, mac);
	} else {
		sg_tell(watch->listener, SG_FOLLOW_NEIGHBOUR,
			"next hop %s: its device changed (MTU %u)", name, is->mtu);
	}
}

/*
 * With the lock held. An entry that changes NIC changes the key of device maps: those come first.
 * If they cannot be made, the copies are dropped with a reason, as they would be on the old NIC.
 */
static void refresh(struct sg_hopwatch *watch, uint16_t index)
{
	struct sg_relay *relay = watch->relay;
	struct sg_nexthop *entry = &relay->nexthop[index];
	struct sg_hop was = *sg_nexthop_hop(relay, index), is;
	struct sg_error why;

	if (!entry->used)
		return;
	sg_nexthop_look(relay, index, &is);
	if (is.nic != was.nic && sg_reroute_prepare(relay, index, is.nic, &why))
		sg_tell(watch->listener, SG_FOLLOW_NEIGHBOUR, "%s", why.text);
	if (sg_nexthop_publish(entry, &is))
		report(watch, index, &was, &is);
	if (is.flags & SG_NEXTHOP_USABLE)
		watch->retry[index].due_ns = 0;
	else
		retry_later(watch, index);
	if (entry->managed)
		sg_nexthop_urge(relay, index);
}

/* ---- what happened -------------------------------------------------------------------------- */

void sg_hopwatch_neighbour(struct sg_hopwatch *watch, uint32_t ifindex, const uint8_t addr[16])
{
	struct sg_relay *relay = watch->relay;
	uint16_t index = sg_nexthop_find(relay, ifindex, addr, 0);

	if (!index || sg_lock(relay, NULL))
		return;
	for (; index; index = sg_nexthop_find(relay, ifindex, addr, index))
		refresh(watch, index);
	sg_unlock(relay, false);
}

void sg_hopwatch_link(struct sg_hopwatch *watch, uint32_t ifindex)
{
	struct sg_relay *relay = watch->relay;

	if (sg_lock(relay, NULL))
		return;
	sg_nexthop_collect(relay);
	for (uint16_t index = 1; index < SG_NEXTHOPS; index++) {
		const struct sg_nexthop *entry = &relay->nexthop[index];

		if (entry->used && (!ifindex || entry->l3_ifindex == ifindex ||
				    sg_nexthop_hop(relay, index)->ifindex == ifindex))
			refresh(watch, index);
	}
	sg_unlock(relay, false);
}

void sg_hopwatch_stream(struct sg_hopwatch *watch, uint32_t stream)
{
	struct sg_relay *relay = watch->relay;
	uint64_t now = sg_now_ns();

	for (uint32_t i = 0; i < SG_SIDES * SG_PATH_SLOTS; i++) {
		const struct sg_path *path = sg_path_at(relay, stream, i % SG_SIDES, i / SG_SIDES);
		struct retry *retry = &watch->retry[path->nexthop];

		if (path->state != SG_PATH_LIVE || !path->nexthop ||
		    (sg_nexthop_hop(relay, path->nexthop)->flags & SG_NEXTHOP_USABLE))
			continue;
		retry_later(watch, path->nexthop);
		/* The first packets need not wait; those of an hour of silence must not hammer. */
		if (retry->wait_ns == RETRY_MIN_NS)
			retry_at(watch, path->nexthop, now);
	}
}

static void try_again(struct sg_hopwatch *watch, uint16_t index)
{
	struct retry *retry = &watch->retry[index];

	if (!watch->relay->nexthop[index].used) {
		retry->due_ns = 0;
		return;
	}
	refresh(watch, index);
	if (sg_nexthop_hop(watch->relay, index)->flags & SG_NEXTHOP_USABLE)
		return;
	sg_nexthop_urge(watch->relay, index);
	if (retry->wait_ns < RETRY_MAX_NS)
		retry->wait_ns *= 2;
	retry->due_ns = sg_now_ns() + retry->wait_ns;
}

uint64_t sg_hopwatch_run(struct sg_hopwatch *watch)
{
	uint64_t now = sg_now_ns(), next = 0;

	if (!watch->next_ns || now < watch->next_ns || sg_lock(watch->relay, NULL))
		return watch->next_ns;
	for (uint16_t index = 1; index < SG_NEXTHOPS; index++) {
		struct retry *retry = &watch->retry[index];

		if (retry->due_ns && retry->due_ns <= now)
			try_again(watch, index);
		if (retry->due_ns && (!next || retry->due_ns < next))
			next = retry->due_ns;
	}
	sg_unlock(watch->relay, false);
	watch->next_ns = next;
	return next;
}
