/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Phases 2 and 3: find the stream that a packet belongs to, and decide whether its source and its
 * kind may enter.
 */
#ifndef SEGUE_BPF_ADMIT_H
#define SEGUE_BPF_ADMIT_H

#include "context.h"

#define SG_RTP_HLEN 12u
#define SG_HEADERS_MASK 127u /* Ethernet, VLAN, IPv6 and UDP are 66 bytes */
#define SG_RTCP_HLEN 8u
#define SG_RTCP_TYPE_MIN 192u /* RFC 5761 section 4 */
#define SG_RTCP_TYPE_MAX 223u

struct sg_rtp_header {
	__u8 first; /* version, padding, extension, CSRC count */
	__u8 type;  /* marker and payload type; RTCP: packet type */
	__be16 sequence;
	__be32 timestamp;
	__be32 ssrc;
};

/* Both are aligned to 8 bytes. */
static SG_INLINE bool sg_same_address(const __be32 a[4], const __be32 b[4])
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

/* The slot of one of our media addresses, or -1. */
static SG_INLINE int sg_find_address(const __be32 addr[4])
{
	__u32 bucket = sg_address_hash(addr);

	for (__u32 i = 0; i < SG_ADDRESS_PROBES; i++) {
		__u32 key = (bucket + i) & (SG_ADDRESS_BUCKETS - 1);
		const struct sg_address *address = bpf_map_lookup_elem(&sg_address_v1, &key);

		if (!address || !(address->used | address->addr[3] | address->addr[0]))
			return -1;
		if (address->used && sg_same_address(address->addr, addr))
			return (int)(address->slot & (SG_ADDRESS_SLOTS - 1));
	}
	return -1;
}

/* The sg_port entry of (address, port), 0 if there is none. */
static SG_INLINE __u64 sg_find_port(const __be32 addr[4], __be16 port)
{
	int slot = sg_find_address(addr);
	__u32 index;
	const __u64 *entry;

	if (slot < 0)
		return 0;
	index = (__u32)slot * SG_PORTS_PER_ADDRESS + sg_ntohs(port);
	entry = bpf_map_lookup_elem(&sg_port_v1, &index);
	return entry ? SG_READ_ONCE(*entry) : 0;
}

static SG_INLINE bool sg_path_is_source(const struct sg_path *path, const struct sg_packet *packet,
					__u32 port)
{
	port &= 1u;
	return path->remote_port[port] == packet->src_port &&
	       path->local_port[port] == packet->dst_port &&
	       sg_same_address(path->remote, packet->src) &&
	       sg_same_address(path->local, packet->dst);
}

/* The side's other paths that are listened to. Not the way of an ordinary packet. */
static SG_INLINE bool sg_find_other_path(struct sg_context *c, __u32 listen)
{
	for (__u32 slot = 0; slot < SG_PATH_SLOTS; slot++) {
		const struct sg_path *path;

		if (!(listen & 1u << slot))
			continue;
		path = sg_path_lookup(c, c->s->side, slot);
		if (path && sg_path_is_source(path, &c->s->packet, c->s->port)) {
			c->in = path;
			c->s->in_slot = slot;
			return true;
		}
	}
	return false;
}

/*
 * Paths of one side may share a local port (a party that moved), so when the path that the port
 * names is not the packet's or is not listened to, the others are tried. c->in is right when this
 * returns SG_NONE; else it is the path that the port names, and the reason SG_STANDBY or SG_SOURCE.
 */
static SG_INLINE enum sg_reason sg_find_path(struct sg_context *c)
{
	__u32 listen = sg_route_listen(c->s->route, c->s->side);
	bool source = sg_path_is_source(c->in, &c->s->packet, c->s->port);

	if (source && listen >> c->s->in_slot & 1u)
		return SG_NONE;
	if (!sg_find_other_path(c, listen))
		return source ? SG_STANDBY : SG_SOURCE;
	c->stat = sg_stat_lookup(c, c->s->side, c->s->in_slot);
	return c->stat ? SG_NONE : SG_STALE;
}

/*
 * Reads what kind of packet it is and, for RTP, its header. `component` is the port's. SG_NONE,
 * SG_NOT_MEDIA by its first byte (RFC 7983: 128..191 is RTP or RTCP, version 2), or SG_BAD_RTP if
 * it is shorter than its header. To an opaque port anything may come.
 */
