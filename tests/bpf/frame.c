/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <string.h>

#define ETH_BYTES 14
#define UDP_BYTES 8
#define PROTOCOL_UDP 17

uint16_t frame_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void frame_put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

bool frame_is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

uint16_t frame_checksum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	sum = sum_bytes(sum, bytes, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t frame_pseudo_v6(const uint8_t src[16], const uint8_t dst[16], uint32_t length,
			 uint8_t protocol)
{
	return sum_bytes(sum_bytes(0, src, 16), dst, 16) + length + protocol;
}

/* An IPv4 pseudo header sums to the same as one of IPv6 with only the last four bytes. */
static uint32_t pseudo(const struct frame_spec *spec, size_t udp_length)
{
	if (!frame_is_v4(spec->src.addr))
		return frame_pseudo_v6(spec->src.addr, spec->dst.addr, (uint32_t)udp_length,
				       PROTOCOL_UDP);
	return sum_bytes(sum_bytes(0, spec->src.addr + 12, 4), spec->dst.addr + 12, 4) +
	       (uint32_t)udp_length + PROTOCOL_UDP;
}

static size_t build_ethernet(uint8_t *at, const struct frame_spec *spec)
{
	uint16_t type = frame_is_v4(spec->src.addr) ? 0x0800 : 0x86dd;

	memcpy(at, spec->eth_dst, 6);
	memcpy(at + 6, spec->eth_src, 6);
	if (!spec->vlan) {
		frame_put16(at + 12, type);
		return ETH_BYTES;
	}
	frame_put16(at + 12, 0x8100);
	frame_put16(at + 14, spec->vlan);
	frame_put16(at + 16, type);
	return ETH_BYTES + 4;
}

static size_t build_ipv4(uint8_t *at, const struct frame_spec *spec)
{
	size_t length = 20 + spec->option_bytes;

	memset(at, 1, length); /* options: no-operation */
	at[0] = (uint8_t)(0x40 | length / 4);
	at[1] = spec->tos;
	frame_put16(at + 2, (uint16_t)(length + UDP_BYTES + spec->length));
	frame_put16(at + 4, spec->id);
	frame_put16(at + 6, spec->fragment);
	at[8] = spec->ttl;
	at[9] = PROTOCOL_UDP;
	frame_put16(at + 10, 0);
	memcpy(at + 12, spec->src.addr + 12, 4);
	memcpy(at + 16, spec->dst.addr + 12, 4);
	frame_put16(at + 10, frame_checksum(0, at, length));
	return length;
}

static size_t build_ipv6(uint8_t *at, const struct frame_spec *spec)
{
	size_t extra = spec->extension ? 8 : 0;

	at[0] = (uint8_t)(0x60 | spec->tos >> 4);
	at[1] = (uint8_t)(spec->tos << 4 | (spec->flow_label >> 16 & 0xf));
	frame_put16(at + 2, (uint16_t)spec->flow_label);
	frame_put16(at + 4, (uint16_t)(extra + UDP_BYTES + spec->length));
	at[6] = spec->extension ? spec->extension : PROTOCOL_UDP;
	at[7] = spec->ttl;
	memcpy(at + 8, spec->src.addr, 16);
	memcpy(at + 24, spec->dst.addr, 16);
	if (extra) {
		memset(at + 40, 0, extra);
		at[40] = PROTOCOL_UDP;
		at[42] = 1; /* PadN, so that it is also a valid options header */
		at[43] = 4;
	}
	return 40 + extra;
}

static size_t build_udp(uint8_t *at, const struct frame_spec *spec)
{
	size_t length = UDP_BYTES + spec->length;
	uint16_t sum;

	frame_put16(at, spec->src.port);
	frame_put16(at + 2, spec->dst.port);
	frame_put16(at + 4, (uint16_t)length);
	frame_put16(at + 6, 0);
	memcpy(at + UDP_BYTES, spec->payload, spec->length);
	sum = frame_checksum(pseudo(spec, length), at, length);
	if (!spec->no_checksum)
		frame_put16(at + 6, sum ? sum : 0xffff);
	return length;
}

void frame_build(struct frame *frame, const struct frame_spec *spec)
{
	size_t at = build_ethernet(frame->data, spec);

	if (frame_is_v4(spec->src.addr))
		at += build_ipv4(frame->data + at, spec);
	else
		at += build_ipv6(frame->data + at, spec);
	frame->length = at + build_udp(frame->data + at, spec);
}

static const char *read_ipv4(const uint8_t *at, size_t left, struct frame_spec *spec, size_t *used)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (left < 20 || at[0] != 0x45)
		return "not IPv4 without options";
	if (frame_get16(at + 2) != left)
		return "IPv4 total length is not that of the frame";
	if (frame_checksum(0, at, 20) != 0)
		return "IPv4 header checksum";
	if (at[9] != PROTOCOL_UDP)
		return "not UDP over IPv4";
	spec->tos = at[1];
	spec->id = frame_get16(at + 4);
	spec->fragment = frame_get16(at + 6);
	spec->ttl = at[8];
	memcpy(spec->src.addr, mapped, 12);
	memcpy(spec->dst.addr, mapped, 12);
	memcpy(spec->src.addr + 12, at + 12, 4);
	memcpy(spec->dst.addr + 12, at + 16, 4);
	*used = 20;
	return NULL;
}

