// SPDX-License-Identifier: BSD-2-Clause
#include "ops/page.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <time.h>

#include "ops/json_memory.h"
#include "ops/page_files.h"
#include "ops/rooms.h"

/* Rows of each list: more nobody reads, and it is made between two packets of SIP. */
#define ROWS 100
#define REPORTS 20

/* ---- who may look ---------------------------------------------------------------------------- */

static int refuse(struct http_request *request, int status, const char *sentence)
{
	request->type = HTTP_TEXT;
	evbuffer_add_printf(request->body, "%s\n", sentence);
	return status;
}

static bool is_loopback(const struct netaddr *address)
{
	struct netaddr loopback;

	if (netaddr_is_ipv4(address)) {
		netaddr_parse_host(&loopback, STR("127.0.0.0"), 0);
		return netaddr_in_prefix(address, &loopback, 8);
	}
	netaddr_parse_host(&loopback, STR("::1"), 0);
	return netaddr_same_host(address, &loopback);
}

/* From this machine: over its loopback, or to one of its addresses from the same one. */
static bool is_local(const struct http_request *request)
{
	return is_loopback(&request->peer) || (!netaddr_is_any(&request->peer) &&
					       netaddr_same_host(&request->peer, &request->own));
}

/*
 * A browser believes a page of evil.example whose name has just become 127.0.0.1 (DNS rebinding) to
 * be of the same origin as ours; but it says that name. We are asked by address, or as localhost.
 */
static bool is_by_address(struct str host)
{
	const char *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;
	struct netaddr address;
	struct str name = host;

	if (!netaddr_parse_host(&address, host, 0) || !netaddr_parse(&address, host))
		return true;
	if (colon)
		name = str_from(host.p, colon);
	return !host.n || str_case_eq(name, STR("localhost"));
}

/* 0, or the status of the refusal. */
static int guard(struct http_request *request)
{
	const struct rooms *rooms = request->rooms;

	if (rooms->config->page == CONFIG_PAGE_NONE)
		return refuse(request, 403,
			      "The live page is switched off (page: none). There are /metrics and "
			      "/health.");
	if (rooms->config->page == CONFIG_PAGE_LOCAL && !is_local(request))
		return refuse(request, 403,
			      "The live page is only shown to this machine (page: local). Come "
			      "through ssh -L, or read docs/metrics.md on page: any. There are "
			      "/metrics and /health.");
	if (!is_by_address(request->host))
		return refuse(request, 421,
			      "The live page is only shown under an address or localhost, not "
			      "under a name.");
	return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static int write_json(struct http_request *request, int status, json_t *object)
{
	char *text = json_memory_dump(object);

	json_decref(object);
	if (!text)
		return -ENOMEM;
	if (evbuffer_add_printf(request->body, "%s\n", text) < 0)
		status = -ENOMEM;
	free(text);
	return status;
}

/* The whole reply of the control socket; takes the reference of `body`. */
static json_t *ask(const struct http_request *request, json_t *body)
{
	json_t *reply = body ? control_ask(control_tables, request->rooms, body) : NULL;

	json_decref(body);
	return reply;
}

static const struct {
	const char *name, *object, *command;
	int most; /* rows; 0: all, which are few */
	bool ended;
} lists[] = {
	{"status", "status", "show", 0, false},
	{"handover", "handover", "list", REPORTS, false},
	{"call", "call", "list", ROWS, false},
	{"ended", "call", "list", REPORTS, true},
	{"drop", "drop", "list", 0, false},
	{"registration", "registration", "list", ROWS, false},
};

/* All that the page shows at once. Null is what failed: the relay, say, cannot be read. */
static int write_overview(struct http_request *request)
{
	unsigned long failures = json_memory_failures();
	int status = guard(request);
	json_t *all, *reply, *data;
	struct timespec now;

	if (status)
		return status;
	clock_gettime(CLOCK_REALTIME, &now);
	all = json_pack("{s:I}", "now_us",
			(json_int_t)now.tv_sec * 1000000 + (json_int_t)now.tv_nsec / 1000);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		reply = ask(request,
			    json_pack("{s:i, s:s, s:s, s:i, s:b}", "segue", CONTROL_VERSION,
				      "object", lists[i].object, "command", lists[i].command,
				      "most", lists[i].most, "ended", lists[i].ended));
		data = json_object_get(reply, "data");
		json_object_set_new(all, lists[i].name, data ? json_incref(data) : json_null());
		json_decref(reply);
	}
	if (json_memory_failures() != failures) {
		json_decref(all);
		return -ENOMEM;
	}
	return write_json(request, 200, all);
}

static int status_of(const json_t *reply)
{
	const char *kind =
		json_string_value(json_object_get(json_object_get(reply, "error"), "kind"));

	if (!kind)
		return 200;
	if (str_eq(str_of(kind), STR("not-found")))
		return 404;
	return str_eq(str_of(kind), STR("usage")) ? 400 : 500;
}

/* "/api/call?id=ID". Ids are our own words: nothing in them is ever escaped. */
static int write_call(struct http_request *request)
{
	int status = guard(request);
	struct str id = STR_NONE;
	json_t *reply;

	if (status)
		return status;
	if (str_starts(request->query, STR("id=")))
		id = str_from(request->query.p + 3, request->query.p + request->query.n);
	reply = ask(request, json_pack("{s:i, s:s, s:s, s:o}", "segue", CONTROL_VERSION, "object",
				       "call", "command", "show", "id", rooms_text(id)));
	return write_json(request, status_of(reply), reply);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_file(struct http_request *request, const char *begin, const char *end)
{
	int status = guard(request);

	if (!status &&
	    evbuffer_add_reference(request->body, begin, (size_t)(end - begin), NULL, NULL))
		status = -ENOMEM;
	return status ? status : 200;
}

static int write_index(struct http_request *request)
{
	return write_file(request, page_index, page_index_end);
}

static int write_style(struct http_request *request)
{
	return write_file(request, page_style, page_style_end);
}

static int write_script(struct http_request *request)
{
	return write_file(request, page_script, page_script_end);
}

static int write_picture(struct http_request *request)
{
	return write_file(request, page_picture, page_picture_end);
}

const struct http_page page_pages[] = {
	{"/", "text/html; charset=utf-8", write_index},
	{"/page.css", "text/css; charset=utf-8", write_style},
	{"/page.js", "text/javascript; charset=utf-8", write_script},
	{"/picture.js", "text/javascript; charset=utf-8", write_picture},
	{"/api/overview", "application/json", write_overview},
	{"/api/call", "application/json", write_call},
	{0},
};
