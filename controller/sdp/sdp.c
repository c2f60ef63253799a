// SPDX-License-Identifier: BSD-2-Clause
#include "sdp/sdp.h"

#include <errno.h>

#include "sdp/line.h"

#define QUOTED 60 /* bytes of a wrong line that are shown */

/* What may stand in the session, in a media section, or in both. */
struct scope {
	bool has_connection, has_direction;
	struct sdp_connection connection;
	enum sdp_direction direction;
};

struct reader {
	struct sdp *sdp;
	struct error *err;
	struct sdp_line line;
	unsigned number; /* of the line, from 1 */
	struct scope session, media;
	struct netaddr rtcp; /* of the section's a=rtcp: its host is any when it named none */
};

static int refuse(const struct reader *reader, const char *why)
{
	char shown[QUOTED + 1];
	size_t length = reader->line.text.n < QUOTED ? reader->line.text.n : QUOTED;

	for (size_t i = 0; i < length; i++) {
		char c = reader->line.text.p[i];

		shown[i] = '?';
		if (c >= ' ' && c <= '~')
			shown[i] = c;
	}
	shown[length] = '\0';
	return error_set(reader->err, -EINVAL, "SDP line %u, \"%s\", %s", reader->number, shown,
			 why);
}

static bool is_one_of(struct str proto, const struct str *protos, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_case_eq(proto, protos[i]))
			return true;
	}
	return false;
}

static bool is_rtp(struct str proto)
{
	/* RTP over TCP (RFC 4571) is not among them: the relay carries datagrams. */
	static const struct str protos[] = {
		STR("RTP/AVP"),	 STR("RTP/AVPF"),  STR("UDP/TLS/RTP/SAVP"),
		STR("RTP/SAVP"), STR("RTP/SAVPF"), STR("UDP/TLS/RTP/SAVPF"),
	};

	return is_one_of(proto, protos, sizeof(protos) / sizeof(protos[0]));
}

/* Datagrams by other protocols: T.38 (RFC 3362, RFC 7345), floor control (RFC 8856), SCTP (RFC
 * 8841). */
static bool is_opaque(struct str proto)
{
	static const struct str protos[] = {
		STR("udptl"),	     STR("UDP/TLS/UDPTL"), STR("UDP/BFCP"),
		STR("UDP/TLS/BFCP"), STR("UDP/DTLS/SCTP"), STR("udp"),
	};

	return is_one_of(proto, protos, sizeof(protos) / sizeof(protos[0]));
}

static int read_port(const struct reader *reader, struct str text, uint16_t *out)
{
	struct str port = STR_NONE;
	uint32_t value, count;

	str_split(&text, '/', &port);
	if (!str_to_u32(port, &value) || value > UINT16_MAX)
		return refuse(reader, "has no port from 0 to 65535");
	/* A range is read as its first pair: more is layered coding, which nobody sends to phones.
	 */
	if (text.n && !str_to_u32(text, &count))
		return refuse(reader, "has no number of ports behind the slash");
	*out = (uint16_t)value;
	return 0;
}

static int begin_media(struct reader *reader)
{
	struct sdp *sdp = reader->sdp;
	struct sdp_media *media = &sdp->media[sdp->medias];
	struct str rest = reader->line.value, port, format;
	int ret;

	if (sdp->medias == SDP_MEDIA)
		return refuse(reader, "is one m= line too many");
	*media = (struct sdp_media){.lines = reader->line.whole};
	if (!sdp_word(&rest, &media->type) || !sdp_word(&rest, &port) ||
	    !sdp_word(&rest, &media->proto))
		return refuse(reader, "wants TYPE PORT PROTOCOL FORMATS");
	ret = read_port(reader, port, &media->port);
	if (ret)
		return ret;
	media->rtp = is_rtp(media->proto);
	media->opaque = is_opaque(media->proto);
	while (media->formats < SDP_FORMATS && sdp_word(&rest, &format))
		media->format[media->formats++] = format;
	/* Some refuse a line and forget to keep a format. */
	if (!media->formats && media->port)
		return refuse(reader, "has no format");
	reader->media = (struct scope){0};
	reader->rtcp = (struct netaddr){0};
	sdp->medias++;
	return 0;
}

/* RFC 3264 8.4: whoever receives at 0.0.0.0 does not receive. */
static void place(struct sdp_media *media, const struct sdp_connection *at)
{
	media->has_address = at->internet;
	media->host_is_name = at->name;
	media->rtp_at = at->host;
	media->rtp_at.port = media->port;
	media->held_by_zero = at->internet && netaddr_is_any(&at->host);
	if (media->held_by_zero)
		media->direction &= SDP_SENDONLY;
}

static void place_rtcp(struct sdp_media *media, const struct netaddr *said)
{
	media->rtcp_at = media->rtp_at;
	if (media->rtcp_explicit)
		media->rtcp_at.port = said->port;
	else if (media->port && media->port < UINT16_MAX)
		media->rtcp_at.port = (uint16_t)(media->port + 1);
	else
		media->rtcp_at.port = 0;
	if (media->rtcp_explicit && !netaddr_is_any(said))
		memcpy(media->rtcp_at.addr, said->addr, sizeof(said->addr));
}

