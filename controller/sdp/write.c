// SPDX-License-Identifier: BSD-2-Clause
/* The edited description: which lines are replaced, added, left out. */
#include <errno.h>

#include "sdp/line.h"

#define HOSTS (2u + 2u * SDP_MEDIA) /* o=, c= and a=rtcp of each section */

struct writer {
	const struct sdp *sdp;
	const struct sdp_edit *edit;
	struct buf *out;
	struct str line_end;	/* as the description's first line ends */
	struct str host[HOSTS]; /* addresses and names of the other side, as written */
	size_t hosts;
};

/* What one section holds by itself. */
struct scan {
	bool origin, connection, direction;
	enum sdp_direction said;    /* by the direction line */
	struct str connection_line; /* without its line end */
};

/* ---- addresses that must not leave (SG-53)
 * -------------------------------------------------------
 */

static void add_host(struct writer *writer, struct str host)
{
	struct netaddr address;

	/* "::" and 0.0.0.0 tell nothing; a word without a dot or colon could be any word. */
	if (str_index(host, '.') == host.n && str_index(host, ':') == host.n)
		return;
	if (!netaddr_parse_host(&address, host, 0) && netaddr_is_any(&address))
		return;
	for (size_t i = 0; i < writer->hosts; i++) {
		if (str_case_eq(writer->host[i], host))
			return;
	}
	if (writer->hosts < HOSTS)
		writer->host[writer->hosts++] = host;
}

static struct str nth_word(struct str text, unsigned n)
{
	struct str word = STR_NONE;

	while (n-- && sdp_word(&text, &word))
		;
	return word;
}

static void collect_hosts(struct writer *writer)
{
	struct str rest = writer->sdp->text, value;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		struct sdp_connection connection;
		const char *why;

		switch (sdp_line_kind(&line)) {
		case SDP_LINE_ORIGIN:
			add_host(writer, nth_word(line.value, 6));
			break;
		case SDP_LINE_CONNECTION:
			if (!sdp_connection_parse(&connection, line.value, &why))
				add_host(writer, connection.literal);
			break;
		case SDP_LINE_RTCP:
			sdp_attribute(&line, &value);
			add_host(writer, nth_word(value, 4));
			break;
		default:
			break;
		}
	}
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Alike but for the case of letters, or nearly: a quick look before the whole is compared. */
static bool may_be(char a, char b)
{
	return !((a ^ b) & ~0x20);
}

/* 10.0.0.1 is in "sip:10.0.0.1:5060" but not in "110.0.0.12". */
static bool mentions(struct str text, struct str host)
{
	for (size_t at = 0; at + host.n <= text.n; at++) {
		struct str here = {text.p + at, text.n - at};

		if (may_be(*here.p, *host.p) && str_case_starts(here, host) &&
		    (!at || !is_alnum(text.p[at - 1])) &&
		    (here.n == host.n || !is_alnum(here.p[host.n])))
			return true;
	}
	return false;
}

static bool leaks(const struct writer *writer, struct str text)
{
	for (size_t i = 0; i < writer->hosts; i++) {
		if (mentions(text, writer->host[i]))
			return true;
	}
	return false;
}

/* ---- lines
 * ----------------------------------------------------------------------------------------
 */

static void end_line(const struct writer *writer)
{
	buf_add(writer->out, writer->line_end);
}

/* As it came; a last line without an end gets one (RFC 8866 5). */
static void copy(const struct writer *writer, const struct sdp_line *line)
{
	buf_add(writer->out, line->whole);
	if (line->whole.n == line->text.n)
		end_line(writer);
}

/* One that we do not know: it leaves unless it tells an address. s= has to be there (RFC 8866 5.3).
 */
static void copy_unless_leaking(const struct writer *writer, const struct sdp_line *line)
{
	if (!leaks(writer, line->text)) {
		copy(writer, line);
	} else if (line->type == 's') {
		buf_add(writer->out, STR("s=-"));
		end_line(writer);
	}
}

static void write_host(const struct writer *writer, const struct netaddr *host)
{
	char text[NETADDR_STRLEN];

	buf_add(writer->out, netaddr_is_ipv4(host) ? STR("IN IP4 ") : STR("IN IP6 "));
	buf_add(writer->out, str_of(netaddr_format_host(host, text)));
}

