// SPDX-License-Identifier: BSD-2-Clause
#include "ops/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/list.h"

/* For all of a client, from its first to its last byte: whoever is slow makes room for the next. */
#define CLIENT_MS 10000u
#define BACKLOG 16
#define LINGER_MS 1000u /* for the client to close first, so that the connection rests with it */

struct http {
	struct wheel *wheel;
	struct event_base *base;
	struct acceptor acceptor;
	const struct http_page *const *tables;
	const void *rooms;
	struct list clients;
	size_t count;
};

struct client {
	struct list node;
	struct http *http;
	struct bufferevent *io;
	struct timer timer;
	bool answered;
};

static void client_free(struct client *client)
{
	struct http *http = client->http;

	list_remove(&client->node);
	timer_stop(&client->timer);
	bufferevent_free(client->io);
	free(client);
	http->count--;
	acceptor_set_full(&http->acceptor, false);
}

/* ---- an answer -------------------------------------------------------------------------------
 */

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

/*
 * Nobody keeps what was true a moment ago. A browser guesses no types, runs and loads nothing but
 * our own files, sends nothing elsewhere, and shows us in nobody's frame.
 */
#define SAFETY                                                                                     \
	"Cache-Control: no-store\r\n"                                                              \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"      \
	"Cross-Origin-Resource-Policy: same-origin\r\n"                                            \
	"Referrer-Policy: no-referrer\r\n"

/* All of it, or nothing, and the connection is closed. */
static void answer(struct client *client, int status, const char *type, struct evbuffer *body,
		   bool head)
{
	struct evbuffer *out = bufferevent_get_output(client->io);
	int length =
		evbuffer_add_printf(out,
				    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
				    "Content-Length: %zu\r\n" SAFETY "%sConnection: close\r\n\r\n",
				    status, reason_of(status), type, evbuffer_get_length(body),
				    status == 405 ? "Allow: GET, HEAD\r\n" : "");

	if (length > 0 && !head && evbuffer_add_buffer(out, body))
		evbuffer_drain(out, (size_t)length);
	client->answered = true;
}

static void refuse(struct client *client, int status)
{
	struct evbuffer *body = evbuffer_new();

	if (!body) {
		client->answered = true;
		return;
	}
	evbuffer_add_printf(body, "%s\n", reason_of(status));
	answer(client, status, HTTP_TEXT, body, false);
	evbuffer_free(body);
}

static void answer_page(struct client *client, const struct http_page *page,
			struct http_request *request, bool head)
{
	int status;

	request->rooms = client->http->rooms;
	request->type = page->type;
	request->body = evbuffer_new();
	status = request->body ? page->write(request) : -ENOMEM;
	if (status < 0)
		refuse(client, status == -ENOMEM ? 503 : 500);
	else
		answer(client, status, request->type, request->body, head);
	if (request->body)
		evbuffer_free(request->body);
}

/* ---- a request -------------------------------------------------------------------------------
 */

/* What is before the blank, which is taken off too; STR_NONE where there is none. */
static struct str word(struct str *line)
{
	const char *blank = line->n ? memchr(line->p, ' ', line->n) : NULL;
	struct str out;

	if (!blank)
		return STR_NONE;
	out = str_from(line->p, blank);
	*line = str_from(blank + 1, line->p + line->n);
	return out;
}

static const struct http_page *find_page(const struct http *http, struct str path)
{
	for (size_t i = 0; http->tables[i]; i++) {
		for (const struct http_page *page = http->tables[i]; page->path; page++) {
			if (str_eq(path, str_of(page->path)))
				return page;
		}
	}
	return NULL;
}

static struct str path_of(struct str target, struct str *query)
{
	const char *mark = target.n ? memchr(target.p, '?', target.n) : NULL;

	if (!mark)
		return target;
	*query = str_from(mark + 1, target.p + target.n);
	return str_from(target.p, mark);
}

/* RFC 9112 3.2: one Host. Of two, which one does a proxy before us believe? */
static bool find_host(struct str head, struct str *out)
{
	unsigned found = 0;
	struct str line;

	while (str_split(&head, '\n', &line)) {
		if (!str_case_starts(line, STR("Host:")))
			continue;
		*out = str_trim(str_from(line.p + strlen("Host:"), line.p + line.n));
		found++;
	}
	return found < 2;
}

static void find_ends(const struct client *client, struct http_request *request)
{
	struct sockaddr_storage peer = {0}, own = {0};
	socklen_t peer_length = sizeof(peer), own_length = sizeof(own);
	int fd = bufferevent_getfd(client->io);

	/* One that is gone is nobody: an address of zeros. */
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_length) ||
	    getsockname(fd, (struct sockaddr *)&own, &own_length))
		return;
	netaddr_from_sockaddr(&request->peer, (const struct sockaddr *)&peer);
	netaddr_from_sockaddr(&request->own, (const struct sockaddr *)&own);
}

