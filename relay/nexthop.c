/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sg_nexthop: one entry per (device, neighbour, MTU of the route), shared by all paths that leave
 * that way. The table is its own hash, so that every process finds an entry without a memory of
 * its own: an entry lies at most PROBES places behind the home of its key.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "answers.h"
#include "nexthop.h"

#define PROBES 256u
#define FLIP_REST_NS 1000000ull /* sg_nexthop: a half rests for 1 ms before it is written again */
#define POLL_MIN_NS 100000
#define POLL_MAX_NS 5000000

struct key {
	uint8_t gateway[16];
	uint32_t l3_ifindex;
	uint32_t route_mtu;
};

/* Where a packet would go: what a look-up found out before anything was changed. */
struct target {
	struct key key;
	struct sg_hop hop;
	struct sg_neighbour neighbour;
	char device[SG_LINK_NAME_LEN];
};

/* ---- the table ------------------------------------------------------------------------------ */

/* Without route_mtu: entries that share a neighbour are near each other. */
static uint32_t home(uint32_t l3_ifindex, const uint8_t gateway[16])
{
	uint32_t word[4], hash;

	memcpy(word, gateway, sizeof(word));
	hash = (word[0] ^ word[1] ^ word[2]) * 0x85EBCA6Bu ^ word[3];
	hash = (hash ^ l3_ifindex * 0xC2B2AE35u) * 0x9E3779B1u;
	return (hash >> 8) % (SG_NEXTHOPS - 1);
}

static uint16_t place(uint32_t base, uint32_t probe)
{
	return (uint16_t)(1 + (base + probe) % (SG_NEXTHOPS - 1));
}

static bool same_neighbour(const struct sg_nexthop *entry, uint32_t l3_ifindex,
			   const uint8_t gateway[16])
{
	return entry->used && entry->l3_ifindex == l3_ifindex &&
	       memcmp(entry->gateway, gateway, sizeof(entry->gateway)) == 0;
}

uint16_t sg_nexthop_find(const struct sg_relay *relay, uint32_t l3_ifindex,
			 const uint8_t gateway[16], uint16_t after)
{
	uint32_t base = home(l3_ifindex, gateway);
	bool passed = after == 0;

	for (uint32_t probe = 0; probe < PROBES; probe++) {
		uint16_t index = place(base, probe);
		const struct sg_nexthop *entry = &relay->nexthop[index];

		if (!entry->changed_ns) /* never used, so no key went past it */
			return 0;
		if (passed && same_neighbour(entry, l3_ifindex, gateway))
			return index;
		if (index == after)
			passed = true;
	}
	return 0;
}

static uint16_t find_key(const struct sg_relay *relay, const struct key *key)
{
	uint16_t index = 0;

	do
		index = sg_nexthop_find(relay, key->l3_ifindex, key->gateway, index);
	while (index && relay->nexthop[index].route_mtu != key->route_mtu);
	return index;
}

static uint16_t find_free(const struct sg_relay *relay, const struct key *key)
{
	uint32_t base = home(key->l3_ifindex, key->gateway);

	for (uint32_t probe = 0; probe < PROBES; probe++) {
		uint16_t index = place(base, probe);

		if (!relay->nexthop[index].used)
			return index;
	}
	return 0;
}

bool sg_nexthop_is(const struct sg_relay *relay, uint16_t index, const struct sg_route *route)
{
	const struct sg_nexthop *entry = &relay->nexthop[index];

	return index && same_neighbour(entry, route->ifindex, route->gateway) &&
	       entry->route_mtu == route->mtu;
}

const struct sg_hop *sg_nexthop_hop(const struct sg_relay *relay, uint16_t index)
{
	const struct sg_nexthop *entry = &relay->nexthop[index];

	return &entry->half[__atomic_load_n(&entry->current, __ATOMIC_ACQUIRE) & 1u];
}

