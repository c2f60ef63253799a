// SPDX-License-Identifier: BSD-2-Clause
#include "sdp/line.h"

#include <errno.h>

#define PIECE 128u

/* By pieces, so that lines which end in one character are not searched to the end for the other. */
static size_t line_length(struct str rest)
{
	for (size_t at = 0; at < rest.n; at += PIECE) {
		struct str piece = {rest.p + at, rest.n - at < PIECE ? rest.n - at : PIECE};
		size_t end = str_index((struct str){piece.p, str_index(piece, '\n')}, '\r');

		if (end < piece.n)
			return at + end;
	}
	return rest.n;
}

bool sdp_line_next(struct str *rest, struct sdp_line *line)
{
	size_t length = line_length(*rest), whole = length;

	if (!rest->n)
		return false;
	if (length < rest->n)
		whole += str_starts((struct str){rest->p + length, rest->n - length}, STR("\r\n"))
				 ? 2
				 : 1;
	line->whole = (struct str){rest->p, whole};
	line->text = (struct str){rest->p, length};
	line->value = STR_NONE;
	if (length >= 2 && rest->p[1] == '=') {
		line->type = rest->p[0];
		line->value = (struct str){rest->p + 2, length - 2};
	} else {
		line->type = str_trim(line->text).n ? '?' : '\0';
	}
	*rest = (struct str){rest->p + whole, rest->n - whole};
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool sdp_word(struct str *rest, struct str *word)
{
	size_t begin = 0, end;

	while (begin < rest->n && is_blank(rest->p[begin]))
		begin++;
	end = begin;
	while (end < rest->n && !is_blank(rest->p[end]))
		end++;
	*word = (struct str){rest->p + begin, end - begin};
	*rest = (struct str){rest->p + end, rest->n - end};
	return word->n;
}

struct str sdp_attribute(const struct sdp_line *line, struct str *value)
{
	size_t colon = str_index(line->value, ':');

	if (colon < line->value.n)
		*value = str_trim(
			str_from(line->value.p + colon + 1, line->value.p + line->value.n));
	else
		*value = (struct str){line->value.p + line->value.n, 0};
	return str_trim((struct str){line->value.p, colon});
}

bool sdp_direction_parse(enum sdp_direction *out, struct str name)
{
	/* All four are as long: most attributes are none of them. */
	if (name.n != sizeof("sendrecv") - 1)
		return false;
	for (unsigned direction = SDP_INACTIVE; direction <= SDP_SENDRECV; direction++) {
		if (str_case_eq(name, str_of(sdp_direction_name(direction)))) {
			*out = direction;
			return true;
		}
	}
	return false;
}

/*
 * ICE (RFC 8839) ends at a relay that does not take part in it, and so do its forerunners: a list
 * of other addresses for the same media would lead it past us.
 */
static bool names_addresses(struct str name)
{
	static const struct str names[] = {
		STR("candidate"),
		STR("remote-candidates"),
		STR("end-of-candidates"),
		STR("ice2"),
		STR("alt"),	      /* CounterPath's phones, before ICE */
		STR("altc"),	      /* RFC 6947 */
		STR("source-filter"), /* RFC 4570 */
	};

	if (str_case_starts(name, STR("ice-")))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_case_eq(name, names[i]))
			return true;
	}
	return false;
}

static enum sdp_line_kind attribute_kind(const struct sdp_line *line)
{
	struct str value, name = sdp_attribute(line, &value);
	enum sdp_direction direction;

	if (str_case_eq(name, STR("rtcp")))
		return SDP_LINE_RTCP;
	if (sdp_direction_parse(&direction, name))
		return SDP_LINE_DIRECTION;
	return names_addresses(name) ? SDP_LINE_ADDRESS : SDP_LINE_OTHER;
}

enum sdp_line_kind sdp_line_kind(const struct sdp_line *line)
{
	switch (line->type) {
	case '\0':
		return SDP_LINE_EMPTY;
	case 'o':
		return SDP_LINE_ORIGIN;
	case 'c':
		return SDP_LINE_CONNECTION;
	case 'm':
		return SDP_LINE_MEDIA;
	case 'a':
		return attribute_kind(line);
	default:
		return SDP_LINE_OTHER;
	}
}

/* A host name has a letter somewhere: 192.0.2.999 is a bad address, not a name. */
static bool is_name(struct str host)
{
	bool letter = false;

	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alpha && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
			return false;
		letter = letter || alpha;
	}
	return letter;
}

static bool is_group(const struct netaddr *host)
{
	return netaddr_is_ipv4(host) ? host->addr[12] >= 224 : host->addr[0] == 0xff;
}

int sdp_connection_parse(struct sdp_connection *out, struct str value, const char **why)
{
	struct str network, family, host;

	*out = (struct sdp_connection){0};
	*why = "wants NETWORK FAMILY ADDRESS";
	if (!sdp_word(&value, &network) || !sdp_word(&value, &family) || !sdp_word(&value, &host))
		return -EINVAL;
	/* Unicast has neither TTL nor count (RFC 8866 5.7), yet some senders write one. */
	host.n = str_index(host, '/');
	out->literal = host;
	if (!str_case_eq(network, STR("IN")))
		return 0;
	if (netaddr_parse_host(&out->host, host, 0)) {
		out->name = is_name(host);
		*why = "holds neither an address nor a name";
		return out->name ? 0 : -EINVAL;
	}
	*why = "is a multicast address, which cannot be relayed";
	if (is_group(&out->host))
		return -EINVAL;
	out->internet = true;
	return 0;
}

bool sdp_media_port(const struct sdp_line *line, struct str *port)
{
	struct str rest = line->value, type;

	return sdp_word(&rest, &type) && sdp_word(&rest, port);
}
