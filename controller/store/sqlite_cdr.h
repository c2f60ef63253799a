/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of CDRs: written at its end, pruned at its beginning, read backwards. Results are
 * SQLite's. */
#ifndef SEGUE_STORE_SQLITE_CDR_H
#define SEGUE_STORE_SQLITE_CDR_H

#include <sqlite3.h>

#include "store/engine.h"

extern const char sqlite_cdr_table[], sqlite_cdr_insert[]; /* SQL */

/* Into the prepared sqlite_cdr_insert; to be stepped and reset before the texts go. */
void sqlite_cdr_bind(sqlite3_stmt *insert, const struct store_cdr *cdr);
/* See engine.h. */
int sqlite_cdr_prune(sqlite3 *db, uint64_t before_ns, size_t rows, size_t *removed);
int sqlite_cdr_read(sqlite3 *db, struct str call_id, size_t most, store_cdr_fn *fn, void *context);

#endif
