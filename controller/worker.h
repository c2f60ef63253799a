/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One worker: an event loop and all rooms that live on it. There is nothing beside it, so that
 * several could run in one process.
 */
#ifndef SEGUE_WORKER_H
#define SEGUE_WORKER_H

#include "base/error.h"

struct worker;

/* Reads the configuration, opens every room, adopts the calls of the journal, and listens. */
int worker_alloc(struct worker **out, const char *config_file, struct error *err);
/*
 * Runs until SIGTERM or SIGINT and the end of the calls, or their hand-over to the journal (a
 * second signal ends it now). SIGHUP loads the configuration again. 0 or a negative errno.
 */
int worker_run(struct worker *worker);
void worker_free(struct worker *worker); /* NULL is fine */

#endif
