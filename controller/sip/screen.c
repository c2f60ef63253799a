// SPDX-License-Identifier: BSD-2-Clause
#include "sip/screen.h"

#include <errno.h>

#include "sip/message_scan.h"

struct name {
	struct str name;
	char compact; /* '\0': none */
	uint8_t kind;
};

/* Compact forms: RFC 3261 7.3.3, 3515, 3841, 3892, 3265, 4028, 4474. */
static const struct name names[] = {
	{STR("Via"), 'v', SCREEN_VIA},
	{STR("From"), 'f', SCREEN_FROM},
	{STR("To"), 't', SCREEN_TO},
	{STR("Call-ID"), 'i', SCREEN_CALL_ID},
	{STR("CSeq"), '\0', SCREEN_CSEQ},
	{STR("Contact"), 'm', SCREEN_CONTACT},
	{STR("Route"), '\0', SCREEN_ROUTE},
	{STR("Record-Route"), '\0', SCREEN_RECORD_ROUTE},
	{STR("Max-Forwards"), '\0', SCREEN_MAX_FORWARDS},
	{STR("Content-Length"), 'l', SCREEN_CONTENT_LENGTH},
	{STR("Content-Type"), 'c', SCREEN_CONTENT_TYPE},
	{STR("Expires"), '\0', SCREEN_EXPIRES},
	{STR("Date"), '\0', SCREEN_DATE},
	{STR("Content-Encoding"), 'e', SCREEN_OTHER},
	{STR("Supported"), 'k', SCREEN_OTHER},
	{STR("Subject"), 's', SCREEN_OTHER},
	{STR("Event"), 'o', SCREEN_OTHER},
	{STR("Allow-Events"), 'u', SCREEN_OTHER},
	{STR("Refer-To"), 'r', SCREEN_OTHER},
	{STR("Referred-By"), 'b', SCREEN_OTHER},
	{STR("Session-Expires"), 'x', SCREEN_OTHER},
	{STR("Accept-Contact"), 'a', SCREEN_OTHER},
	{STR("Reject-Contact"), 'j', SCREEN_OTHER},
	{STR("Request-Disposition"), 'd', SCREEN_OTHER},
	{STR("Identity"), 'y', SCREEN_OTHER},
	{STR("Identity-Info"), 'n', SCREEN_OTHER},
};

static const struct name *name_of(struct str name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name.n == 1 ? str_lower(name.p[0]) == names[i].compact
				: name.n == names[i].name.n && str_case_eq(name, names[i].name))
			return &names[i];
	}
	return NULL;
}

/* RFC 3261 7.5: empty lines before the first one are nothing. */
static struct str skip_empty_lines(struct str data)
{
	while (data.n && (data.p[0] == '\r' || data.p[0] == '\n'))
		scan_skip(&data, 1);
	return data;
}

size_t screen_count(struct str data)
{
	size_t lines = 0;

	data = skip_empty_lines(data);
	for (struct str line; lines <= SIP_HEADERS && str_split(&data, '\n', &line); lines++) {
		if (lines && (!line.n || (line.n == 1 && line.p[0] == '\r')))
			break;
	}
	return lines < SIP_HEADERS ? lines : SIP_HEADERS;
}

static bool line_is_folded(const char *next, const char *end)
{
	return next < end && (*next == ' ' || *next == '\t');
}

/*
 * The end of the line that begins at `p`, without its CR; *next is where the next one begins. With
 * `folds`, the ones that belong to it become blanks. NULL when it has no end.
 */
static char *line_end(char *p, char *end, bool folds, char **next)
{
	char *begin = p, *newline, *stop;

	for (;;) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			return NULL;
		stop = newline > p && newline[-1] == '\r' ? newline - 1 : newline;
		*next = newline + 1;
		if (!folds || stop == begin || !line_is_folded(*next, end))
			return stop;
		memset(stop, ' ', (size_t)(*next - stop));
		p = *next;
	}
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* Control characters stand in quoted pairs alone (RFC 4475 3.1.1.2 has a NUL there), CR never. */
static bool controls_are_quoted(struct str text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			quoted = !quoted;
		else if (quoted && text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] != '\r')
			i++;
		else if (is_control(text.p[i]))
			return false;
	}
	return true;
}

#define EACH_BYTE(byte) (0x0101010101010101ull * (byte))

static uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* Is there a byte among these eight that look_at() has to see? */
static bool word_is_odd(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80)) |
	       zero_bytes(word ^ EACH_BYTE(';')) | zero_bytes(word ^ EACH_BYTE(',')) |
	       zero_bytes(word ^ EACH_BYTE(0x7f));
}

/* Eight bytes at a time: most have nothing to show. A lone CR would end the line for others. */
static void look_at(struct screen *screen, struct str text)
{
	size_t semicolons = 0, commas = 0, i = 0;
	bool controls = false;

	while (i < text.n) {
		size_t stop = i + 8;

		if (stop <= text.n && !word_is_odd(text.p + i)) {
			i = stop;
			continue;
		}
		for (; i < text.n && i < stop; i++) {
			semicolons += text.p[i] == ';';
			commas += text.p[i] == ',';
			controls |= is_control(text.p[i]);
		}
	}
	screen->too_complex |= semicolons > SCREEN_PARTS || commas > SCREEN_PARTS;
	if (controls && !controls_are_quoted(text))
		screen->unsound = true;
}

static void add_header(struct screen *screen, struct str line)
{
	struct sip_header *header = &screen->header[screen->headers];
	struct str rest = line;
	const struct name *known;

	header->name = scan_take(&rest, SCAN_TOKEN);
	if (!header->name.n || !scan_separator(&rest, ':')) {
		screen->unsound = true;
		return;
	}
	header->value = str_trim(rest);
	known = name_of(header->name);
	if (known)
		header->name = known->name;
	screen->kind[screen->headers++] = known ? known->kind : SCREEN_OTHER;
}

int screen_lines(struct screen *screen, char *data, size_t len)
{
	char *end = data + len, *p = end - skip_empty_lines((struct str){data, len}).n;
	char *stop, *next;

	stop = line_end(p, end, false, &next);
	if (!stop || stop == p)
		return -EINVAL;
	screen->start = str_from(p, stop);
	look_at(screen, screen->start);
	for (p = next; (stop = line_end(p, end, true, &next)) && stop > p; p = next) {
		if (screen->headers == screen->room) {
			screen->too_many = true;
			continue;
		}
		look_at(screen, str_from(p, stop));
		add_header(screen, str_from(p, stop));
	}
	screen->unsound |= !stop;
	screen->body = stop ? str_from(next, end) : STR_NONE;
	return 0;
}
