// SPDX-License-Identifier: BSD-2-Clause
#include "sip/message_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "sip/message_scan.h"

#define CSEQ_LIMIT 0x80000000u /* RFC 3261 8.1.1.5 */

struct check {
	struct sip_message *message;
	struct sip_verdict *verdict;
	unsigned seen; /* kinds of headers */
	bool topmost;  /* the first Via was read */
	struct str cseq_method;
	uint32_t length; /* Content-Length */
};

/* Only the first thing that is wrong is told. */
__attribute__((format(printf, 3, 4))) static void refuse(struct check *check, int status,
							 const char *format, ...)
{
	va_list list;

	if (check->verdict->status)
		return;
	check->verdict->status = status;
	va_start(list, format);
	vsnprintf(check->verdict->reason, sizeof(check->verdict->reason), format, list);
	va_end(list);
}

/* ---- the start line ---------------------------------------------------------------------------
 */

static int check_status_line(struct check *check, struct str line)
{
	struct str version, code;
	uint32_t status;

	if (!str_split(&line, ' ', &version) || !str_case_eq(version, STR("SIP/2.0")))
		return -EINVAL;
	if (!str_split(&line, ' ', &code) || code.n != 3 || !str_to_u32(code, &status) ||
	    status < 100 || status > 699)
		return -EINVAL;
	check->message->status = (int)status;
	check->message->reason = line; /* may be empty: RFC 4475 3.1.1.13 */
	return 0;
}

static void check_request_uri(struct check *check)
{
	struct sip_message *message = check->message;
	struct sip_uri *uri = &message->uri;

	if (sip_uri_parse(uri, message->request_uri))
		refuse(check, 400, "Malformed Request-URI");
	else if (!uri->host.n && !str_case_eq(uri->scheme, STR("tel")))
		refuse(check, 416, "Unsupported URI Scheme"); /* RFC 3261 8.2.2.1 */
	else if (uri->headers.n) /* RFC 3261 19.1.1: not allowed there (RFC 4475 3.1.2.11) */
		refuse(check, 400, "Headers in the Request-URI");
}

static bool version_like(struct str version)
{
	return str_case_starts(version, STR("SIP/")) && version.n > 4;
}

static int check_request_line(struct check *check, struct str line)
{
	struct sip_message *message = check->message;
	struct str trimmed = str_trim(line), version = {trimmed.p + trimmed.n, 0};

	while (version.p > trimmed.p && version.p[-1] != ' ')
		version = (struct str){version.p - 1, version.n + 1};
	message->method_name = scan_take(&line, SCAN_TOKEN);
	message->method = sip_method_of(message->method_name);
	if (!message->method_name.n || !scan_char(&line, ' ') || version.p <= line.p ||
	    !version_like(version))
		return -EINVAL;
	if (!str_case_eq(version, STR("SIP/2.0")))
		refuse(check, 505, "Version Not Supported");
	/* One blank at each place and none elsewhere: RFC 3261 7.1, RFC 4475 3.1.2.8 to 3.1.2.10.
	 */
	if (trimmed.p + trimmed.n != line.p + line.n)
		refuse(check, 400, "Blanks after the Request Line");
	message->request_uri = str_from(line.p, version.p - 1);
	check_request_uri(check);
	return 0;
}

/* ---- headers ----------------------------------------------------------------------------------
 */

static bool is_refused(const struct check *check)
{
	return check->verdict->status;
}

/* A message that is refused has no more work spent on it than its answer needs. */
static void check_via(struct check *check, struct str value)
{
	struct sip_via via;

	do {
		bool good = scan_via(&value, &via);

		if (!check->topmost)
			check->message->via = via; /* without a host nobody can be answered */
		check->topmost = true;
		if (!good)
			refuse(check, 400, "Malformed Via");
	} while (!is_refused(check) && scan_char(&value, ','));
}

