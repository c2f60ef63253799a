/* SPDX-License-Identifier: BSD-2-Clause */
/* The packets that rtp-peer makes: RTP whose payload can be checked, and sender reports. */
#ifndef TEST_RTPWIRE_H
#define TEST_RTPWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER 12
#define RTP_PAYLOAD_MIN 16
#define RTP_PACKET_MAX 1500
#define RTCP_REPORT 28 /* a sender report without report blocks (RFC 3550 6.4.1) */

struct rtp_packet { /* host byte order */
	uint8_t payload_type;
	bool marker;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	uint64_t sent_ns; /* CLOCK_MONOTONIC of the sender, carried in the payload */
	size_t payload;	  /* bytes, RTP_PAYLOAD_MIN.. */
};

/* Returns the packet's length. The rest of the payload is a pattern that sequence decides. */
size_t rtp_build(uint8_t out[RTP_PACKET_MAX], const struct rtp_packet *packet);
/* False if it is no RTP. `intact`: the payload is one of ours and not a bit differs. */
bool rtp_parse(struct rtp_packet *out, bool *intact, const uint8_t *data, size_t length);

bool rtcp_is(const uint8_t *data, size_t length);
size_t rtcp_build(uint8_t out[RTCP_REPORT], uint32_t ssrc, uint64_t now_ns, uint32_t timestamp,
		  uint32_t packets, uint32_t octets);
uint32_t rtcp_ssrc(const uint8_t *data);

#endif
