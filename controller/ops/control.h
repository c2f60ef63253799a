/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what the command line asks a running segued. A unix stream (mode 0660);
 * requests and replies are JSON objects, one on a line:
 *
 *   {"segue":1,"object":"call","command":"show","id":"..."}
 *   {"segue":1,"object":"call","command":"show","data":{...}}
 *   {"segue":1,"object":"call","command":"show","error":{"kind":"not-found","text":"..."}}
 *
 * "segue" is the version of this envelope. Kinds: "failed", "usage", "not-found". A client may send
 * its next request before the reply; it is answered after it. What commands there are, it is told
 * by tables; it knows none by itself.
 */
#ifndef SEGUE_OPS_CONTROL_H
#define SEGUE_OPS_CONTROL_H

#include <jansson.h>

#include "base/error.h"
#include "base/log.h"
#include "base/timer.h"

#define CONTROL_VERSION 1
#define CONTROL_CLIENTS 16u	   /* at once; the next one waits to be accepted */
#define CONTROL_REQUEST_MAX 65536u /* bytes of a line */

struct control;
struct event_base;

struct control_request {
	const void *rooms;  /* as given to control_alloc */
	const json_t *body; /* the whole request */
	json_t *data;	    /* out: what the command answers; NULL: out of memory */
	struct error *err;  /* out: why it failed */
};

/* 0, or a negative errno with the sentence in err: -ENOENT not found, -EINVAL wrong usage. */
typedef int control_fn(struct control_request *request);

struct control_command {
	const char *object, *command; /* object NULL ends the table */
	control_fn *run;
};

/*
 * Listens at `path`. A socket that a segued left behind when it was killed is replaced; one that
 * answers is not: -EADDRINUSE. `tables` ends with NULL and must outlive *out, as must `rooms`.
 */
int control_alloc(struct control **out, struct event_base *base, struct wheel *wheel,
		  struct log *log, const char *path, const struct control_command *const *tables,
		  const void *rooms, struct error *err);
/* Closes all clients and removes the socket. */
void control_free(struct control *control);

/*
 * What the socket would reply to the request `body`, for who asks from within: the caller's
 * reference. NULL: out of memory.
 */
json_t *control_ask(const struct control_command *const *tables, const void *rooms,
		    const json_t *body);

/* A member of the request that must be a text: -EINVAL with the sentence when it is not. */
int control_text(const struct control_request *request, const char *name, struct str *out);
/* One that may be missing: *out is empty then. */
int control_text_optional(const struct control_request *request, const char *name, struct str *out);
/* A whole number from 0 that may be missing: 0 then. */
int control_count_optional(const struct control_request *request, const char *name, size_t *out);

#endif