static void check_party(struct check *check, struct str value, const char *name,
			struct sip_nameaddr *party, struct str *tag)
{
	if (sip_nameaddr_parse(party, value)) {
		*party = (struct sip_nameaddr){.whole = value};
		refuse(check, 400, "Malformed %s", name);
	}
	if (sip_param(party->params, "tag", tag)) {
		struct str rest = *tag;

		if (!scan_take(&rest, SCAN_TOKEN).n || rest.n)
			refuse(check, 400, "Malformed tag in %s", name);
	}
}

/* A request goes there: in brackets (RFC 3261 20.30, 20.34), and of a scheme that we can follow. */
static bool is_route(const struct sip_nameaddr *address)
{
	struct sip_uri uri;

	return address->uri.p[address->uri.n] == '>' && !sip_uri_parse(&uri, address->uri) &&
	       uri.host.n;
}

static void check_addresses(struct check *check, struct str value, const char *name, bool routes)
{
	struct sip_nameaddr address;

	if (str_eq(value, STR("*")) && !routes) /* Contact of a REGISTER: RFC 3261 10.2.2 */
		return;
	do {
		if (is_refused(check))
			return;
		if (!scan_nameaddr(&value, &address) || (routes && !is_route(&address)))
			refuse(check, 400, "Malformed %s", name);
	} while (scan_char(&value, ','));
}

static void check_call_id(struct check *check, struct str value)
{
	bool good = value.n;

	for (size_t i = 0; i < value.n; i++)
		good &= (unsigned char)value.p[i] > ' ' && value.p[i] != 0x7f;
	if (!good)
		refuse(check, 400, "Malformed Call-ID");
	check->message->call_id = value;
}

static void check_cseq(struct check *check, struct str value)
{
	struct str number = scan_take(&value, SCAN_TOKEN), after = value;

	scan_blanks(&value);
	check->cseq_method = scan_take(&value, SCAN_TOKEN);
	if (!str_to_u32(number, &check->message->cseq) || check->message->cseq >= CSEQ_LIMIT ||
	    after.p == check->cseq_method.p || !check->cseq_method.n || value.n)
		refuse(check, 400, "Malformed CSeq");
}

static void check_number(struct check *check, struct str value, const char *name, uint32_t most,
			 uint32_t *out)
{
	uint32_t number;

	if (!str_to_u32(value, &number) || number > most)
		refuse(check, 400, "Malformed %s", name);
	else
		*out = number;
}

static void check_content_type(struct check *check, struct str value)
{
	struct str rest = value, params;

	if (!scan_take(&rest, SCAN_TOKEN).n || !scan_separator(&rest, '/') ||
	    !scan_take(&rest, SCAN_TOKEN).n || !scan_params(&rest, &params) || rest.n)
		refuse(check, 400, "Malformed Content-Type");
	check->message->content_type = value;
}

static void check_from(struct check *check, struct str value)
{
	check_party(check, value, "From", &check->message->from, &check->message->from_tag);
}

static void check_to(struct check *check, struct str value)
{
	check_party(check, value, "To", &check->message->to, &check->message->to_tag);
}

static void check_contact(struct check *check, struct str value)
{
	check_addresses(check, value, "Contact", false);
}

static void check_route(struct check *check, struct str value)
{
	check_addresses(check, value, "Route", true);
}

static void check_record_route(struct check *check, struct str value)
{
	check_addresses(check, value, "Record-Route", true);
}

static void check_max_forwards(struct check *check, struct str value)
{
	check_number(check, value, "Max-Forwards", 255, &check->message->max_forwards);
}

static void check_content_length(struct check *check, struct str value)
{
	check_number(check, value, "Content-Length", UINT32_MAX, &check->length);
}

static void check_expires(struct check *check, struct str value)
{
	uint32_t seconds;

	check_number(check, value, "Expires", UINT32_MAX, &seconds);
}

/* RFC 3261 20.17: GMT and no other (RFC 4475 3.1.2.12) */
static void check_date(struct check *check, struct str value)
{
	if (value.n < 3 || !str_eq((struct str){value.p + value.n - 3, 3}, STR("GMT")))
		refuse(check, 400, "Malformed Date");
}