bool sg_nexthop_next(struct sg_relay *relay, uint32_t *cursor, struct sg_nexthop_info *out)
{
	for (uint32_t i = *cursor ? *cursor : 1; i < SG_NEXTHOPS; i++) {
		const struct sg_nexthop *entry = &relay->nexthop[i];

		if (!entry->used)
			continue;
		out->index = i;
		out->hop = *sg_nexthop_hop(relay, (uint16_t)i);
		memcpy(out->gateway, entry->gateway, sizeof(out->gateway));
		out->l3_ifindex = entry->l3_ifindex;
		out->changed_ns = entry->changed_ns;
		out->paths = entry->paths;
		*cursor = i + 1;
		return true;
	}
	*cursor = SG_NEXTHOPS;
	return false;
}

static void pause_ns(long ns)
{
	struct timespec pause = {.tv_nsec = ns};

	nanosleep(&pause, NULL);
}

bool sg_nexthop_publish(struct sg_nexthop *entry, const struct sg_hop *hop)
{
	uint32_t other = (entry->current & 1u) ^ 1u;
	uint64_t age = sg_now_ns() - entry->changed_ns;

	if (entry->used && memcmp(&entry->half[other ^ 1u], hop, sizeof(*hop)) == 0)
		return false;
	if (age < FLIP_REST_NS)
		pause_ns((long)(FLIP_REST_NS - age));
	entry->half[other] = *hop;
	__atomic_store_n(&entry->current, other, __ATOMIC_RELEASE);
	entry->changed_ns = sg_now_ns();
	return true;
}

/* ---- finding out ---------------------------------------------------------------------------- */

static bool is_ours(struct sg_relay *relay, const uint8_t addr[16])
{
	struct sg_route route;

	return sg_answer_route(relay, NULL, addr, &route) == 0 && route.type == RTN_LOCAL;
}

static int refuse_route(int error, uint8_t type, const uint8_t local[16], const uint8_t remote[16],
			struct sg_error *err)
{
	char from[SG_ENDPOINT_STRLEN], to[SG_ENDPOINT_STRLEN];

	sg_address_format(local, from);
	sg_address_format(remote, to);
	if (error)
		return sg_fail(
			err, -EHOSTUNREACH,
			"no route from %s to %s (%s): `ip route get %s from %s` must name one",
			from, to, strerror(-error), to, from);
	if (type == RTN_LOCAL)
		return sg_fail(err, -EHOSTUNREACH,
			       "%s is an address of this machine: media cannot be sent to it", to);
	if (type == RTN_BROADCAST || type == RTN_MULTICAST)
		return sg_fail(err, -EHOSTUNREACH,
			       "%s is a broadcast or multicast address: media goes to one party",
			       to);
	return sg_fail(err, -EHOSTUNREACH,
		       "the route from %s to %s is closed (blackhole or the like)", from, to);
}

/* IPv6 would route a source that is not ours; IPv4 refuses it, but does not always say why. */
static int find_route(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		      struct key *key, struct sg_error *err)
{
	char text[SG_ENDPOINT_STRLEN];
	struct sg_route route = {0};
	int error = sg_answer_route(relay, local, remote, &route);

	if ((error || !sg_address_is_ipv4(local)) && !is_ours(relay, local))
		return sg_fail(err, -EADDRNOTAVAIL, "%s is no address of this machine",
			       sg_address_format(local, text));
	if (error || route.type != RTN_UNICAST)
		return refuse_route(error, route.type, local, remote, err);
	memcpy(key->gateway, route.gateway, sizeof(key->gateway));
	key->l3_ifindex = route.ifindex;
	key->route_mtu = route.mtu;
	return 0;
}

static int nic_slot(const struct sg_relay *relay, uint32_t ifindex)
{
	for (unsigned i = 0; i < SG_NICS; i++)
		if (relay->meta->nic[i] == ifindex)
			return (int)i;
	return -1;
}

/* The NIC that XDP sends on: of a VLAN device, the one below it. */
static int find_nic(struct sg_relay *relay, const struct sg_link *device, struct sg_link *nic,
		    struct sg_error *err)
{
	*nic = *device;
	if (!device->vlan)
		return 0;
	if (device->vlan_protocol != ETH_P_8021Q)
		return sg_fail(err, -EOPNOTSUPP, "%s tags with 802.1ad: only 802.1Q is supported",
			       device->name);
	if (sg_answer_link(relay, device->lower, nic))
		return sg_fail(err, -ENODEV, "the NIC below %s is not in this namespace",
			       device->name);
	if (nic->vlan)
		return sg_fail(err, -EOPNOTSUPP,
			       "%s puts a second VLAN tag on %s: one is supported", device->name,
			       nic->name);
	return 0;
}

