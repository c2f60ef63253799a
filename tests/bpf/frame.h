/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds frames with correct checksums, and takes them apart again checking every checksum by
 * summing everything anew. Shares no code with bpf/: a wrong rewrite must not look right here.
 */
#ifndef SEGUE_TESTS_FRAME_H
#define SEGUE_TESTS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/model.h"

#define FRAME_MAX 4096
#define FRAME_DF 0x4000 /* values of frame_spec.fragment */
#define FRAME_MF 0x2000

struct frame {
	uint8_t data[FRAME_MAX];
	size_t length;
};

struct frame_spec {
	uint8_t eth_dst[6], eth_src[6];
	uint16_t vlan; /* tag control, host order; 0: untagged */
	struct model_endpoint src, dst;
	uint8_t tos;	       /* DSCP << 2 | ECN */
	uint8_t ttl;	       /* or hop limit */
	uint16_t id, fragment; /* IPv4: identification, flags and offset */
	uint32_t flow_label;   /* IPv6 */
	unsigned option_bytes; /* IPv4: no-operation options, a multiple of 4 */
	uint8_t extension;     /* IPv6: next header of 8 bytes before UDP, 0: none */
	bool no_checksum;      /* UDP checksum of 0 */
	const uint8_t *payload;
	size_t length;
};

/* payload is copied; at most FRAME_MAX bytes together. */
void frame_build(struct frame *frame, const struct frame_spec *spec);

/*
 * The other way round: *spec (its payload points into the frame). NULL, or what is wrong with the
 * frame: lengths that disagree, an IPv4 or UDP checksum that does not hold, UDP checksum 0 over
 * IPv6. Trailing bytes are an error too.
 */
const char *frame_read(const struct frame *frame, struct frame_spec *spec);

/* Internet checksum over the pieces, as it is written into a header (RFC 1071). */
uint16_t frame_checksum(uint32_t sum, const uint8_t *bytes, size_t length);
/* Sum of the IPv6 pseudo header, to start frame_checksum with. */
uint32_t frame_pseudo_v6(const uint8_t src[16], const uint8_t dst[16], uint32_t length,
			 uint8_t protocol);

bool frame_is_v4(const uint8_t addr[16]);
/* Reads or writes a 16 bit value in network order. */
uint16_t frame_get16(const uint8_t *bytes);
void frame_put16(uint8_t *bytes, uint16_t value);

#endif
