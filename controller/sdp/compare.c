// SPDX-License-Identifier: BSD-2-Clause
/* Whether two descriptions differ in more than where their media are received. */
#include "sdp/line.h"

/* The next line that says more than an address or what struct sdp_media holds. */
static bool next_telling(struct str *rest, struct str *text)
{
	struct sdp_line line;

	while (sdp_line_next(rest, &line)) {
		if (sdp_line_kind(&line) == SDP_LINE_OTHER) {
			*text = str_trim(line.text);
			return true;
		}
	}
	return false;
}

static bool same_lines(struct str a, struct str b)
{
	struct str from_a, from_b;

	while (next_telling(&a, &from_a)) {
		if (!next_telling(&b, &from_b) || !str_eq(from_a, from_b))
			return false;
	}
	return !next_telling(&b, &from_b);
}

static bool same_formats(const struct sdp_media *a, const struct sdp_media *b)
{
	if (a->formats != b->formats)
		return false;
	for (size_t i = 0; i < a->formats; i++) {
		if (!str_eq(a->format[i], b->format[i]))
			return false;
	}
	return true;
}

static bool same_media(const struct sdp_media *a, const struct sdp_media *b)
{
	return !a->port == !b->port && a->direction == b->direction && str_eq(a->type, b->type) &&
	       str_eq(a->proto, b->proto) && same_formats(a, b) && same_lines(a->lines, b->lines);
}

bool sdp_same_but_address(const struct sdp *a, const struct sdp *b)
{
	if (a->medias != b->medias || !same_lines(a->session, b->session))
		return false;
	for (size_t i = 0; i < a->medias; i++) {
		if (!same_media(&a->media[i], &b->media[i]))
			return false;
	}
	return true;
}