static SG_INLINE enum sg_reason sg_read_media(struct sg_context *c, __u32 component)
{
	const char *end = (const char *)(long)c->xdp->data_end;
	/* Masked, since the verifier accepts no offset that could be 64 k. */
	const char *payload = (const char *)(long)c->xdp->data +
			      ((c->s->packet.l4 + SG_UDP_HLEN) & SG_HEADERS_MASK);
	const struct sg_rtp_header *rtp = (const void *)payload;
	__u32 length = c->s->packet.udp_len - SG_UDP_HLEN;

	c->s->ssrc = 0;
	c->s->sequence = 0;
	if (component == SG_OPAQUE) {
		c->s->component = SG_OPAQUE;
		return SG_NONE;
	}
	if (!length || payload + 1 > end || (rtp->first & 0xc0u) != 0x80u)
		return SG_NOT_MEDIA;
	if (length < SG_RTCP_HLEN || payload + SG_RTCP_HLEN > end)
		return SG_BAD_RTP;
	if (component == SG_MUX)
		component = rtp->type >= SG_RTCP_TYPE_MIN && rtp->type <= SG_RTCP_TYPE_MAX ? SG_RTCP
											   : SG_RTP;
	c->s->component = component;
	if (component == SG_RTCP)
		return SG_NONE;
	if (length < SG_RTP_HLEN || payload + SG_RTP_HLEN > end)
		return SG_BAD_RTP;
	c->s->sequence = sg_ntohs(rtp->sequence);
	c->s->timestamp = sg_ntohl(rtp->timestamp);
	c->s->ssrc = sg_ntohl(rtp->ssrc);
	return SG_NONE;
}

/* A source that nobody signalled: user space may learn it, so it is told what the source sent. */
static SG_INLINE void sg_report_source(struct sg_context *c, __u32 component)
{
	struct sg_event *event;

	if (sg_read_media(c, component) || c->s->component == SG_RTCP || !sg_event_due(c))
		return;
	event = sg_event_begin(c, SG_EVENT_NEW_SOURCE);
	if (!event)
		return;
	event->old_ssrc = c->stat->ssrc;
	event->old_sequence = (__u16)c->stat->highest;
	bpf_ringbuf_submit(event, 0);
}

/*
 * The port's entry names everything that a packet will need, except the path that it leaves on,
 * which is slot 0 as long as nobody moved. All of it is touched here at once: with many streams
 * these lines come from far away, and one after the other they would cost more than all else.
 */
static SG_INLINE bool sg_gather(struct sg_context *c)
{
	c->s->stream_index = sg_port_stream(c->s->entry);
	c->s->side = sg_port_side(c->s->entry);
	c->s->in_slot = sg_port_path(c->s->entry);
	c->s->out_slot = 0;
	c->stream = bpf_map_lookup_elem(&sg_stream_v1, &c->s->stream_index);
	c->in = sg_path_lookup(c, c->s->side, c->s->in_slot);
	c->out = sg_path_lookup(c, c->s->side ^ 1u, 0);
	c->stat = sg_stat_lookup(c, c->s->side, c->s->in_slot);
	c->side = sg_stat_lookup(c, c->s->side, 0);
	if (!c->stream || !c->in || !c->out || !c->stat || !c->side)
		return false;
	SG_TOUCH(c->stream->route);
	SG_TOUCH(c->in->remote[3]);
	SG_TOUCH(c->out->remote[3]);
	SG_TOUCH(c->stat->rx_packets);
	SG_TOUCH(c->side->window.id);
	return true;
}

/* The same for the paths of a packet that will leave on several: slot 0 is under way already. */
static SG_INLINE void sg_gather_copies(const struct sg_context *c)
{
	__u32 send = sg_route_send(c->s->route, c->s->side ^ 1u);

	if (!(send & (send - 1)))
		return;
	for (__u32 slot = 1; slot < SG_PATH_SLOTS; slot++) {
		const struct sg_path *out;
		const struct sg_path_stat *stat;

		if (!(send & 1u << slot))
			continue;
		out = sg_path_lookup(c, c->s->side ^ 1u, slot);
		stat = sg_stat_lookup(c, c->s->side, slot);
		if (out && stat) {
			SG_TOUCH(out->remote[3]);
			SG_TOUCH(stat->tx_packets);
		}
	}
}

/* Phase 2: whose packet is it? */
static SG_INLINE enum sg_reason sg_find(struct sg_context *c)
{
	c->s->entry = sg_find_port(c->s->packet.dst, c->s->packet.dst_port);
	if (!c->s->entry)
		return SG_NOT_OURS;
	if (!(c->s->entry & SG_PORT_LIVE))
		return SG_RESTING;
	if (!sg_gather(c) || c->stream->generation != sg_port_generation(c->s->entry))
		return SG_STALE;
	c->s->route = SG_READ_ONCE(c->stream->route);
	if (!c->s->route)
		return SG_CLOSED;
	sg_gather_copies(c);
	return c->s->packet.ttl <= 1 ? SG_TTL : SG_NONE;
}

/* Phase 3: is it media, from a path that is listened to? */
static SG_INLINE enum sg_reason sg_admit(struct sg_context *c)
{
	__u32 component = sg_port_component(c->s->entry);
	enum sg_reason reason;

	c->s->port = component == SG_RTCP ? SG_RTCP : SG_RTP;
	reason = sg_find_path(c);
	if (reason == SG_SOURCE)
		sg_report_source(c, component);
	return reason ? reason : sg_read_media(c, component);
}

#endif
