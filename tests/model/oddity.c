/* SPDX-License-Identifier: BSD-2-Clause */
#include "oddity.h"

#include <string.h>

/*
 * 192.0.2.1 is ours on side A, 198.51.100.1 on side B; path i of a side has the ports 30000 + 2i
 * of ours and comes from host 10 + i. Slot 3 is IPv6 on both sides.
 */
static void endpoint(struct model_endpoint *out, unsigned side, unsigned slot, unsigned host,
		     unsigned port)
{
	static const uint8_t v4[SG_SIDES][16] = {
		{[10] = 0xff, [11] = 0xff, 192, 0, 2, 0},
		{[10] = 0xff, [11] = 0xff, 198, 51, 100, 0},
	};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (slot == 3) {
		memcpy(out->addr, v6, sizeof(v6));
		out->addr[7] = (uint8_t)side;
	} else {
		memcpy(out->addr, v4[side], sizeof(v4[side]));
	}
	out->addr[15] = (uint8_t)host;
	out->port = (uint16_t)port;
}

static void set_path(struct model_path *path, unsigned side, unsigned slot, bool mux)
{
	for (unsigned c = 0; c < SG_COMPONENTS; c++) {
		unsigned step = mux ? 0 : c;

		endpoint(&path->local[c], side, slot, 1, 30000 + 2 * slot + step);
		endpoint(&path->remote[c], side, slot, 10 + slot, 40000 + 2 * slot + step);
	}
	path->used = true;
	path->hop_usable = true;
}

static uint64_t make_route(uint32_t send_a, uint32_t listen_a, uint32_t send_b, uint32_t listen_b)
{
	return (uint64_t)send_a | (uint64_t)listen_a << 8 | (uint64_t)send_b << 16 |
	       (uint64_t)listen_b << 24;
}

uint64_t oddity_first_route(void)
{
	return make_route(3, 3, 3, 3) | SG_ROUTE_OPEN_AB | SG_ROUTE_OPEN_BA |
	       1ull << SG_ROUTE_VERSION_SHIFT;
}

void generator_stream(const struct generator *g, struct model_stream *stream)
{
	memset(stream, 0, sizeof(*stream));
	stream->params = g->options.params;
	stream->route = g->route;
	for (unsigned side = 0; side < SG_SIDES; side++) {
		for (unsigned slot = 0; slot < GENERATOR_PATHS; slot++)
			set_path(&stream->path[side][slot], side, slot, g->options.mux);
	}
}

/* One of the paths in the mask; 0 if it is empty. */
static uint64_t some_active(struct generator *g, uint32_t send)
{
	uint32_t slot = rng_below(&g->rng, GENERATOR_PATHS);

	for (unsigned i = 0; send && i < GENERATOR_PATHS; i++) {
		if (send >> ((slot + i) % GENERATOR_PATHS) & 1)
			return (slot + i) % GENERATOR_PATHS;
	}
	return 0;
}

static uint64_t some_route(struct generator *g)
{
	uint64_t version = (g->route >> SG_ROUTE_VERSION_SHIFT) + 1;
	uint32_t send_a = rng_below(&g->rng, 1u << GENERATOR_PATHS);
	uint32_t send_b = rng_below(&g->rng, 1u << GENERATOR_PATHS);
	uint64_t route =
		make_route(send_a, 3 | rng_below(&g->rng, 16), send_b, 3 | rng_below(&g->rng, 16));

	if (rng_one_in(&g->rng, 10)) /* a path that is not listened to */
		route &= ~(rng_one_in(&g->rng, 2) ? 1ull << 8 : 1ull << 25);
	route |= some_active(g, send_a) << 32 | some_active(g, send_b) << 36;
	if (!rng_one_in(&g->rng, 5))
		route |= SG_ROUTE_OPEN_AB;
	if (!rng_one_in(&g->rng, 5))
		route |= SG_ROUTE_OPEN_BA;
	return route | version << SG_ROUTE_VERSION_SHIFT;
}

