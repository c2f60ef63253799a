/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the worker share. */
#ifndef SEGUE_WORKER_PRIVATE_H
#define SEGUE_WORKER_PRIVATE_H

#include "ops/http.h"
#include "ops/notify.h"
#include "ops/rooms.h"
#include "worker.h"

enum { ON_HUP, ON_TERM, ON_INT, SIGNALS };

struct worker {
	const char *file;
	struct config *first;  /* of the start: rooms may keep pointers into it */
	struct config *config; /* as last loaded; may be `first` */
	struct log *log;
	struct event_base *base;
	struct wheel *wheel;
	struct event *signal[SIGNALS];
	struct timer drain;
	struct control *control;
	struct notify *notify;
	struct http *http; /* NULL: not configured */
	struct rooms rooms;
};

/* ---- worker_listen.c ---- */

/*
 * Listens where the configuration says and `before` (NULL: nowhere) did not: at all of it, or at
 * nothing more than before.
 */
int worker_listen(struct worker *worker, const struct config *config, const struct config *before,
		  struct error *err);
/*
 * Connections leave room among the files that we may open (RLIMIT_NOFILE): for the store, calls and
 * the control socket.
 */
void worker_limit_connections(struct worker *worker);
/* Leaves what `before` listened at and the configuration does not; reads certificates again. */
void worker_unlisten(struct worker *worker, const struct config *config,
		     const struct config *before);

/* ---- worker_reload.c ---- */

/* Loads the configuration again (SIGHUP), or says why not and leaves everything as it was. */
void worker_reload(struct worker *worker);

#endif
