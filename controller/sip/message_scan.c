// SPDX-License-Identifier: BSD-2-Clause
#include "sip/message_scan.h"

#define T SCAN_TOKEN
#define U SCAN_USER
#define H SCAN_HOST
#define P SCAN_UPARAM
#define V SCAN_VALUE
#define D SCAN_DISPLAY
#define X SCAN_URI
#define ALL (T | U | H | P | V | D | X)

/* clang-format off */
const uint8_t scan_classes[256] = {
	['0' ... '9'] = ALL | SCAN_HEX,
	['a' ... 'f'] = ALL | SCAN_HEX, ['g' ... 'z'] = ALL,
	['A' ... 'F'] = ALL | SCAN_HEX, ['G' ... 'Z'] = ALL,
	['-'] = ALL, ['.'] = ALL, ['_'] = ALL,
	['!'] = T | U | P | V | D | X, ['%'] = T | U | P | V | D | X,
	['\''] = T | U | P | V | D | X, ['*'] = T | U | P | V | D | X,
	['+'] = T | U | P | V | D | X, ['~'] = T | U | P | V | D | X,
	['`'] = T | V | D | X,
	['$'] = U | P | V | X, ['&'] = U | P | V | X, ['('] = U | P | V | X,
	[')'] = U | P | V | X, ['/'] = U | P | V | X, [':'] = U | P | V | X,
	['#'] = U | V | X, ['='] = U | V | X, ['?'] = U | V | X,
	[','] = U | X, [';'] = U | X,
	['['] = P | V | X, [']'] = P | V | X,
	['@'] = V | X, ['^'] = V | X,
	['{'] = V | X, ['|'] = V | X, ['}'] = V | X,
	[' '] = D, ['\t'] = D,
	[0x80 ... 0xff] = V | D,
};
/* clang-format on */

bool scan_quoted(struct str *rest, struct str *out)
{
	size_t at = 1;

	if (!rest->n || rest->p[0] != '"')
		return false;
	while (at < rest->n && rest->p[at] != '"')
		at += rest->p[at] == '\\' ? 2 : 1;
	if (at >= rest->n)
		return false;
	*out = (struct str){rest->p, at + 1};
	scan_skip(rest, at + 1);
	return true;
}

bool scan_escapes_good(struct str text)
{
	for (size_t at; (at = str_index(text, '%')) < text.n;) {
		scan_skip(&text, at + 1);
		if (text.n < 2 || !scan_is(text.p[0], SCAN_HEX) || !scan_is(text.p[1], SCAN_HEX))
			return false;
	}
	return true;
}

bool scan_host(struct str *rest, struct str *out)
{
	struct netaddr addr;
	size_t close;

	if (!rest->n || rest->p[0] != '[') {
		*out = scan_take(rest, SCAN_HOST);
		return out->n;
	}
	close = str_index(*rest, ']');
	if (close == rest->n)
		return false;
	*out = (struct str){rest->p, close + 1};
	scan_skip(rest, close + 1);
	return str_index(*out, ':') < out->n && !netaddr_parse_host(&addr, *out, 0);
}

bool scan_port(struct str *rest, bool blanks, uint16_t *port)
{
	uint32_t value;

	*port = 0;
	if (blanks ? !scan_separator(rest, ':') : !scan_char(rest, ':'))
		return true;
	if (!str_to_u32(scan_take(rest, SCAN_HEX), &value) || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool scan_value(struct str *rest)
{
	struct str value;

	if (rest->n && rest->p[0] == '"')
		return scan_quoted(rest, &value);
	return scan_take(rest, SCAN_VALUE).n;
}

bool scan_params(struct str *rest, struct str *out)
{
	const char *begin;
	bool good = true;

	scan_blanks(rest);
	begin = rest->p;
	*out = (struct str){begin, 0};
	while (good && scan_separator(rest, ';')) {
		good = scan_take(rest, SCAN_TOKEN).n &&
		       (!scan_separator(rest, '=') || scan_value(rest));
		*out = str_from(begin, rest->p);
	}
	scan_blanks(rest);
	return good && (!rest->n || rest->p[0] == ',');
}

/* The URI has only to look like one: what it says is looked at where it is used. */
static bool scan_addr_spec(struct str *rest, bool brackets, struct str *uri)
{
	struct sip_uri parsed;

	*uri = (struct str){rest->p, 0};
	while (uri->n < rest->n && scan_is(rest->p[uri->n], SCAN_URI) &&
	       (brackets || (rest->p[uri->n] != ';' && rest->p[uri->n] != ',')))
		uri->n++;
	scan_skip(rest, uri->n);
	/* RFC 3261 20: without brackets it has no headers (RFC 4475 3.1.2.13). */
	return !sip_uri_parse(&parsed, *uri) && (brackets || !parsed.headers.n) &&
	       (!brackets || scan_char(rest, '>'));
}

static bool scan_display(struct str *rest, struct str *display)
{
	*display = STR_NONE;
	if (rest->n && rest->p[0] == '"' && !scan_quoted(rest, display))
		return false;
	if (!display->n)
		*display = str_trim(scan_take(rest, SCAN_DISPLAY));
	scan_blanks(rest);
	return scan_char(rest, '<');
}

bool scan_nameaddr(struct str *rest, struct sip_nameaddr *out)
{
	const char *begin;
	struct str after;
	bool brackets, good;

	scan_blanks(rest);
	begin = rest->p;
	after = *rest;
	brackets = scan_display(&after, &out->display);
	if (brackets)
		*rest = after;
	else
		out->display = STR_NONE;
	good = scan_addr_spec(rest, brackets, &out->uri) && scan_params(rest, &out->params);
	out->whole = str_trim(str_from(begin, rest->p));
	return good;
}

static bool scan_protocol(struct str *rest, struct str *transport)
{
	/* The version of a hop is that hop's business: "SIP/7.0" earns its 505 by the start line.
	 */
	bool good = scan_take(rest, SCAN_TOKEN).n && scan_separator(rest, '/') &&
		    scan_take(rest, SCAN_TOKEN).n && scan_separator(rest, '/');

	*transport = good ? scan_take(rest, SCAN_TOKEN) : STR_NONE;
	return transport->n && rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t');
}

bool scan_via(struct str *rest, struct sip_via *out)
{
	struct str transport, params = STR_NONE, value;
	bool good;

	*out = (struct sip_via){0};
	scan_blanks(rest);
	good = scan_protocol(rest, &transport);
	if (!good || sip_proto_parse(&out->proto, transport))
		out->proto = SIP_UDP;
	scan_blanks(rest);
	good = good && scan_host(rest, &out->host) && scan_port(rest, true, &out->port);
	good = good && scan_params(rest, &params);
	sip_param(params, "branch", &out->branch);
	out->rport = sip_param(params, "rport", &value);
	return good;
}