static uint16_t smaller_mtu(uint32_t device, uint32_t route)
{
	uint32_t mtu = route && route < device ? route : device;

	return (uint16_t)(mtu > UINT16_MAX ? UINT16_MAX : mtu);
}

/* Fills the hop, all but the neighbour's address; SG_NEXTHOP_USABLE says that the link is up. */
static int describe(struct sg_relay *relay, const struct key *key, struct sg_hop *hop,
		    char device[SG_LINK_NAME_LEN], struct sg_error *err)
{
	struct sg_link link, nic;
	int slot, error;

	memset(hop, 0, sizeof(*hop));
	error = sg_answer_link(relay, key->l3_ifindex, &link);
	if (error)
		return sg_fail(err, -ENODEV, "the route's device (index %u) is gone",
			       key->l3_ifindex);
	memcpy(device, link.name, SG_LINK_NAME_LEN);
	if (!link.ethernet)
		return sg_fail(err, -ENODEV, "leaves through %s, which is no Ethernet device",
			       link.name);
	error = find_nic(relay, &link, &nic, err);
	if (error)
		return error;
	slot = nic_slot(relay, nic.ifindex);
	if (slot < 0)
		return sg_fail(err, -ENODEV,
			       "leaves through %s, which has no program: segue interface attach %s",
			       nic.name, nic.name);
	memcpy(hop->src, link.mac, sizeof(hop->src));
	hop->vlan = link.vlan ? htons(link.vlan_id) : 0;
	hop->mtu = smaller_mtu(link.mtu, key->route_mtu);
	hop->ifindex = nic.ifindex;
	hop->nic = (uint8_t)slot;
	hop->flags = link.running && nic.running ? SG_NEXTHOP_USABLE : 0;
	return 0;
}

/* Short sleeps: an answer takes from 0.1 ms, and nobody may miss it by much. */
static int await_neighbour(struct sg_netlink *netlink, struct target *target, unsigned resolve_ms)
{
	const struct key *key = &target->key;
	uint64_t deadline = sg_now_ns() + resolve_ms * 1000000ull;
	long pause = POLL_MIN_NS;
	int error;

	for (;;) {
		error = sg_netlink_neighbour(netlink, key->l3_ifindex, key->gateway,
					     &target->neighbour);
		if (error || sg_neighbour_usable(&target->neighbour))
			return error;
		if (target->neighbour.state == NUD_FAILED || sg_now_ns() >= deadline)
			return -EHOSTUNREACH;
		pause_ns(pause);
		pause = pause < POLL_MAX_NS / 2 ? pause * 2 : POLL_MAX_NS;
	}
}

static int resolve(struct sg_relay *relay, struct target *target, unsigned resolve_ms)
{
	struct sg_netlink *netlink = relay->netlink;
	const struct key *key = &target->key;
	int error = sg_answer_neighbour(relay, key->l3_ifindex, key->gateway, &target->neighbour);

	if (error || sg_neighbour_usable(&target->neighbour))
		return error;
	if (sg_neighbour_fixed(&target->neighbour))
		return -EHOSTUNREACH;
	/* One that is being asked already needs no second question. */
	if (target->neighbour.state != NUD_INCOMPLETE)
		error = sg_netlink_use(netlink, key->l3_ifindex, key->gateway, false);
	if (!error && resolve_ms == SG_RESOLVE_NOWAIT)
		error = -EINPROGRESS;
	return error ? error : await_neighbour(netlink, target, resolve_ms);
}

