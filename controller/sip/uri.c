// SPDX-License-Identifier: BSD-2-Clause
/* URIs, name-addrs and their parameters, as they stand in a message (RFC 3261 19.1, 20.10). */
#include <errno.h>

#include "sip/message_scan.h"

static bool scheme_is_sip(struct str scheme)
{
	return str_case_eq(scheme, STR("sip")) || str_case_eq(scheme, STR("sips"));
}

static bool scan_scheme(struct str *rest, struct str *scheme)
{
	size_t colon = str_index(*rest, ':');

	*scheme = (struct str){rest->p, colon};
	if (!colon || colon == rest->n)
		return false;
	for (size_t i = 0; i < colon; i++) {
		char c = str_lower(scheme->p[i]);
		bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

		if (!letter && (!i || (!digit && c != '+' && c != '-' && c != '.')))
			return false;
	}
	scan_skip(rest, colon + 1);
	return true;
}

/* The grammar has no '=' in values, but base64 has, and phones put it there. */
static bool scan_uri_value(struct str *rest)
{
	if (!scan_take(rest, SCAN_UPARAM).n)
		return false;
	while (scan_char(rest, '='))
		scan_take(rest, SCAN_UPARAM);
	return true;
}

/* ";name=value;name": URI parameters, which have no blanks and no quotes. */
static bool scan_uri_params(struct str *rest, struct str *out)
{
	const char *begin = rest->p;

	while (scan_char(rest, ';')) {
		if (!scan_take(rest, SCAN_UPARAM).n)
			return false;
		if (scan_char(rest, '=') && !scan_uri_value(rest))
			return false;
	}
	*out = str_from(begin, rest->p);
	return scan_escapes_good(*out);
}

/* "?name=value&name=value" */
static bool scan_uri_headers(struct str *rest, struct str *out)
{
	struct str left, one;

	if (!scan_char(rest, '?'))
		return true;
	*out = scan_take(rest, SCAN_URI);
	left = *out;
	while (str_split(&left, '&', &one)) {
		size_t equals = str_index(one, '=');

		if (!equals || equals == one.n || str_index(one, ';') < one.n)
			return false;
	}
	return out->n && out->p[out->n - 1] != '&' && scan_escapes_good(*out);
}

static bool scan_userinfo(struct str *rest, struct str *user)
{
	size_t at = str_index(*rest, '@');

	if (at == rest->n)
		return true;
	*user = scan_take(rest, SCAN_USER);
	return user->n && scan_char(rest, '@') && user->p[0] != ':' && scan_escapes_good(*user);
}

static bool parse_sip(struct sip_uri *out, struct str rest)
{
	return scan_userinfo(&rest, &out->user) && scan_host(&rest, &out->host) &&
	       scan_port(&rest, false, &out->port) && scan_uri_params(&rest, &out->params) &&
	       scan_uri_headers(&rest, &out->headers) && !rest.n;
}

/* Of other schemes only tel (RFC 3966) has parts that we know. */
static bool parse_other(struct sip_uri *out, struct str rest)
{
	struct str whole = scan_take(&rest, SCAN_URI);
	size_t semicolon = str_index(whole, ';');

	if (!whole.n || rest.n)
		return false;
	if (str_case_eq(out->scheme, STR("tel"))) {
		out->user = (struct str){whole.p, semicolon};
		out->params = (struct str){whole.p + semicolon, whole.n - semicolon};
	}
	return true;
}

int sip_uri_parse(struct sip_uri *out, struct str text)
{
	bool good;

	*out = (struct sip_uri){0};
	good = scan_scheme(&text, &out->scheme) &&
	       (scheme_is_sip(out->scheme) ? parse_sip(out, text) : parse_other(out, text));
	return good ? 0 : -EINVAL;
}

int sip_nameaddr_parse(struct sip_nameaddr *out, struct str text)
{
	text = str_trim(text);
	*out = (struct sip_nameaddr){0};
	return scan_nameaddr(&text, out) && !text.n ? 0 : -EINVAL;
}

/* One parameter off the front of `rest`, of a header or of a URI. */
static bool next_param(struct str *rest, struct str *name, struct str *value)
{
	if (!scan_separator(rest, ';'))
		return false;
	*name = scan_take(rest, SCAN_TOKEN | SCAN_UPARAM);
	*value = (struct str){rest->p, 0};
	if (scan_separator(rest, '=') && !scan_quoted(rest, value))
		*value = scan_take(rest, SCAN_VALUE);
	return name->n;
}

