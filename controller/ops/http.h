/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small HTTP server for what watches us: GET and HEAD, one request a connection. Everything about
 * a client is bounded: how many there are, what they may send, and for how long they may be silent.
 * What pages there are, it is told by tables.
 */
#ifndef SEGUE_OPS_HTTP_H
#define SEGUE_OPS_HTTP_H

#include "base/error.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/timer.h"

#define HTTP_CLIENTS 16u       /* at once; the next one waits to be accepted */
#define HTTP_REQUEST_MAX 8192u /* bytes, with all headers */

#define HTTP_TEXT "text/plain; charset=utf-8"

struct http;
struct event_base;
struct evbuffer;

struct http_request {
	const void *rooms;	  /* as given to http_alloc */
	struct str query;	  /* what is behind the '?', as it came */
	struct str host;	  /* the Host header; empty: none */
	struct netaddr peer, own; /* the ends of the connection */
	struct evbuffer *body;	  /* out */
	const char *type;	  /* of the content: the page's, unless it says another */
};

/* Writes the body. The status: 200, 503 ... (the body is sent in any case), or -ENOMEM, which is
 * 503. */
typedef int http_page_fn(struct http_request *request);

struct http_page {
	const char *path; /* NULL ends the table */
	const char *type; /* of the content */
	http_page_fn *write;
};

/*
 * Listens at `at`. `tables` ends with NULL and must outlive *out, as must `rooms`. -EADDRINUSE and
 * what else bind() says.
 */
int http_alloc(struct http **out, struct event_base *base, struct wheel *wheel, struct log *log,
	       const struct netaddr *at, const struct http_page *const *tables, const void *rooms,
	       struct error *err);
void http_free(struct http *http); /* NULL is fine */

#endif