static int refuse_neighbour(const struct target *target, const uint8_t remote[16], int error,
			    unsigned resolve_ms, struct sg_error *err)
{
	char to[SG_ENDPOINT_STRLEN], gateway[SG_ENDPOINT_STRLEN];

	sg_address_format(remote, to);
	sg_address_format(target->key.gateway, gateway);
	if (error == -EINPROGRESS)
		return sg_fail(err, error,
			       "%s cannot be reached yet: its next hop %s on %s is being resolved",
			       to, gateway, target->device);
	if (error == -EHOSTUNREACH)
		return sg_fail(
			err, error,
			"%s is unreachable: its next hop %s on %s did not answer within %u ms", to,
			gateway, target->device, resolve_ms);
	return sg_fail(err, -EHOSTUNREACH,
		       "%s is unreachable: its next hop %s on %s cannot be resolved: %s", to,
		       gateway, target->device, strerror(-error));
}

static int look_up(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		   unsigned resolve_ms, struct target *target, struct sg_error *err)
{
	char to[SG_ENDPOINT_STRLEN];
	struct sg_error why;
	int error;

	if (!sg_netlink_of(relay, err))
		return -EIO;
	sg_answers_catch_up(relay->answers);
	error = find_route(relay, local, remote, &target->key, err);
	if (error)
		return error;
	error = describe(relay, &target->key, &target->hop, target->device, &why);
	if (error)
		return sg_fail(err, error, "%s %s", sg_address_format(remote, to), why.text);
	if (!(target->hop.flags & SG_NEXTHOP_USABLE))
		return sg_fail(err, -EHOSTUNREACH, "%s leaves through %s, which is down",
			       sg_address_format(remote, to), target->device);
	error = resolve(relay, target, resolve_ms);
	if (error)
		return refuse_neighbour(target, remote, error, resolve_ms, err);
	memcpy(target->hop.dst, target->neighbour.mac, sizeof(target->hop.dst));
	return 0;
}

/* ---- keeping the neighbour fresh ------------------------------------------------------------ */

/*
 * A neighbour that was kept fresh before we came is somebody else's doing and stays so. That the
 * kernel refuses is no error: then its ordinary rules apply, and follow.c urges it when it fails.
 */
static void keep_fresh(struct sg_netlink *netlink, struct sg_nexthop *entry,
		       const struct sg_neighbour *neighbour)
{
	const uint8_t *gateway = (const uint8_t *)entry->gateway;

	if (sg_neighbour_fixed(neighbour) || neighbour->managed)
		return;
	if (sg_netlink_use(netlink, entry->l3_ifindex, gateway, true) == 0)
		entry->managed = 1;
}

/* The last entry that needs the neighbour lets the kernel forget it. */
static void let_age(struct sg_relay *relay, struct sg_nexthop *entry)
{
	const uint8_t *gateway = (const uint8_t *)entry->gateway;
	struct sg_netlink *netlink = sg_netlink_of(relay, NULL);
	struct sg_neighbour neighbour;
	uint16_t other;

	if (!entry->managed)
		return;
	entry->managed = 0;
	other = sg_nexthop_find(relay, entry->l3_ifindex, gateway, 0);
	if (other) {
		relay->nexthop[other].managed = 1;
		return;
	}
	if (!netlink || sg_netlink_neighbour(netlink, entry->l3_ifindex, gateway, &neighbour))
		return;
	if (neighbour.managed && !sg_neighbour_fixed(&neighbour))
		sg_netlink_use(netlink, entry->l3_ifindex, gateway, false);
}

/* ---- users ---------------------------------------------------------------------------------- */

static int take(struct sg_relay *relay, const struct target *target, uint16_t *index,
		struct sg_error *err)
{
	uint16_t found = find_key(relay, &target->key);
	struct sg_nexthop *entry;

	if (!found)
		found = find_free(relay, &target->key);
	if (!found)
		return sg_fail(err, -ENOSPC, "no room for another next hop among %u",
			       SG_NEXTHOPS - 1);
	entry = &relay->nexthop[found];
	sg_nexthop_publish(entry, &target->hop);
	if (!entry->used) {
		memcpy(entry->gateway, target->key.gateway, sizeof(entry->gateway));
		entry->l3_ifindex = target->key.l3_ifindex;
		entry->route_mtu = target->key.route_mtu;
		entry->paths = 0;
		entry->managed = 0;
		entry->used = 1;
	}
	entry->paths++;
	keep_fresh(relay->netlink, entry, &target->neighbour);
	*index = found;
	return 0;
}

