/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a session description in its place, and what kind of line it is to a relay. */
#ifndef SEGUE_SDP_LINE_H
#define SEGUE_SDP_LINE_H

#include "sdp/sdp.h"

struct sdp_line {
	struct str whole; /* with its line end */
	struct str text;  /* without */
	char type;	  /* 'm'; '\0': empty, '?': not of the form TYPE=VALUE */
	struct str value;
};

enum sdp_line_kind {
	SDP_LINE_OTHER,	     /* none of our business */
	SDP_LINE_EMPTY,	     /* against the grammar, but harmless */
	SDP_LINE_ORIGIN,     /* o= */
	SDP_LINE_CONNECTION, /* c= */
	SDP_LINE_MEDIA,	     /* m= */
	SDP_LINE_RTCP,	     /* a=rtcp */
	SDP_LINE_DIRECTION,  /* a=sendrecv and its kin */
	SDP_LINE_ADDRESS,    /* has no purpose but to name transport addresses: ICE and the like */
};

struct sdp_connection {
	bool internet; /* network type IN with an address literal: host is set */
	bool name;     /* network type IN with a name */
	struct netaddr host;
	struct str literal; /* as written, without a TTL */
};

/* Takes the next line off *rest. CRLF, LF and CR each end a line, as other parsers see it. */
bool sdp_line_next(struct str *rest, struct sdp_line *line);
/* The next word between blanks. */
bool sdp_word(struct str *rest, struct str *word);
enum sdp_line_kind sdp_line_kind(const struct sdp_line *line);
/* The name of an a= line, and what stands behind its colon. */
struct str sdp_attribute(const struct sdp_line *line, struct str *value);
/* False when it is no direction. */
bool sdp_direction_parse(enum sdp_direction *out, struct str name);
/*
 * "IN IP4 192.0.2.1". 0, or -EINVAL with what is wrong in *why: malformed, or multicast (a relay
 * cannot stand in for a group).
 */
int sdp_connection_parse(struct sdp_connection *out, struct str value, const char **why);
/* The port of an m= line as it stands there, "5004/2". False: there is none. */
bool sdp_media_port(const struct sdp_line *line, struct str *port);

struct sdp_encoding {
	struct str name; /* "PCMU" */
	uint32_t clock_hz;
};
/*
 * What the formats (payload types) of the media stand for, one for each of media->format: a=rtpmap,
 * else the static table of RFC 3551; the name is empty where nothing says it. One pass over the
 * section, whatever it holds.
 */
void sdp_encodings(const struct sdp_media *media, struct sdp_encoding out[SDP_FORMATS]);

#endif