/* RFC 9112 3: method, target, version; of the headers only Host says something to us. */
static void serve(struct client *client, struct str head)
{
	struct str line = STR_NONE, method, path;
	struct http_request request = {.query = STR_NONE, .host = STR_NONE};
	const struct http_page *page;
	bool no_body;

	str_split(&head, '\n', &line);
	method = word(&line);
	path = path_of(word(&line), &request.query);
	no_body = str_eq(method, STR("HEAD"));
	if (!method.n || !path.n || !str_starts(line, STR("HTTP/1.")) ||
	    !find_host(head, &request.host)) {
		refuse(client, 400);
		return;
	}
	if (!no_body && !str_eq(method, STR("GET"))) {
		refuse(client, 405);
		return;
	}
	find_ends(client, &request);
	page = find_page(client->http, path);
	if (page)
		answer_page(client, page, &request, no_body);
	else
		refuse(client, 404);
}

/* An empty line ends the request. False: it cannot be read. */
static bool read_request(struct client *client, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	size_t length = end.pos < 0 ? evbuffer_get_length(in) : (size_t)end.pos + 4;
	const char *head;

	if (length > HTTP_REQUEST_MAX)
		refuse(client, 431);
	if (end.pos < 0 || client->answered)
		return true;
	head = (const char *)evbuffer_pullup(in, end.pos + 4);
	if (!head)
		return false;
	serve(client, (struct str){head, (size_t)end.pos});
	evbuffer_drain(in, evbuffer_get_length(in));
	return true;
}

static void on_read(struct bufferevent *io, void *context)
{
	struct evbuffer *in = bufferevent_get_input(io);
	struct client *client = context;

	if (client->answered) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	/* libevent starts to write by itself, but where memory is short it does not say that it
	 * could not. */
	if (!read_request(client, in) || (client->answered && bufferevent_enable(io, EV_WRITE)))
		client_free(client);
}

static void on_late(void *context)
{
	client_free(context);
}

/* All is sent: what a client sends on is dropped until it closes, or its time is over. */
static void on_written(struct bufferevent *io, void *context)
{
	struct client *client = context;

	if (!client->answered)
		return;
	shutdown(bufferevent_getfd(io), SHUT_WR);
	timer_start(client->http->wheel, &client->timer, LINGER_MS, on_late, client);
}

static void on_event(struct bufferevent *io, short what, void *context)
{
	(void)io;
	(void)what;
	client_free(context);
}

/* ---- clients ---------------------------------------------------------------------------------
 */

static void on_accept(void *context, int fd, const struct sockaddr *from)
{
	struct http *http = context;
	struct client *client = calloc(1, sizeof(*client));

	(void)from;
	if (client)
		client->io = bufferevent_socket_new(http->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->io) {
		free(client);
		close(fd);
		return;
	}
	client->http = http;
	list_append(&http->clients, &client->node);
	acceptor_set_full(&http->acceptor, ++http->count >= HTTP_CLIENTS);
	bufferevent_setcb(client->io, on_read, on_written, on_event, client);
	timer_start(http->wheel, &client->timer, CLIENT_MS, on_late, client);
	/* Out of memory, and nobody would ever hear what it says. */
	if (bufferevent_enable(client->io, EV_READ | EV_WRITE))
		client_free(client);
}

int http_alloc(struct http **out, struct event_base *base, struct wheel *wheel, struct log *log,
	       const struct netaddr *at, const struct http_page *const *tables, const void *rooms,
	       struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));
	struct sockaddr_storage address;
	socklen_t length = netaddr_to_sockaddr(at, &address);
	char text[NETADDR_STRLEN];
	int ret;

	if (!http)
		return error_set(err, -ENOMEM, "out of memory");
	list_init(&http->clients);
	http->wheel = wheel;
	http->tables = tables;
	http->rooms = rooms;
	http->base = base;
	http->acceptor = (struct acceptor){
		.name = "http", .wheel = wheel, .log = log, .accepted = on_accept, .context = http};
	ret = acceptor_bind(&http->acceptor, base, (const struct sockaddr *)&address, length, false,
			    BACKLOG);
	if (ret) {
		free(http);
		return error_set(err, ret, "http: cannot listen at %s: %s",
				 netaddr_format(at, text), strerror(-ret));
	}
	log_info(log, NULL, "listening at http://%s", netaddr_format(at, text));
	*out = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	acceptor_close(&http->acceptor);
	list_for_each(node, after, &http->clients)
		client_free(container_of(node, struct client, node));
	free(http);
}
