/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What outlives a process: subscribers, bindings, the journal of calls, CDRs, secrets. An
 * interface; the engine stands behind it. Writes are queued and done by a thread of the store, so
 * that the SIP thread never waits for a disk; the queue is bounded, and what does not fit is
 * counted and logged once.
 */
#ifndef SEGUE_STORE_H
#define SEGUE_STORE_H

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

struct store;

/*
 * "sqlite:/path/to/file" (created if missing; its directory must exist). A damaged file is set
 * aside as FILE.damaged-TIME with one clear error, and a new one begun. Not writable, or no engine
 * of that name: negative errno, with the reason.
 */
int store_open(struct store **out, const char *url, struct log *log, struct error *err);
/*
 * From now on CDRs are written as lines of JSON, too, once the store has them. The file is set
 * aside when it has `most` bytes (0: never), and begun anew when somebody has moved it away. Once.
 */
int store_copy_cdrs(struct store *store, const char *file, uint64_t most, struct error *err);
/* CDRs of calls that ended longer ago are removed, within a minute or so; 0: all stay. */
void store_keep_cdrs(struct store *store, unsigned days);
/* Writes everything that is queued, then closes. */
void store_close(struct store *store);

/* ---- queued writes: never block; 0, or -ENOBUFS when the queue is full, -ENOMEM
 * ------------------ */

/* One value by key in a named table ("subscriber", "binding", "call", "secret"): a text, replaced
 * whole. */
int store_put(struct store *store, const char *table, struct str key, struct str value);
int store_delete(struct store *store, const char *table, struct str key);

struct store_cdr { /* times: nanoseconds since 1970; 0: never */
	struct str call_id, caller, callee;
	uint64_t started_ns, answered_ns, ended_ns;
	struct str reason; /* "BYE from A", "486 Busy Here" ... */
	int status;
	unsigned handovers;
	struct str details; /* JSON: per leg packets, octets, lost, jitter, MOS ... */
};
int store_add_cdr(struct store *store, const struct store_cdr *cdr);

/* ---- reading: synchronous, for the start and for the operator
 * ------------------------------------- */

/* Sees what is on disk, not what waits in the queue (store_flush first); `fn` may write to the
 * store, and not read from it. */
typedef int store_row_fn(void *context, struct str key, struct str value); /* non-zero ends */
int store_each(struct store *store, const char *table, store_row_fn *fn, void *context,
	       struct error *err);
/*
 * CDRs, the newest first, at most so many, as far as they are on disk: of that call, or (empty) of
 * any. Looks at the newest 20 000 only.
 */
typedef int store_cdr_fn(void *context, const struct store_cdr *cdr); /* non-zero ends */
int store_cdrs(struct store *store, struct str call_id, size_t most, store_cdr_fn *fn,
	       void *context, struct error *err);
/* Waits until what was queued before is on disk (or has failed: negative errno). For tests and
 * shutdown. */
int store_flush(struct store *store);

struct store_stats {
	uint64_t written, failed, lost; /* lost: never queued, or failed for good */
	size_t queued;
	uint64_t lines_written, lines_lost; /* of the file of CDRs */
	size_t lines_waiting;
	bool healthy;
};
void store_stats(struct store *store, struct store_stats *out);

#endif