int sg_nexthop_get(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		   unsigned resolve_ms, uint16_t *index, struct sg_error *err)
{
	struct target target = {0};
	int error = look_up(relay, local, remote, resolve_ms, &target, err);

	if (error)
		return error;
	error = sg_lock(relay, err);
	if (error)
		return error;
	error = take(relay, &target, index, err);
	sg_unlock(relay, false);
	return error;
}

int sg_nexthop_resolve(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		       unsigned resolve_ms, struct sg_error *err)
{
	struct target target = {0};

	return look_up(relay, local, remote, resolve_ms, &target, err);
}

void sg_nexthop_put(struct sg_relay *relay, uint16_t index)
{
	struct sg_nexthop *entry = &relay->nexthop[index];

	if (!index || !entry->used || (entry->paths && --entry->paths))
		return;
	/* A packet may still hold the index: the entry rests like a half before it is written. */
	entry->changed_ns = sg_now_ns();
	entry->used = 0;
	let_age(relay, entry);
}

void sg_nexthop_collect(struct sg_relay *relay)
{
	for (uint16_t index = 1; index < SG_NEXTHOPS; index++)
		if (relay->nexthop[index].used && !relay->nexthop[index].paths)
			sg_nexthop_put(relay, index);
}

/* ---- following ------------------------------------------------------------------------------ */

static void key_of(const struct sg_nexthop *entry, struct key *key)
{
	memcpy(key->gateway, entry->gateway, sizeof(key->gateway));
	key->l3_ifindex = entry->l3_ifindex;
	key->route_mtu = entry->route_mtu;
}

void sg_nexthop_look(struct sg_relay *relay, uint16_t index, struct sg_hop *hop)
{
	const struct sg_hop *now = sg_nexthop_hop(relay, index);
	struct sg_netlink *netlink = sg_netlink_of(relay, NULL);
	struct sg_neighbour neighbour;
	char device[SG_LINK_NAME_LEN];
	struct key key;

	key_of(&relay->nexthop[index], &key);
	sg_answers_forget(relay->answers);
	if (!netlink || describe(relay, &key, hop, device, NULL)) {
		*hop = *now;
		hop->flags = 0;
		return;
	}
	memcpy(hop->dst, now->dst, sizeof(hop->dst));
	if (sg_netlink_neighbour(netlink, key.l3_ifindex, key.gateway, &neighbour) ||
	    !sg_neighbour_usable(&neighbour))
		hop->flags = 0;
	else
		memcpy(hop->dst, neighbour.mac, sizeof(hop->dst));
}

void sg_nexthop_urge(struct sg_relay *relay, uint16_t index)
{
	struct sg_nexthop *entry = &relay->nexthop[index];
	const uint8_t *gateway = (const uint8_t *)entry->gateway;
	struct sg_netlink *netlink = sg_netlink_of(relay, NULL);
	struct sg_neighbour neighbour;

	if (!netlink || sg_netlink_neighbour(netlink, entry->l3_ifindex, gateway, &neighbour) ||
	    sg_neighbour_fixed(&neighbour))
		return;
	if (neighbour.managed && sg_neighbour_usable(&neighbour))
		return;
	if (sg_netlink_use(netlink, entry->l3_ifindex, gateway, true) == 0 && !neighbour.managed)
		entry->managed = 1;
}

char *sg_nexthop_name(struct sg_relay *relay, uint16_t index, char out[SG_NEXTHOP_STRLEN])
{
	const struct sg_nexthop *entry = &relay->nexthop[index];
	struct sg_netlink *netlink = sg_netlink_of(relay, NULL);
	char gateway[SG_ENDPOINT_STRLEN];
	struct sg_link link;

	sg_address_format((const uint8_t *)entry->gateway, gateway);
	if (netlink && sg_netlink_link(netlink, entry->l3_ifindex, &link) == 0)
		snprintf(out, SG_NEXTHOP_STRLEN, "%s on %s", gateway, link.name);
	else
		snprintf(out, SG_NEXTHOP_STRLEN, "%s on device %u", gateway, entry->l3_ifindex);
	return out;
}