bool sip_param(struct str params, const char *name, struct str *value)
{
	struct str wanted = str_of(name), found, here;

	while (next_param(&params, &found, &here)) {
		if (str_case_eq(found, wanted)) {
			*value = here;
			return true;
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return str_lower(c) - 'a' + 10;
}

/* Takes one character, or one escape, off the front. */
static char next_unescaped(struct str *rest)
{
	char c = rest->p[0];

	if (c == '%' && rest->n >= 3 && scan_is(rest->p[1], SCAN_HEX) &&
	    scan_is(rest->p[2], SCAN_HEX)) {
		c = (char)(hex_digit(rest->p[1]) << 4 | hex_digit(rest->p[2]));
		scan_skip(rest, 2);
	}
	scan_skip(rest, 1);
	return c;
}

static bool eq_unescaped(struct str a, struct str b, bool any_case)
{
	while (a.n && b.n) {
		char x = next_unescaped(&a), y = next_unescaped(&b);

		if (any_case ? str_lower(x) != str_lower(y) : x != y)
			return false;
	}
	return !a.n && !b.n;
}

/* RFC 3261 19.1.4: these never match where only one URI has them; others are ignored then. */
static bool must_be_in_both(struct str name)
{
	static const struct str names[] = {STR("user"), STR("ttl"), STR("method"), STR("maddr"),
					   STR("transport")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_case_eq(name, names[i]))
			return true;
	}
	return false;
}

static bool find_param(struct str params, struct str wanted, struct str *value)
{
	struct str name;

	while (next_param(&params, &name, value)) {
		if (eq_unescaped(name, wanted, true))
			return true;
	}
	return false;
}

static bool params_fit(struct str a, struct str b)
{
	struct str rest = a, name, value, other;

	while (next_param(&rest, &name, &value)) {
		if (find_param(b, name, &other) ? !eq_unescaped(value, other, true)
						: must_be_in_both(name))
			return false;
	}
	return true;
}

#define URI_HEADERS 16u /* compared with each other; more are compared as one text */

static size_t count_headers(struct str headers)
{
	size_t count = 0;

	for (struct str part; str_split(&headers, '&', &part);)
		count++;
	return count;
}

/* Each header of a is in b, in any order (names without case, values with). */
static bool headers_fit(struct str a, struct str b)
{
	for (struct str one; str_split(&a, '&', &one);) {
		struct str rest = b, other, name, value = one, other_name;
		bool found = false;

		str_split(&value, '=', &name);
		while (!found && str_split(&rest, '&', &other)) {
			str_split(&other, '=', &other_name);
			found = eq_unescaped(name, other_name, true) &&
				eq_unescaped(value, other, false);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool headers_eq(struct str a, struct str b)
{
	size_t count = count_headers(a);

	if (count > URI_HEADERS || count != count_headers(b))
		return str_eq(a, b);
	return headers_fit(a, b) && headers_fit(b, a);
}

static bool parts_are_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	return str_eq(a->scheme, b->scheme) && str_eq(a->user, b->user) &&
	       str_eq(a->host, b->host) && a->port == b->port && str_eq(a->params, b->params) &&
	       str_eq(a->headers, b->headers);
}

bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
	if (parts_are_equal(a, b)) /* the usual case, and one that names a parameter twice */
		return true;
	return str_case_eq(a->scheme, b->scheme) && eq_unescaped(a->user, b->user, false) &&
	       str_case_eq(a->host, b->host) && a->port == b->port &&
	       params_fit(a->params, b->params) && params_fit(b->params, a->params) &&
	       headers_eq(a->headers, b->headers);
}

void sip_unquote(struct buf *out, struct str quoted)
{
	if (quoted.n < 2 || quoted.p[0] != '"' || quoted.p[quoted.n - 1] != '"') {
		buf_add(out, quoted);
		return;
	}
	quoted = (struct str){quoted.p + 1, quoted.n - 2};
	while (quoted.n) {
		struct str plain = {quoted.p, str_index(quoted, '\\')};

		buf_add(out, plain);
		scan_skip(&quoted, plain.n);
		if (quoted.n >= 2)
			buf_add_char(out, quoted.p[1]);
		scan_skip(&quoted, quoted.n < 2 ? quoted.n : 2);
	}
}

bool sip_number_starts(struct str number, struct str digits)
{
	while (digits.n) {
		char next;

		if (!number.n)
			return false;
		next = next_unescaped(&number);
		if (strchr("-.()", next))
			continue;
		if (next != *digits.p)
			return false;
		digits = (struct str){digits.p + 1, digits.n - 1};
	}
	return true;
}

void sip_unescape(struct buf *out, struct str escaped)
{
	while (escaped.n)
		buf_add_char(out, next_unescaped(&escaped));
}