static void write_connection(const struct writer *writer, const struct netaddr *host)
{
	buf_add(writer->out, STR("c="));
	write_host(writer, host);
	end_line(writer);
}

static void write_origin(const struct writer *writer)
{
	const struct sdp_edit *edit = writer->edit;

	buf_add(writer->out, STR("o="));
	buf_add(writer->out, edit->username.n ? edit->username : STR("-"));
	buf_add_char(writer->out, ' ');
	buf_add_u64(writer->out, edit->session_id);
	buf_add_char(writer->out, ' ');
	buf_add_u64(writer->out, edit->version);
	buf_add_char(writer->out, ' ');
	write_host(writer, &edit->origin);
	end_line(writer);
}

static void write_direction(const struct writer *writer, enum sdp_direction direction)
{
	buf_add(writer->out, STR("a="));
	buf_add(writer->out, str_of(sdp_direction_name(direction)));
	end_line(writer);
}

static struct scan scan_section(struct str rest)
{
	struct scan scan = {.said = SDP_SENDRECV};
	struct sdp_line line;
	struct str value;

	while (sdp_line_next(&rest, &line)) {
		switch (sdp_line_kind(&line)) {
		case SDP_LINE_ORIGIN:
			scan.origin = true;
			break;
		case SDP_LINE_CONNECTION:
			if (!scan.connection)
				scan.connection_line = line.text;
			scan.connection = true;
			break;
		case SDP_LINE_DIRECTION:
			sdp_direction_parse(&scan.said, sdp_attribute(&line, &value));
			scan.direction = true;
			break;
		default:
			break;
		}
	}
	return scan;
}

/* ---- the session's lines
 * --------------------------------------------------------------------------
 */

static void write_session(const struct writer *writer, const struct scan *scan)
{
	struct str rest = writer->sdp->session;
	bool connection = false, origin = !scan->origin;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		/* A description without its o= line gets one, where it belongs. */
		if (origin && line.type != 'v') {
			write_origin(writer);
			origin = false;
		}
		switch (sdp_line_kind(&line)) {
		case SDP_LINE_ORIGIN:
			write_origin(writer);
			break;
		case SDP_LINE_CONNECTION:
			if (!connection)
				write_connection(writer, &writer->edit->origin);
			connection = true;
			break;
		case SDP_LINE_RTCP:
		case SDP_LINE_ADDRESS:
			break;
		default:
			copy_unless_leaking(writer, &line);
		}
	}
	if (origin)
		write_origin(writer);
}

/* ---- a media section
 * ------------------------------------------------------------------------------
 */

struct section {
	const struct writer *writer;
	const struct sdp_media *media;
	const struct sdp_media_edit *edit;
	struct netaddr at; /* what its c= says */
	uint16_t port, rtcp;
	enum sdp_direction direction;
	bool connection, rtcp_line, direction_line; /* still to be added */
	bool connection_seen, rtcp_seen;
};

static void plan_section(struct section *section, const struct writer *writer, size_t index,
			 const struct scan *session)
{
	const struct sdp_media_edit *edit = &writer->edit->media[index];
	const struct sdp_media *media = &writer->sdp->media[index];
	struct scan own = scan_section(media->lines);
	/* What is off stays off: an offer of port 0 may not be answered otherwise (RFC 3264 6). */
	bool refused = edit->refuse || !media->port || !edit->rtp.port;
	enum sdp_direction said = own.direction ? own.said : session->said;

	*section = (struct section){.writer = writer, .media = media, .edit = edit};
	section->at = refused ? writer->edit->origin : edit->rtp;
	section->port = refused ? 0 : edit->rtp.port;
	section->rtcp = edit->rtcp_port ? edit->rtcp_port : section->port;
	section->direction = refused ? said : edit->direction;
	if (refused)
		return;
	section->connection =
		!own.connection &&
		!(session->connection && netaddr_same_host(&writer->edit->origin, &section->at));
	section->direction_line = !own.direction && said != edit->direction;
	section->rtcp_line =
		!media->rtcp_explicit && edit->rtcp_port && edit->rtcp_port != edit->rtp.port + 1;
}

static void add_connection(struct section *section)
{
	if (section->connection)
		write_connection(section->writer, &section->at);
	section->connection = false;
}

