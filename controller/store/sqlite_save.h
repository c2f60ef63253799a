/* SPDX-License-Identifier: BSD-2-Clause */
/* What can still be read of a damaged file, row by row. */
#ifndef SEGUE_STORE_SQLITE_SAVE_H
#define SEGUE_STORE_SQLITE_SAVE_H

#include <sqlite3.h>

/* Rows "key, value" of a table, into the prepared `put`; returns how many. */
unsigned long sqlite_save_rows(sqlite3 *damaged, const char *table, sqlite3_stmt *put);

struct sqlite_saved_cdrs {
	unsigned long taken, unread;
	const char *rest; /* what else is to be said, or "" */
};
/*
 * CDRs under the ids that they had, into an empty table. What cannot be read is skipped and counted
 * as far as that can be known. In transactions of its own; gigabytes take minutes.
 */
void sqlite_save_cdrs(sqlite3 *to, const char *damaged_file, struct sqlite_saved_cdrs *out);

#endif
