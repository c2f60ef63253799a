/* SPDX-License-Identifier: BSD-2-Clause */
/* RTP packets (RFC 3550 5.1), as far as a telephone needs them. */
#ifndef SEGUE_UA_RTP_H
#define SEGUE_UA_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER 12u
#define RTP_PACKET_MAX 1500u

struct rtp { /* host byte order */
	uint8_t payload_type;
	bool marker;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	const uint8_t *payload; /* into the packet */
	size_t length;		/* of the payload */
};

/* Writes the header; the payload follows it in `out`. Returns RTP_HEADER. */
size_t rtp_write(uint8_t out[RTP_HEADER], const struct rtp *rtp);
/* False: it is no RTP (RTCP, STUN, cut off). */
bool rtp_read(struct rtp *out, const uint8_t *data, size_t size);

#endif
