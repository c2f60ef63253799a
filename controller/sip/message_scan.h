/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scanning by classes of characters. A scanner takes text off the front of `rest`, never looks at
 * a byte twice, and never outside of it.
 */
#ifndef SEGUE_SIP_MESSAGE_SCAN_H
#define SEGUE_SIP_MESSAGE_SCAN_H

#include "sip/message.h"

enum scan_class {
	SCAN_TOKEN = 1,	 /* RFC 3261 25.1 token */
	SCAN_USER = 2,	 /* userinfo with its password; '#' too, which phones leave unescaped */
	SCAN_HOST = 4,	 /* names and IPv4; '_' too, which DNS has */
	SCAN_UPARAM = 8, /* names and values of URI parameters */
	SCAN_VALUE = 16, /* value of a header's parameter that stands without quotes */
	SCAN_DISPLAY =
		32,    /* display name without quotes: tokens, blanks, and the UTF-8 of phones */
	SCAN_URI = 64, /* whatever may stand in a URI of any scheme */
	SCAN_HEX = 128,
};

extern const uint8_t scan_classes[256];

static inline bool scan_is(char c, unsigned classes)
{
	return scan_classes[(unsigned char)c] & classes;
}

static inline void scan_skip(struct str *rest, size_t count)
{
	rest->p += count;
	rest->n -= count;
}

static inline void scan_blanks(struct str *rest)
{
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		scan_skip(rest, 1);
}

/* As many characters of the classes as there are; empty when there is none. */
static inline struct str scan_take(struct str *rest, unsigned classes)
{
	struct str taken = {rest->p, 0};

	while (taken.n < rest->n && scan_is(taken.p[taken.n], classes))
		taken.n++;
	scan_skip(rest, taken.n);
	return taken;
}

static inline bool scan_char(struct str *rest, char c)
{
	if (!rest->n || rest->p[0] != c)
		return false;
	scan_skip(rest, 1);
	return true;
}

/* The character with blanks around it (SEMI, EQUAL, SLASH ... of RFC 3261 25.1). */
static inline bool scan_separator(struct str *rest, char c)
{
	struct str after = *rest;

	scan_blanks(&after);
	if (!scan_char(&after, c))
		return false;
	scan_blanks(&after);
	*rest = after;
	return true;
}

/* "text" with its quotes. False, and nothing taken, when it does not begin or end. */
bool scan_quoted(struct str *rest, struct str *out);
/* Each '%' has two hexadecimal digits behind it. */
bool scan_escapes_good(struct str text);
/* Name, IPv4, or [IPv6]. False when there is none. */
bool scan_host(struct str *rest, struct str *out);
/* ":port", if there is one (in headers with blanks): false when it is none that can be. */
bool scan_port(struct str *rest, bool blanks, uint16_t *port);
/*
 * ";name=value;name" of a header, up to a comma or the end. False where one is malformed: empty,
 * without a name, or with a value that neither is quoted nor holds. `out` is set in any case.
 */
bool scan_params(struct str *rest, struct str *out);
/* One name-addr or addr-spec with its parameters, up to a comma or the end. */
bool scan_nameaddr(struct str *rest, struct sip_nameaddr *out);
/* One Via. What could be read is in `out` also when it is malformed. */
bool scan_via(struct str *rest, struct sip_via *out);

#endif