static const struct {
	void (*check)(struct check *check, struct str value);
	bool once; /* a second one would say another thing (RFC 4475 3.3.8, 3.3.9) */
} kinds[SCREEN_KINDS] = {
	[SCREEN_VIA] = {check_via, false},
	[SCREEN_FROM] = {check_from, true},
	[SCREEN_TO] = {check_to, true},
	[SCREEN_CALL_ID] = {check_call_id, true},
	[SCREEN_CSEQ] = {check_cseq, true},
	[SCREEN_CONTACT] = {check_contact, false},
	[SCREEN_ROUTE] = {check_route, false},
	[SCREEN_RECORD_ROUTE] = {check_record_route, false},
	[SCREEN_MAX_FORWARDS] = {check_max_forwards, true},
	[SCREEN_CONTENT_LENGTH] = {check_content_length, true},
	[SCREEN_CONTENT_TYPE] = {check_content_type, true},
	[SCREEN_EXPIRES] = {check_expires, true},
	[SCREEN_DATE] = {check_date, false},
};

static void check_header(struct check *check, const struct sip_header *header, unsigned kind)
{
	if (!kinds[kind].check)
		return;
	if (kinds[kind].once && check->seen & 1u << kind)
		refuse(check, 400, "More than one %.*s", STR_ARG(header->name));
	else
		kinds[kind].check(check, header->value);
	check->seen |= 1u << kind;
}

static void check_presence(struct check *check)
{
	static const struct {
		unsigned kind;
		const char *name;
	} wanted[] = {{SCREEN_VIA, "Via"},
		      {SCREEN_FROM, "From"},
		      {SCREEN_TO, "To"},
		      {SCREEN_CALL_ID, "Call-ID"},
		      {SCREEN_CSEQ, "CSeq"}}; /* Max-Forwards: RFC 2543 had none */

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!(check->seen & 1u << wanted[i].kind))
			refuse(check, 400, "Missing %s", wanted[i].name);
	}
}

static void check_method(struct check *check)
{
	struct sip_message *message = check->message;

	if (message->status) {
		message->method_name = check->cseq_method;
		message->method = sip_method_of(check->cseq_method);
	} else if (!str_eq(check->cseq_method, message->method_name)) {
		refuse(check, 400, "CSeq of another Method");
	}
}

/* RFC 3261 18.3: octets behind the body are not part of it (RFC 4475 3.1.1.8), missing ones are an
 * error (3.1.2.2). */
static void check_body(struct check *check, struct str rest)
{
	if (check->seen & 1u << SCREEN_CONTENT_LENGTH && !check->verdict->status) {
		if (check->length > rest.n)
			refuse(check, 400, "Content-Length beyond the Message");
		else
			rest.n = check->length;
	}
	check->message->body = rest;
}

static void check_screen(struct check *check, const struct screen *screen)
{
	if (check->message->flow.proto == SIP_UDP && check->message->raw.n > SIP_MESSAGE_UDP)
		refuse(check, 513, "Message Too Large");
	if (screen->unsound)
		refuse(check, 400, "Malformed Line");
	if (screen->too_many)
		refuse(check, 400, "More than %u Headers", SIP_HEADERS);
	if (screen->too_complex)
		refuse(check, 400, "More than %u Parameters or Values in a Header", SCREEN_PARTS);
}

int message_check(struct sip_message *message, const struct screen *screen,
		  struct sip_verdict *verdict)
{
	struct check check = {.message = message, .verdict = verdict};
	int ret;

	if (version_like(screen->start))
		ret = check_status_line(&check, screen->start);
	else
		ret = check_request_line(&check, screen->start);
	if (ret)
		return ret;
	check_screen(&check, screen);
	for (size_t i = 0; i < screen->headers; i++)
		check_header(&check, &screen->header[i], screen->kind[i]);
	check_presence(&check);
	check_method(&check);
	check_body(&check, screen->body);
	return verdict->status ? -EBADMSG : 0;
}
