// SPDX-License-Identifier: BSD-2-Clause
#include "rtp.h"

#include <arpa/inet.h>
#include <string.h>

size_t rtp_write(uint8_t out[RTP_HEADER], const struct rtp *rtp)
{
	uint16_t sequence = htons(rtp->sequence);
	uint32_t timestamp = htonl(rtp->timestamp), ssrc = htonl(rtp->ssrc);

	out[0] = 2u << 6;
	out[1] = (uint8_t)((rtp->marker ? 0x80u : 0u) | rtp->payload_type);
	memcpy(out + 2, &sequence, sizeof(sequence));
	memcpy(out + 4, &timestamp, sizeof(timestamp));
	memcpy(out + 8, &ssrc, sizeof(ssrc));
	return RTP_HEADER;
}

/* CSRCs, an extension and padding stand around the payload. */
static bool find_payload(struct rtp *out, const uint8_t *data, size_t size)
{
	size_t begin = RTP_HEADER + 4u * (data[0] & 0x0f);
	uint16_t words;

	if (data[0] & 0x10) {
		if (begin + 4 > size)
			return false;
		memcpy(&words, data + begin + 2, sizeof(words));
		begin += 4 + 4u * ntohs(words);
	}
	if (data[0] & 0x20)
		size = data[size - 1] <= size ? size - data[size - 1] : 0;
	if (begin > size)
		return false;
	out->payload = data + begin;
	out->length = size - begin;
	return true;
}

bool rtp_read(struct rtp *out, const uint8_t *data, size_t size)
{
	uint16_t sequence;
	uint32_t timestamp, ssrc;

	if (size < RTP_HEADER || data[0] >> 6 != 2)
		return false;
	out->payload_type = data[1] & 0x7f;
	if (out->payload_type >= 64 && out->payload_type <= 95)
		return false; /* RTCP (RFC 5761 4) */
	out->marker = data[1] & 0x80;
	memcpy(&sequence, data + 2, sizeof(sequence));
	memcpy(&timestamp, data + 4, sizeof(timestamp));
	memcpy(&ssrc, data + 8, sizeof(ssrc));
	out->sequence = ntohs(sequence);
	out->timestamp = ntohl(timestamp);
	out->ssrc = ntohl(ssrc);
	return find_payload(out, data, size);
}