static void write_rtcp(const struct section *section, bool with_host)
{
	const struct writer *writer = section->writer;

	buf_add(writer->out, STR("a=rtcp:"));
	buf_add_u64(writer->out, section->rtcp);
	if (with_host) {
		buf_add_char(writer->out, ' ');
		write_host(writer, &section->at);
	}
	end_line(writer);
}

static void add_attributes(struct section *section)
{
	if (section->rtcp_line)
		write_rtcp(section, false);
	if (section->direction_line)
		write_direction(section->writer, section->direction);
	section->rtcp_line = section->direction_line = false;
}

/* The port changes, and nothing else of the line. */
static void write_media_line(const struct section *section, const struct sdp_line *line)
{
	struct buf *out = section->writer->out;
	struct str port;

	if (!sdp_media_port(line, &port))
		return;
	buf_add(out, str_from(line->whole.p, port.p));
	buf_add_u64(out, section->port);
	buf_add(out, str_from(port.p + port.n, line->whole.p + line->whole.n));
	if (line->whole.n == line->text.n)
		end_line(section->writer);
}

static void replace_rtcp(struct section *section, const struct sdp_line *line)
{
	struct str value;

	sdp_attribute(line, &value);
	if (!section->rtcp_seen && section->port)
		write_rtcp(section, nth_word(value, 2).n);
	section->rtcp_seen = true;
}

static void replace_direction(const struct section *section, const struct sdp_line *line)
{
	enum sdp_direction said = SDP_SENDRECV;
	struct str value;

	sdp_direction_parse(&said, sdp_attribute(line, &value));
	if (said == section->direction)
		copy(section->writer, line);
	else
		write_direction(section->writer, section->direction);
}

static void edit_line(struct section *section, const struct sdp_line *line)
{
	switch (sdp_line_kind(line)) {
	case SDP_LINE_MEDIA:
		write_media_line(section, line);
		break;
	case SDP_LINE_CONNECTION:
		if (!section->connection_seen)
			write_connection(section->writer, &section->at);
		section->connection_seen = true;
		break;
	case SDP_LINE_RTCP:
		replace_rtcp(section, line);
		break;
	case SDP_LINE_DIRECTION:
		replace_direction(section, line);
		break;
	case SDP_LINE_ORIGIN:
	case SDP_LINE_ADDRESS:
		break;
	default:
		copy_unless_leaking(section->writer, line);
	}
}

/* RFC 8866 5: m=, i=, c=, b=, k=, a= in this order; what is added goes where it belongs. */
static void write_section(struct section *section)
{
	struct str rest = section->media->lines;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		if (line.type != 'm' && line.type != 'i')
			add_connection(section);
		if (line.type == 'a' || line.type == '\0')
			add_attributes(section);
		edit_line(section, &line);
	}
	add_connection(section);
	add_attributes(section);
}

/*
 * Media that go past the relay: not a byte of the section changes, and where it relied on the
 * session's c=, which is ours now, it takes the old one along.
 */
static void keep_section(const struct writer *writer, const struct sdp_media *media,
			 const struct scan *session)
{
	bool bare = session->connection && !scan_section(media->lines).connection;
	struct str rest = media->lines;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		if (bare && line.type != 'm' && line.type != 'i') {
			buf_add(writer->out, session->connection_line);
			end_line(writer);
			bare = false;
		}
		copy(writer, &line);
	}
	if (bare) {
		buf_add(writer->out, session->connection_line);
		end_line(writer);
	}
}

static void set_line_end(struct writer *writer)
{
	struct str rest = writer->sdp->text;
	struct sdp_line line;

	writer->line_end = STR("\r\n");
	if (sdp_line_next(&rest, &line) && line.whole.n > line.text.n)
		writer->line_end = str_from(line.text.p + line.text.n, line.whole.p + line.whole.n);
}

int sdp_write(const struct sdp *sdp, const struct sdp_edit *edit, struct buf *out)
{
	struct writer writer = {.sdp = sdp, .edit = edit, .out = out};
	struct scan session = scan_section(sdp->session);

	set_line_end(&writer);
	collect_hosts(&writer);
	write_session(&writer, &session);
	for (size_t i = 0; i < sdp->medias; i++) {
		struct section section;

		if (edit->media[i].keep && sdp->media[i].port) {
			keep_section(&writer, &sdp->media[i], &session);
			continue;
		}
		plan_section(&section, &writer, i, &session);
		write_section(&section);
	}
	return buf_error(out);
}