bool oddity_change(struct generator *g, struct generator_item *item)
{
	if (!rng_one_in(&g->rng, 300))
		return false;
	if (rng_one_in(&g->rng, 2)) {
		item->kind = GENERATOR_HOP;
		item->side = rng_below(&g->rng, SG_SIDES);
		item->slot = rng_below(&g->rng, GENERATOR_PATHS);
		item->usable = !rng_one_in(&g->rng, 3);
		return true;
	}
	item->kind = GENERATOR_ROUTE;
	/* Closed now and then, and most often as an ordinary call is: otherwise little passes. */
	switch (rng_below(&g->rng, 12)) {
	case 0:
		item->route = 0;
		break;
	case 1:
	case 2:
	case 3:
	case 4:
		item->route = some_route(g);
		break;
	default:
		item->route = oddity_first_route();
		break;
	}
	g->route = item->route ? item->route : g->route;
	return true;
}

static void put_be32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* RFC 3550 section 5.1; the rest of the payload names the packet, so that a mix-up shows. */
static void write_rtp(const struct generator_flight *copy, struct generator_item *item)
{
	uint8_t *p = item->payload;

	p[0] = 0x80;
	p[1] = 8;
	p[2] = (uint8_t)(copy->sequence >> 8);
	p[3] = (uint8_t)copy->sequence;
	put_be32(p + 4, copy->sequence * 160u);
	put_be32(p + 8, copy->ssrc);
	item->packet.length = 12 + copy->sequence % 40;
	for (size_t i = 12; i < item->packet.length; i++)
		p[i] = (uint8_t)(copy->sequence + i);
}

/* RFC 3550 section 6.4.2: an empty receiver report. */
static void write_rtcp(const struct generator_flight *copy, struct generator_item *item)
{
	item->payload[0] = 0x80;
	item->payload[1] = 201;
	item->payload[3] = 1;
	put_be32(item->payload + 4, copy->ssrc);
	item->packet.length = 8;
}

static void spoil(struct generator *g, struct generator_item *item)
{
	struct model_packet *packet = &item->packet;
	unsigned slot;

	switch (rng_below(&g->rng, 8)) {
	case 0:
		packet->source.addr[15] ^= (uint8_t)(1 + rng_below(&g->rng, 255));
		break;
	case 1:
		packet->source.port ^= (uint16_t)(1u << rng_below(&g->rng, 16));
		break;
	case 2: /* the source of another path */
		endpoint(&packet->source, packet->side, 2, 12, 40004);
		break;
	case 3:
		item->payload[0] = (uint8_t)rng_u64(&g->rng);
		break;
	case 4:
		packet->length = rng_below(&g->rng, 13);
		break;
	case 5:
		item->payload[1] = (uint8_t)(190 + rng_below(&g->rng, 36));
		break;
	default: /* on a path that is often not listened to */
		slot = 2 + rng_below(&g->rng, 2);
		endpoint(&packet->local, packet->side, slot, 1, 30000 + 2 * slot);
		endpoint(&packet->source, packet->side, slot, 10 + slot, 40000 + 2 * slot);
		packet->component = g->options.mux ? SG_MUX : SG_RTP;
		break;
	}
}

void oddity_packet(struct generator *g, const struct generator_flight *copy,
		   struct generator_item *item)
{
	struct model_packet *packet = &item->packet;
	struct model_path path;
	unsigned component = copy->rtcp && !g->options.mux ? SG_RTCP : SG_RTP;

	set_path(&path, copy->side, copy->path, g->options.mux);
	item->kind = GENERATOR_PACKET;
	packet->time_ns = g->now_ns;
	packet->side = copy->side;
	packet->component = g->options.mux ? SG_MUX : component;
	packet->local = path.local[component];
	packet->source = path.remote[component];
	packet->payload = item->payload;
	if (copy->rtcp)
		write_rtcp(copy, item);
	else
		write_rtp(copy, item);
	if (g->options.admission && rng_one_in(&g->rng, 40))
		spoil(g, item);
}
