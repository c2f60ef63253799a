// SPDX-License-Identifier: BSD-2-Clause
/* What every message of ours is made of. */
#include "sip/message_scan.h"

#define CRLF STR("\r\n")

struct reason {
	int status;
	const char *text;
};

/* RFC 3261 21, 3265, 3329, 3903, 4028, 4412, 4474, 5393, 5626, 6665. */
static const struct reason reasons[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{199, "Early Dialog Terminated"},
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Notification"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{430, "Flow Failed"},
	{433, "Anonymity Disallowed"},
	{439, "First Hop Lacks Outbound Support"},
	{440, "Max-Breadth Exceeded"},
	{469, "Bad Info Package"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{494, "Security Agreement Required"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{580, "Precondition Failure"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
};

const char *sip_reason(int status)
{
	static const char *const classes[] = {"Progress", "Success",	  "Redirection",
					      "Failure",  "Server Error", "Global Failure"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return status >= 100 && status < 700 ? classes[status / 100 - 1] : "Unknown";
}

void sip_write_request_line(struct buf *out, struct str method, struct str uri)
{
	buf_add(out, method);
	buf_add_char(out, ' ');
	buf_add(out, uri);
	buf_add(out, STR(" SIP/2.0\r\n"));
}

void sip_write_header(struct buf *out, const char *name, struct str value)
{
	buf_add(out, str_of(name));
	buf_add(out, STR(": "));
	buf_add(out, value);
	buf_add(out, CRLF);
}

void sip_write_header_u64(struct buf *out, const char *name, uint64_t value)
{
	buf_add(out, str_of(name));
	buf_add(out, STR(": "));
	buf_add_u64(out, value);
	buf_add(out, CRLF);
}

void sip_write_body(struct buf *out, struct str content_type, struct str body)
{
	if (body.n)
		sip_write_header(out, "Content-Type", content_type);
	sip_write_header_u64(out, "Content-Length", body.n);
	buf_add(out, CRLF);
	buf_add(out, body);
}

/* ---- responses --------------------------------------------------------------------------------
 */

static void write_status_line(struct buf *out, int status, const char *reason)
{
	buf_add(out, STR("SIP/2.0 "));
	buf_add_u64(out, (uint64_t)status);
	buf_add_char(out, ' ');
	buf_add(out, str_of(reason ? reason : sip_reason(status)));
	buf_add(out, CRLF);
}

/* A literal address that is the source's needs no `received` (RFC 3261 18.2.1). */
static bool sent_by_source(const struct sip_message *request)
{
	struct netaddr addr;

	return !netaddr_parse_host(&addr, request->via.host, 0) &&
	       netaddr_same_host(&addr, &request->flow.remote);
}

static void write_source(struct buf *out, const struct sip_message *request)
{
	const struct netaddr *remote = &request->flow.remote;
	char host[NETADDR_STRLEN];

	if (request->via.rport || !sent_by_source(request)) {
		buf_add(out, STR(";received="));
		buf_add(out, str_of(netaddr_format_host(remote, host)));
	}
	if (request->via.rport) { /* RFC 3581 4 */
		buf_add(out, STR(";rport="));
		buf_add_u64(out, remote->port);
	}
}

static bool is_source_param(struct str param)
{
	struct str name = scan_take(&param, SCAN_TOKEN);

	return str_case_eq(name, STR("received")) || str_case_eq(name, STR("rport"));
}

/* The parameters of the topmost Via but those that tell its source: these we know better. */
static void write_via_params(struct buf *out, struct str *rest)
{
	while (rest->n && scan_separator(rest, ';')) {
		struct str param = *rest, quoted;

		scan_take(rest, SCAN_TOKEN);
		if (scan_separator(rest, '=') && !scan_quoted(rest, &quoted))
			scan_take(rest, SCAN_VALUE);
		param.n -= rest->n;
		if (!is_source_param(param)) {
			buf_add_char(out, ';');
			buf_add(out, str_trim(param));
		}
	}
}

static void write_first_via(struct buf *out, const struct sip_message *request, struct str value)
{
	const char *host_end = request->via.host.p + request->via.host.n;
	struct str rest = str_from(host_end, value.p + value.n);
	uint16_t port;

	scan_port(&rest, true, &port);
	buf_add(out, STR("Via: "));
	buf_add(out, str_from(value.p, rest.p));
	write_via_params(out, &rest);
	write_source(out, request);
	buf_add(out, rest); /* more of them in this line */
	buf_add(out, CRLF);
}

static void write_vias(struct buf *out, const struct sip_message *request)
{
	bool first = true;

	for (size_t i = 0; i < request->headers; i++) {
		if (!str_eq(request->header[i].name, STR("Via")))
			continue;
		if (first)
			write_first_via(out, request, request->header[i].value);
		else
			sip_write_header(out, "Via", request->header[i].value);
		first = false;
	}
}

static void copy_header(struct buf *out, const struct sip_message *request, const char *name)
{
	struct str value = sip_header(request, name, 0);

	if (value.p)
		sip_write_header(out, name, value);
}

static void write_to(struct buf *out, const struct sip_message *request, struct str to_tag)
{
	if (!request->to.whole.n)
		return;
	buf_add(out, STR("To: "));
	buf_add(out, request->to.whole);
	/* One that could not be read is given back as it came. */
	if (to_tag.n && !request->to_tag.n && request->to.uri.n) {
		buf_add(out, STR(";tag="));
		buf_add(out, to_tag);
	}
	buf_add(out, CRLF);
}

static void copy_record_route(struct buf *out, const struct sip_message *request)
{
	for (size_t i = 0; i < request->headers; i++) {
		if (str_eq(request->header[i].name, STR("Record-Route")))
			sip_write_header(out, "Record-Route", request->header[i].value);
	}
}

void sip_write_response(struct buf *out, const struct sip_message *request, int status,
			const char *reason, struct str to_tag, bool record_route)
{
	write_status_line(out, status, reason);
	write_vias(out, request);
	if (record_route && status > 100 && status < 300)
		copy_record_route(out, request);
	copy_header(out, request, "From");
	write_to(out, request, to_tag);
	copy_header(out, request, "Call-ID");
	copy_header(out, request, "CSeq");
	if (status == 100) /* RFC 3261 8.2.6.1 */
		copy_header(out, request, "Timestamp");
}
