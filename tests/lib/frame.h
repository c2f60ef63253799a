/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the path simulator needs to know of an Ethernet frame, and the predicates that pick frames
 * by it ("udp port=5004 seq=65530-65535").
 */
#ifndef TEST_FRAME_H
#define TEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_OTHER,
	FRAME_ARP,
	FRAME_ICMP, /* ICMP and ICMPv6, so neighbour discovery too */
	FRAME_TCP,
	FRAME_UDP,
};

enum frame_media {
	MEDIA_NONE,
	MEDIA_RTP,
	MEDIA_RTCP, /* packet types 192-223 (RFC 5761 section 4) */
};

/* Host byte order throughout. Fields that do not apply are 0. */
struct frame_info {
	enum frame_kind kind;
	enum frame_media media;
	unsigned ip; /* 4, 6 or 0 */
	uint16_t source_port, port;
	uint32_t ssrc;
	uint16_t sequence;
};

/* Never reads beyond `length`; VLAN tags are looked through, fragments have no ports. */
void frame_parse(struct frame_info *out, const uint8_t *frame, size_t length);
const char *frame_kind_name(enum frame_kind kind);
const char *frame_media_name(enum frame_media media);

/* All the terms given must hold. */
struct frame_match {
	bool any;		/* no term: matches everything */
	enum frame_kind kind;	/* FRAME_OTHER: any kind */
	enum frame_media media; /* MEDIA_NONE: any */
	unsigned ip;		/* 0: any */
	uint16_t port;		/* source or destination; 0: any */
	bool by_sequence;
	uint16_t first, last; /* inclusive, may wrap */
};

/*
 * Terms, separated by blanks: any udp tcp arp icmp ip4 ip6 rtp rtcp port=N seq=N seq=N-M.
 * False when a term is unknown or out of range.
 */
bool frame_match_parse(struct frame_match *out, const char *text);
bool frame_matches(const struct frame_match *match, const struct frame_info *info);

#endif