static const char *read_ipv6(const uint8_t *at, size_t left, struct frame_spec *spec, size_t *used)
{
	if (left < 40 || at[0] >> 4 != 6)
		return "not IPv6";
	if (frame_get16(at + 4) != left - 40)
		return "IPv6 payload length is not that of the frame";
	if (at[6] != PROTOCOL_UDP)
		return "not UDP over IPv6";
	spec->tos = (uint8_t)(at[0] << 4 | at[1] >> 4);
	spec->flow_label = (uint32_t)(at[1] & 0xf) << 16 | frame_get16(at + 2);
	spec->ttl = at[7];
	memcpy(spec->src.addr, at + 8, 16);
	memcpy(spec->dst.addr, at + 24, 16);
	*used = 40;
	return NULL;
}

static const char *read_udp(const uint8_t *at, size_t left, struct frame_spec *spec)
{
	if (left < UDP_BYTES || frame_get16(at + 4) != left)
		return "UDP length is not that of the frame";
	spec->src.port = frame_get16(at);
	spec->dst.port = frame_get16(at + 2);
	spec->no_checksum = frame_get16(at + 6) == 0;
	if (spec->no_checksum && !frame_is_v4(spec->src.addr))
		return "UDP checksum 0 over IPv6";
	if (!spec->no_checksum && frame_checksum(pseudo(spec, left), at, left) != 0)
		return "UDP checksum";
	spec->payload = at + UDP_BYTES;
	spec->length = left - UDP_BYTES;
	return NULL;
}

const char *frame_read(const struct frame *frame, struct frame_spec *spec)
{
	const uint8_t *data = frame->data;
	size_t at = ETH_BYTES, used = 0;
	uint16_t type;
	const char *wrong;

	memset(spec, 0, sizeof(*spec));
	if (frame->length < ETH_BYTES + 4)
		return "shorter than an Ethernet header";
	memcpy(spec->eth_dst, data, 6);
	memcpy(spec->eth_src, data + 6, 6);
	type = frame_get16(data + 12);
	if (type == 0x8100) {
		spec->vlan = frame_get16(data + 14);
		type = frame_get16(data + 16);
		at += 4;
	}
	if (type == 0x0800)
		wrong = read_ipv4(data + at, frame->length - at, spec, &used);
	else if (type == 0x86dd)
		wrong = read_ipv6(data + at, frame->length - at, spec, &used);
	else
		wrong = "neither IPv4 nor IPv6";
	if (wrong)
		return wrong;
	return read_udp(data + at + used, frame->length - at - used, spec);
}
