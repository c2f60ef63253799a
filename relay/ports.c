/* SPDX-License-Identifier: BSD-2-Clause */
/* sg_port: which path of which stream a packet to (address, port) belongs to, and rests. */
#include <errno.h>

#include "internal.h"

#define NS_PER_SECOND 1000000000ull

/* The entry of an endpoint, NULL while its address has no slot. */
static uint64_t *entry_of(struct sg_relay *relay, const struct sg_endpoint *local, bool create)
{
	int slot = sg_address_slot(relay, local->addr, create);

	if (slot < 0)
		return NULL;
	return &relay->port[(uint32_t)slot * SG_PORTS_PER_ADDRESS + local->port];
}

static uint64_t load(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

static uint64_t rest_left_ms(uint64_t entry, uint64_t now_ns)
{
	uint64_t until_ns = sg_port_until_second(entry) * NS_PER_SECOND;

	return until_ns > now_ns ? (until_ns - now_ns + 999999) / 1000000 : 0;
}

int sg_port_check(struct sg_relay *relay, const struct sg_endpoint *local, uint32_t stream,
		  uint32_t side, struct sg_error *err)
{
	uint64_t *slot = entry_of(relay, local, false);
	uint64_t entry = slot ? load(slot) : 0;
	char text[SG_ENDPOINT_STRLEN];
	uint64_t left_ms;
	uint32_t owner;

	if (entry & SG_PORT_LIVE) {
		owner = sg_port_stream(entry);
		if (owner == stream && sg_port_side(entry) == side)
			return 0;
		return sg_fail(err, -EEXIST, "%s is in use by side %c of stream %u (%.63s)",
			       sg_endpoint_format(local, text), sg_port_side(entry) ? 'b' : 'a',
			       owner, owner < relay->capacity ? relay->record[owner].name : "?");
	}
	left_ms = entry & SG_PORT_RESTING ? rest_left_ms(entry, sg_now_ns()) : 0;
	if (left_ms)
		return sg_fail(err, -EEXIST,
			       "%s rests for another %.1f s, since its stream was removed: "
			       "use another port or wait",
			       sg_endpoint_format(local, text), (double)left_ms / 1000);
	return 0;
}

void sg_port_install(struct sg_relay *relay, const struct sg_endpoint *local, uint64_t entry)
{
	uint64_t *slot = entry_of(relay, local, true);

	if (slot)
		__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
}

uint64_t sg_port_rest_end(uint64_t until_ns)
{
	return (until_ns + NS_PER_SECOND - 1) / NS_PER_SECOND * NS_PER_SECOND;
}

void sg_port_rest(struct sg_relay *relay, const struct sg_endpoint *local, uint64_t until_ns)
{
	uint64_t *slot = entry_of(relay, local, false);
	uint64_t until_second = sg_port_rest_end(until_ns) / NS_PER_SECOND;

	if (slot && load(slot) & SG_PORT_LIVE)
		__atomic_store_n(slot, sg_port_resting((uint32_t)until_second), __ATOMIC_RELEASE);
}

void sg_port_sweep(struct sg_relay *relay, uint64_t now_ns, uint64_t *next_ns)
{
	uint64_t first = 0;
	uint8_t addr[16];

	for (uint32_t slot = 0; slot < SG_ADDRESS_SLOTS; slot++) {
		uint64_t *entry = &relay->port[slot * SG_PORTS_PER_ADDRESS];

		if (!sg_address_of_slot(relay, slot, addr))
			continue;
		for (uint32_t port = 0; port < SG_PORTS_PER_ADDRESS; port++) {
			uint64_t until_ns;

			if (!(entry[port] & SG_PORT_RESTING) || entry[port] & SG_PORT_LIVE)
				continue;
			until_ns = sg_port_until_second(entry[port]) * NS_PER_SECOND;
			if (until_ns <= now_ns)
				__atomic_store_n(&entry[port], 0, __ATOMIC_RELEASE);
			else if (!first || until_ns < first)
				first = until_ns;
		}
	}
	if (next_ns)
		*next_ns = first;
}

/* False for an entry that is free, or whose rest is over. */
static bool describe(uint64_t entry, uint64_t now_ns, struct sg_port_info *out)
{
	out->resting = !(entry & SG_PORT_LIVE);
	out->rest_left_ms = 0;
	out->stream = 0;
	out->side = SG_SIDE_A;
	out->slot = 0;
	out->component = SG_RTP;
	if (out->resting) {
		out->rest_left_ms = entry & SG_PORT_RESTING ? rest_left_ms(entry, now_ns) : 0;
		return out->rest_left_ms > 0;
	}
	out->stream = sg_port_stream(entry);
	out->side = (enum sg_side)sg_port_side(entry);
	out->slot = sg_port_path(entry);
	out->component = (enum sg_component)sg_port_component(entry);
	return true;
}

bool sg_port_next(struct sg_relay *relay, uint32_t *cursor, struct sg_port_info *out)
{
	uint64_t now_ns = sg_now_ns();
	uint32_t i = *cursor;

	while (i < SG_ADDRESS_SLOTS * SG_PORTS_PER_ADDRESS) {
		uint32_t end = (i / SG_PORTS_PER_ADDRESS + 1) * SG_PORTS_PER_ADDRESS;

		if (!sg_address_of_slot(relay, i / SG_PORTS_PER_ADDRESS, out->local.addr)) {
			i = end;
			continue;
		}
		for (; i < end; i++) {
			uint64_t entry = load(&relay->port[i]);

			if (!entry || !describe(entry, now_ns, out))
				continue;
			out->local.port = (uint16_t)(i % SG_PORTS_PER_ADDRESS);
			*cursor = i + 1;
			return true;
		}
	}
	*cursor = i;
	return false;
}

bool sg_port_get(struct sg_relay *relay, const struct sg_endpoint *local, struct sg_port_info *out)
{
	const uint64_t *slot = entry_of(relay, local, false);
	uint64_t entry = slot ? load(slot) : 0;

	if (!entry)
		return false;
	out->local = *local;
	return describe(entry, sg_now_ns(), out);
}
