/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a packet to one stream: admission (MP-2, MP-3, MP-13), once (MP-5), send (MP-4). */
#include "model.h"

#include <string.h>

static bool same_endpoint(const struct model_endpoint *a, const struct model_endpoint *b)
{
	return a->port == b->port && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static bool listened(const struct model_stream *stream, unsigned side, int path)
{
	return (sg_route_listen(stream->route, side) >> path) & 1;
}

/*
 * The path that the packet came on: ours is its destination, theirs its source. Two slots may hold
 * the same pair while one of them rests; then the one that is listened to is meant. -1: none.
 */
static int path_of(const struct model_stream *stream, const struct model_packet *packet)
{
	unsigned component = packet->component == SG_RTCP ? SG_RTCP : SG_RTP;
	int found = -1;

	for (int i = 0; i < (int)SG_PATH_SLOTS; i++) {
		const struct model_path *path = &stream->path[packet->side][i];

		if (!path->used || !same_endpoint(&path->local[component], &packet->local) ||
		    !same_endpoint(&path->remote[component], &packet->source))
			continue;
		if (listened(stream, packet->side, i))
			return i;
		if (found < 0)
			found = i;
	}
	return found;
}

/* RFC 7983: what is not RTP or RTCP belongs to user space. */
static bool is_media(const struct model_packet *packet)
{
	return packet->length > 0 && packet->payload[0] >= 128 && packet->payload[0] <= 191;
}

/* RFC 5761 section 4: with mux, packet types 192..223 are RTCP. */
static bool is_rtcp(const struct model_packet *packet)
{
	if (packet->component == SG_MUX)
		return packet->length >= 2 && packet->payload[1] >= 192 &&
		       packet->payload[1] <= 223;
	return packet->component == SG_RTCP;
}

static uint32_t be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static enum sg_reason admit(const struct model_stream *stream, const struct model_packet *packet,
			    struct model_verdict *verdict)
{
	if (stream->route == 0)
		return SG_CLOSED;
	verdict->path = path_of(stream, packet);
	if (verdict->path < 0)
		return SG_SOURCE;
	if (!listened(stream, packet->side, verdict->path))
		return SG_STANDBY;
	if (!is_media(packet))
		return SG_NOT_MEDIA;
	verdict->rtcp = is_rtcp(packet);
	if (packet->length < (verdict->rtcp ? 8 : 12))
		return SG_BAD_RTP;
	if (!verdict->rtcp && !sg_route_open(stream->route, packet->side))
		return SG_DIRECTION;
	return SG_NONE;
}

static enum sg_reason once(struct model_stream *stream, const struct model_packet *packet,
			   struct model_verdict *verdict)
{
	verdict->windowed = true;
	verdict->ssrc = be32(packet->payload + 8);
	verdict->sequence = (uint16_t)(packet->payload[2] << 8 | packet->payload[3]);
	verdict->once =
		model_window_accept(&stream->window[packet->side], &stream->params, verdict->ssrc,
				    verdict->sequence, packet->time_ns, &verdict->late);
	return verdict->once;
}

/* RTP goes to every path in `send`, RTCP to the active one (MP-10). */
static enum sg_reason choose(const struct model_stream *stream, const struct model_packet *packet,
			     struct model_verdict *verdict)
{
	unsigned other = !packet->side;
	uint32_t send = sg_route_send(stream->route, other);

	if (verdict->rtcp)
		send &= 1u << sg_route_active(stream->route, other);
	if (!send)
		return SG_NO_PATH;
	for (unsigned i = 0; i < SG_PATH_SLOTS; i++) {
		if ((send >> i & 1) && stream->path[other][i].hop_usable)
			verdict->copies |= (uint8_t)(1u << i);
	}
	return verdict->copies ? SG_NONE : SG_NEXT_HOP;
}

void model_decide(struct model_stream *stream, const struct model_packet *packet,
		  struct model_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->path = -1;
	verdict->reason = admit(stream, packet, verdict);
	if (verdict->reason == SG_NONE && !verdict->rtcp)
		verdict->reason = once(stream, packet, verdict);
	if (verdict->reason == SG_NONE)
		verdict->reason = choose(stream, packet, verdict);
}
