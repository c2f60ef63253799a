// SPDX-License-Identifier: BSD-2-Clause
/* Looking headers up in a message. */
#include "sip/message_scan.h"

/* The first header of that name at or behind `from`; message->headers when there is none. */
static size_t find(const struct sip_message *message, struct str name, size_t from)
{
	while (from < message->headers && (message->header[from].name.n != name.n ||
					   !str_case_eq(message->header[from].name, name)))
		from++;
	return from;
}

struct str sip_header(const struct sip_message *message, const char *name, size_t index)
{
	struct str wanted = str_of(name);
	size_t at = find(message, wanted, 0);

	while (index-- && at < message->headers)
		at = find(message, wanted, at + 1);
	return at < message->headers ? message->header[at].value : STR_NONE;
}

bool sip_has_header(const struct sip_message *message, const char *name)
{
	return find(message, str_of(name), 0) < message->headers;
}

/* One value, up to a comma outside of quotes and brackets. */
static struct str scan_element(struct str *rest)
{
	const char *begin = rest->p;
	bool brackets = false;
	struct str quoted;

	while (rest->n && (brackets || rest->p[0] != ',')) {
		if (!brackets && rest->p[0] == '"') {
			if (!scan_quoted(rest, &quoted)) /* without an end it ends here */
				scan_skip(rest, rest->n);
			continue;
		}
		if (rest->p[0] == '<' || rest->p[0] == '>')
			brackets = rest->p[0] == '<';
		scan_skip(rest, 1);
	}
	return str_trim(str_from(begin, rest->p));
}

#define CURSOR_BITS                                                                                \
	32u /* of the cursor: offset in the value; above them the number of the header */

_Static_assert(sizeof(size_t) == 8, "a cursor holds two numbers");

bool sip_header_list(const struct sip_message *message, const char *name, size_t *cursor,
		     struct str *value)
{
	struct str wanted = str_of(name), rest;
	size_t at = *cursor >> CURSOR_BITS, offset = *cursor & UINT32_MAX;

	for (; (at = find(message, wanted, at)) < message->headers; at++, offset = 0) {
		rest = message->header[at].value;
		scan_skip(&rest, offset < rest.n ? offset : rest.n);
		while (rest.n) {
			*value = scan_element(&rest);
			scan_char(&rest, ',');
			if (!value->n)
				continue;
			offset = (size_t)(rest.p - message->header[at].value.p);
			*cursor = at << CURSOR_BITS | offset;
			return true;
		}
	}
	*cursor = at << CURSOR_BITS;
	return false;
}

bool sip_header_has_token(const struct sip_message *message, const char *name, struct str token)
{
	size_t cursor = 0;
	struct str value;

	while (sip_header_list(message, name, &cursor, &value)) {
		if (str_case_eq(value, token))
			return true;
	}
	return false;
}