static void finish_media(struct reader *reader)
{
	static const struct sdp_connection nowhere;
	const struct scope *session = &reader->session, *own = &reader->media;
	struct sdp_media *media = &reader->sdp->media[reader->sdp->medias - 1];
	struct sdp_encoding encoding[SDP_FORMATS];

	media->direction = own->has_direction	    ? own->direction
			   : session->has_direction ? session->direction
						    : SDP_SENDRECV;
	place(media, own->has_connection       ? &own->connection
		     : session->has_connection ? &session->connection
					       : &nowhere);
	place_rtcp(media, &reader->rtcp);
	sdp_encodings(media, encoding);
	if (media->formats)
		media->clock_hz = encoding[0].clock_hz;
}

static int read_origin(struct reader *reader)
{
	struct sdp *sdp = reader->sdp;
	struct str rest = reader->line.value, user;

	if (sdp->medias)
		return 0; /* none of ours, and nobody's: it does not leave */
	if (sdp->origin.p)
		return refuse(reader, "is a second o= line");
	sdp->origin = rest;
	if (!sdp_word(&rest, &user) || !sdp_word(&rest, &sdp->session_id) ||
	    !sdp_word(&rest, &sdp->session_version))
		return refuse(reader, "wants USER ID VERSION NETWORK FAMILY ADDRESS");
	return 0;
}

static int read_connection(struct reader *reader, struct scope *scope)
{
	struct sdp_connection connection;
	const char *why;

	if (sdp_connection_parse(&connection, reader->line.value, &why))
		return refuse(reader, why);
	if (!scope->has_connection)
		scope->connection = connection;
	scope->has_connection = true;
	return 0;
}

/* RFC 3605: PORT, or PORT NETWORK FAMILY ADDRESS. */
static int read_rtcp(struct reader *reader, struct str value)
{
	struct sdp_media *media = &reader->sdp->media[reader->sdp->medias - 1];
	struct sdp_connection connection;
	struct str port;
	uint32_t number;
	const char *why;

	if (!sdp_word(&value, &port) || !str_to_u32(port, &number) || number > UINT16_MAX)
		return refuse(reader, "has no port from 0 to 65535");
	if (media->rtcp_explicit)
		return 0;
	if (str_trim(value).n) {
		if (sdp_connection_parse(&connection, value, &why))
			return refuse(reader, why);
		reader->rtcp = connection.host;
	}
	reader->rtcp.port = (uint16_t)number;
	media->rtcp_explicit = true;
	return 0;
}

static int read_attribute(struct reader *reader, struct scope *scope)
{
	struct str value, name = sdp_attribute(&reader->line, &value);
	bool in_media = scope == &reader->media;

	if (sdp_direction_parse(&scope->direction, name))
		scope->has_direction = true;
	else if (in_media && str_case_eq(name, STR("rtcp-mux")))
		reader->sdp->media[reader->sdp->medias - 1].rtcp_mux = true;
	else if (in_media && str_case_eq(name, STR("rtcp")))
		return read_rtcp(reader, value);
	return 0;
}

static int read_line(struct reader *reader)
{
	struct sdp *sdp = reader->sdp;
	struct scope *scope = sdp->medias ? &reader->media : &reader->session;

	switch (reader->line.type) {
	case '?':
		return refuse(reader, "is not of the form TYPE=VALUE");
	case 'v':
		return str_eq(str_trim(reader->line.value), STR("0"))
			       ? 0
			       : refuse(reader, "is another version than 0");
	case 'o':
		return read_origin(reader);
	case 'c':
		return read_connection(reader, scope);
	case 'a':
		return read_attribute(reader, scope);
	default:
		return 0;
	}
}

static int next_section(struct reader *reader)
{
	if (reader->sdp->medias)
		finish_media(reader);
	return begin_media(reader);
}

/* The line belongs to what came before it. */
static void grow(struct sdp *sdp, struct str whole)
{
	struct str *section = sdp->medias ? &sdp->media[sdp->medias - 1].lines : &sdp->session;

	section->n = (size_t)(whole.p + whole.n - section->p);
}

int sdp_parse(struct sdp *out, struct str text, struct error *err)
{
	struct reader reader = {.sdp = out, .err = err};
	struct str rest = text;
	int ret = 0;

	out->text = text;
	out->session = (struct str){text.p, 0};
	out->origin = out->session_id = out->session_version = STR_NONE;
	out->medias = 0;
	if (!str_trim(text).n)
		return error_set(err, -EINVAL, "SDP is empty");
	if (text.n > SDP_TEXT_MAX)
		return error_set(err, -EINVAL, "SDP has %zu bytes, over %u", text.n, SDP_TEXT_MAX);
	if (str_index(text, '\0') < text.n)
		return error_set(err, -EINVAL, "SDP has a NUL at byte %zu", str_index(text, '\0'));
	while (!ret && sdp_line_next(&rest, &reader.line)) {
		reader.number++;
		ret = reader.line.type == 'm' ? next_section(&reader) : read_line(&reader);
		if (!ret)
			grow(out, reader.line.whole);
	}
	if (!ret && out->medias)
		finish_media(&reader);
	return ret;
}

const char *sdp_direction_name(enum sdp_direction direction)
{
	static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

	return names[direction & SDP_SENDRECV];
}

enum sdp_direction sdp_direction_reversed(enum sdp_direction direction)
{
	return (direction & SDP_SENDONLY ? SDP_RECVONLY : 0u) |
	       (direction & SDP_RECVONLY ? SDP_SENDONLY : 0u);
}
