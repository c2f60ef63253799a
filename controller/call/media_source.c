// SPDX-License-Identifier: BSD-2-Clause
#include "call/media_source.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>

#define ROUTE_MS 1000u /* a change that netlink does not tell of is seen no later */

/* ---- making --------------------------------------------------------------------------------- */

static int add_address(struct media_source *source, const struct config *config,
		       const struct config_interface *interface, const struct netaddr *at,
		       struct error *err)
{
	struct media_address *address = &source->address[source->count];
	char text[NETADDR_STRLEN];
	int ret;

	netaddr_format_host(at, text);
	if (media_source_find(source, at->addr))
		return error_set(err, -EINVAL, "media address %s is configured twice", text);
	if (source->count == MEDIA_ADDRESSES)
		return error_set(err, -EINVAL, "media address %s: %u are the most", text,
				 MEDIA_ADDRESSES);
	ret = portpool_alloc(&address->pool, config->first_port, config->last_port);
	if (ret)
		return error_set(
			err, ret, "media ports %u-%u: %s", config->first_port, config->last_port,
			ret == -EINVAL ? "not one even port and its odd neighbour" : "no memory");
	address->at = *at;
	address->at.port = 0;
	address->interface = interface->name;
	source->count++;
	return 0;
}

static int add_interface(struct media_source *source, const struct config *config,
			 const struct config_interface *interface, struct error *err)
{
	bool have[2] = {false, false};

	for (size_t i = 0; i < interface->addresses; i++) {
		const struct netaddr *at = &interface->address[i];
		bool ipv4 = netaddr_is_ipv4(at);
		int ret = have[ipv4] ? 0 : add_address(source, config, interface, at, err);

		if (ret)
			return ret;
		have[ipv4] = true;
	}
	return 0;
}

int media_source_alloc(struct media_source **out, const struct config *config, struct error *err)
{
	struct media_source *source = calloc(1, sizeof(*source));
	int ret = 0;

	if (!source)
		return error_set(err, -ENOMEM, "no memory for media addresses");
	for (size_t i = 0; i < config->interfaces && !ret; i++)
		ret = add_interface(source, config, &config->interface[i], err);
	if (!ret && !source->count)
		ret = error_set(err, -EINVAL, "no media address is configured");
	if (ret) {
		media_source_free(source);
		return ret;
	}
	media_source_refresh(source);
	*out = source;
	return 0;
}

void media_source_free(struct media_source *source)
{
	if (!source)
		return;
	for (unsigned i = 0; i < source->count; i++)
		portpool_free(source->address[i].pool);
	free(source);
}

/* ---- what the machine has ------------------------------------------------------------------- */

static bool is_internet(const struct ifaddrs *entry)
{
	return entry->ifa_addr &&
	       (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

void media_source_refresh(struct media_source *source)
{
	struct ifaddrs *list, *entry;
	struct netaddr at;

	for (unsigned i = 0; i < MEDIA_ROUTES; i++)
		source->route[i].until_ms = 0;
	if (getifaddrs(&list))
		return; /* out of memory: what we knew stays */
	for (unsigned i = 0; i < source->count; i++)
		source->address[i].present = false;
	for (entry = list; entry; entry = entry->ifa_next) {
		struct media_address *address;

		if (!is_internet(entry))
			continue;
		netaddr_from_sockaddr(&at, entry->ifa_addr);
		address = media_source_find(source, at.addr);
		if (address)
			address->present = true;
	}
	freeifaddrs(list);
}

struct media_address *media_source_find(struct media_source *source, const uint8_t addr[16])
{
	for (unsigned i = 0; i < source->count; i++) {
		if (!memcmp(source->address[i].at.addr, addr, 16))
			return &source->address[i];
	}
	return NULL;
}

static bool serves(const struct media_address *address, bool ipv4)
{
	return address->present && netaddr_is_ipv4(&address->at) == ipv4;
}

bool media_source_has(const struct media_source *source, bool ipv4)
{
	for (unsigned i = 0; i < source->count; i++) {
		if (serves(&source->address[i], ipv4))
			return true;
	}
	return false;
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* The interface that has the address `at`; "" if none. */
static void interface_of(const struct netaddr *at, char name[16])
{
	struct ifaddrs *list, *entry;
	struct netaddr has;

	name[0] = '\0';
	if (getifaddrs(&list))
		return;
	for (entry = list; entry && !name[0]; entry = entry->ifa_next) {
		if (!is_internet(entry))
			continue;
		netaddr_from_sockaddr(&has, entry->ifa_addr);
		if (netaddr_same_host(&has, at))
			strncat(name, entry->ifa_name, 15);
	}
	freeifaddrs(list);
}

/* The kernel's own choice if it is ours, else ours on the same interface, else `first`. */
static unsigned ask_kernel(struct media_source *source, const struct netaddr *party, unsigned first)
{
	bool ipv4 = netaddr_is_ipv4(party);
	struct netaddr probe = *party, from;
	char name[16];

	probe.port = probe.port ? probe.port : 9; /* any: connect() refuses 0 on some kernels */
	if (netaddr_source_for(&from, NULL, &probe))
		return first;
	for (unsigned i = 0; i < source->count; i++) {
		if (serves(&source->address[i], ipv4) &&
		    netaddr_same_host(&source->address[i].at, &from))
			return i;
	}
	interface_of(&from, name);
	for (unsigned i = 0; i < source->count; i++) {
		if (serves(&source->address[i], ipv4) &&
		    !strcmp(source->address[i].interface, name))
			return i;
	}
	return first;
}

/* A party that shares its place with another one costs look-ups, never more memory. */
static struct media_route *place_of(struct media_source *source, const struct netaddr *party)
{
	uint64_t half[2];

	memcpy(half, party->addr, sizeof(half));
	return &source->route[((half[0] ^ half[1]) * 0x9E3779B97F4A7C15ull) >> 52];
}

struct media_address *media_source_towards(struct media_source *source, const struct netaddr *party,
					   uint64_t now_ms)
{
	bool ipv4 = netaddr_is_ipv4(party);
	unsigned candidates = 0, first = 0;
	struct media_route *route;

	for (unsigned i = source->count; i-- > 0;) {
		if (serves(&source->address[i], ipv4)) {
			candidates++;
			first = i;
		}
	}
	if (candidates < 2)
		return candidates ? &source->address[first] : NULL;
	route = place_of(source, party);
	if (route->until_ms <= now_ms || memcmp(route->addr, party->addr, sizeof(route->addr))) {
		memcpy(route->addr, party->addr, sizeof(route->addr));
		route->address = ask_kernel(source, party, first);
		route->until_ms = now_ms + ROUTE_MS;
	}
	return &source->address[route->address];
}
