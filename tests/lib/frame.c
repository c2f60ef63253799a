// SPDX-License-Identifier: BSD-2-Clause
#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void parse_media(struct frame_info *out, const uint8_t *data, size_t length)
{
	if (length < 12 || data[0] >> 6 != 2)
		return;
	if (data[1] >= 192 && data[1] <= 223) {
		out->media = MEDIA_RTCP;
		out->ssrc = be32(data + 4);
		return;
	}
	out->media = MEDIA_RTP;
	out->sequence = be16(data + 2);
	out->ssrc = be32(data + 8);
}

static void parse_transport(struct frame_info *out, unsigned protocol, const uint8_t *data,
			    size_t length)
{
	if (protocol == 1 || protocol == 58)
		out->kind = FRAME_ICMP;
	else if (protocol == 6)
		out->kind = FRAME_TCP;
	else if (protocol == 17)
		out->kind = FRAME_UDP;
	if ((out->kind != FRAME_UDP && out->kind != FRAME_TCP) || length < 8)
		return;
	out->source_port = be16(data);
	out->port = be16(data + 2);
	if (out->kind == FRAME_UDP)
		parse_media(out, data + 8, length - 8);
}

static void parse_ipv4(struct frame_info *out, const uint8_t *data, size_t length)
{
	size_t header;

	if (length < 20 || data[0] >> 4 != 4)
		return;
	header = (size_t)(data[0] & 15) * 4;
	out->ip = 4;
	if (header < 20 || header > length || (be16(data + 6) & 0x1fff))
		return;
	parse_transport(out, data[9], data + header, length - header);
}

static void parse_ipv6(struct frame_info *out, const uint8_t *data, size_t length)
{
	if (length < 40 || data[0] >> 4 != 6)
		return;
	out->ip = 6;
	/* Hop-by-hop options stand before multicast listener reports: those are ICMPv6. */
	parse_transport(out, data[6] == 0 ? 58 : data[6], data + 40, length - 40);
}

void frame_parse(struct frame_info *out, const uint8_t *frame, size_t length)
{
	size_t offset = 12;
	uint16_t type;

	memset(out, 0, sizeof(*out));
	if (length < 14)
		return;
	type = be16(frame + offset);
	while ((type == 0x8100 || type == 0x88a8) && offset + 6 <= length) {
		offset += 4;
		type = be16(frame + offset);
	}
	offset += 2;
	if (type == 0x0806)
		out->kind = FRAME_ARP;
	else if (type == 0x0800)
		parse_ipv4(out, frame + offset, length - offset);
	else if (type == 0x86dd)
		parse_ipv6(out, frame + offset, length - offset);
}

const char *frame_kind_name(enum frame_kind kind)
{
	static const char *const names[] = {"other", "arp", "icmp", "tcp", "udp"};

	return names[kind];
}

const char *frame_media_name(enum frame_media media)
{
	static const char *const names[] = {"-", "rtp", "rtcp"};

	return names[media];
}

static bool parse_u16(const char *text, char end, uint16_t *out, const char **rest)
{
	char *stop;
	unsigned long value = strtoul(text, &stop, 10);

	if (stop == text || *stop != end || value > 65535)
		return false;
	*out = (uint16_t)value;
	*rest = stop;
	return true;
}

static bool parse_sequence(struct frame_match *out, const char *text)
{
	const char *rest;

	out->by_sequence = true;
	if (parse_u16(text, '\0', &out->first, &rest)) {
		out->last = out->first;
		return true;
	}
	return parse_u16(text, '-', &out->first, &rest) &&
	       parse_u16(rest + 1, '\0', &out->last, &rest);
}

static bool parse_term(struct frame_match *out, const char *term)
{
	const char *rest;

	for (enum frame_kind kind = FRAME_ARP; kind <= FRAME_UDP; kind++) {
		if (strcmp(term, frame_kind_name(kind)) == 0) {
			out->kind = kind;
			return true;
		}
	}
	if (strcmp(term, "rtp") == 0 || strcmp(term, "rtcp") == 0) {
		out->media = strcmp(term, "rtp") == 0 ? MEDIA_RTP : MEDIA_RTCP;
		return true;
	}
	if (strcmp(term, "ip4") == 0 || strcmp(term, "ip6") == 0) {
		out->ip = (unsigned)(term[2] - '0');
		return true;
	}
	if (strncmp(term, "port=", 5) == 0)
		return parse_u16(term + 5, '\0', &out->port, &rest) && out->port != 0;
	if (strncmp(term, "seq=", 4) == 0)
		return parse_sequence(out, term + 4);
	return strcmp(term, "any") == 0;
}

bool frame_match_parse(struct frame_match *out, const char *text)
{
	char copy[256];
	char *save = NULL;
	char *term;
	int length = snprintf(copy, sizeof(copy), "%s", text);

	memset(out, 0, sizeof(*out));
	if (length < 0 || (size_t)length >= sizeof(copy))
		return false;
	for (term = strtok_r(copy, " \t\n", &save); term; term = strtok_r(NULL, " \t\n", &save)) {
		if (!parse_term(out, term))
			return false;
	}
	out->any = out->kind == FRAME_OTHER && out->media == MEDIA_NONE && !out->ip && !out->port &&
		   !out->by_sequence;
	return true;
}

bool frame_matches(const struct frame_match *match, const struct frame_info *info)
{
	if (match->any)
		return true;
	if (match->kind != FRAME_OTHER && match->kind != info->kind)
		return false;
	if (match->media != MEDIA_NONE && match->media != info->media)
		return false;
	if (match->ip && match->ip != info->ip)
		return false;
	if (match->port && match->port != info->port && match->port != info->source_port)
		return false;
	if (!match->by_sequence)
		return true;
	return info->media == MEDIA_RTP &&
	       (uint16_t)(info->sequence - match->first) <= (uint16_t)(match->last - match->first);
}
