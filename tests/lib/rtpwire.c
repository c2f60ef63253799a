// SPDX-License-Identifier: BSD-2-Clause
#include "rtpwire.h"

#include <string.h>

static uint8_t *put(uint8_t *p, uint64_t value, unsigned bytes)
{
	while (bytes--)
		*p++ = (uint8_t)(value >> (bytes * 8));
	return p;
}

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *p++;
	return value;
}

static uint8_t pattern(const struct rtp_packet *packet, size_t at)
{
	return (uint8_t)((packet->sequence * 31u + at * 7u + packet->ssrc) ^ packet->payload);
}

size_t rtp_build(uint8_t out[RTP_PACKET_MAX], const struct rtp_packet *packet)
{
	uint8_t *p = out;

	*p++ = 2 << 6;
	*p++ = (uint8_t)((packet->marker ? 0x80 : 0) | packet->payload_type);
	p = put(p, packet->sequence, 2);
	p = put(p, packet->timestamp, 4);
	p = put(p, packet->ssrc, 4);
	p = put(p, packet->sent_ns, 8);
	for (size_t i = 8; i < packet->payload; i++)
		*p++ = pattern(packet, i);
	return (size_t)(p - out);
}

bool rtp_parse(struct rtp_packet *out, bool *intact, const uint8_t *data, size_t length)
{
	*intact = false;
	if (length < RTP_HEADER || data[0] >> 6 != 2)
		return false;
	out->marker = data[1] & 0x80;
	out->payload_type = data[1] & 0x7f;
	out->sequence = (uint16_t)get(data + 2, 2);
	out->timestamp = (uint32_t)get(data + 4, 4);
	out->ssrc = (uint32_t)get(data + 8, 4);
	out->payload = length - RTP_HEADER;
	out->sent_ns = 0;
	if (data[0] != 2 << 6 || out->payload < RTP_PAYLOAD_MIN)
		return true;
	for (size_t i = 8; i < out->payload; i++) {
		if (data[RTP_HEADER + i] != pattern(out, i))
			return true;
	}
	out->sent_ns = get(data + RTP_HEADER, 8);
	*intact = true;
	return true;
}

bool rtcp_is(const uint8_t *data, size_t length)
{
	return length >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

size_t rtcp_build(uint8_t out[RTCP_REPORT], uint32_t ssrc, uint64_t now_ns, uint32_t timestamp,
		  uint32_t packets, uint32_t octets)
{
	uint8_t *p = out;

	p = put(p, 0x80c8, 2); /* version 2, no report blocks, packet type SR */
	p = put(p, RTCP_REPORT / 4 - 1, 2);
	p = put(p, ssrc, 4);
	p = put(p, now_ns / 1000000000u, 4);
	p = put(p, (now_ns % 1000000000u << 32) / 1000000000u, 4);
	p = put(p, timestamp, 4);
	p = put(p, packets, 4);
	p = put(p, octets, 4);
	return (size_t)(p - out);
}

uint32_t rtcp_ssrc(const uint8_t *data)
{
	return (uint32_t)get(data + 4, 4);
}
