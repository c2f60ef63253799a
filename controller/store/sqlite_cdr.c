// SPDX-License-Identifier: BSD-2-Clause
#include "store/sqlite_cdr.h"

#define LOOKED_AT 20000 /* rows from the end: no index of ids is wanted, and nobody waits long */

const char sqlite_cdr_table[] = "CREATE TABLE IF NOT EXISTS cdr (id INTEGER PRIMARY KEY,"
				" call_id TEXT, caller TEXT, callee TEXT, started_ns INTEGER,"
				" answered_ns INTEGER, ended_ns INTEGER, reason TEXT,"
				" status INTEGER, handovers INTEGER, details TEXT);";

const char sqlite_cdr_insert[] =
	"INSERT INTO cdr (call_id, caller, callee, started_ns, answered_ns, ended_ns, reason,"
	" status, handovers, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

static void bind(sqlite3_stmt *statement, int at, struct str text)
{
	sqlite3_bind_text64(statement, at, text.n ? text.p : "", text.n, SQLITE_STATIC,
			    SQLITE_UTF8);
}

void sqlite_cdr_bind(sqlite3_stmt *insert, const struct store_cdr *cdr)
{
	bind(insert, 1, cdr->call_id);
	bind(insert, 2, cdr->caller);
	bind(insert, 3, cdr->callee);
	sqlite3_bind_int64(insert, 4, (sqlite3_int64)cdr->started_ns);
	sqlite3_bind_int64(insert, 5, (sqlite3_int64)cdr->answered_ns);
	sqlite3_bind_int64(insert, 6, (sqlite3_int64)cdr->ended_ns);
	bind(insert, 7, cdr->reason);
	sqlite3_bind_int(insert, 8, cdr->status);
	sqlite3_bind_int64(insert, 9, cdr->handovers);
	bind(insert, 10, cdr->details);
}

/* The oldest were written first. */
int sqlite_cdr_prune(sqlite3 *db, uint64_t before_ns, size_t rows, size_t *removed)
{
	char *sql = sqlite3_mprintf("DELETE FROM cdr WHERE ended_ns < %lld AND id IN"
				    " (SELECT id FROM cdr ORDER BY id LIMIT %lld)",
				    (long long)before_ns, (long long)rows);
	int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	*removed = rc == SQLITE_OK ? (size_t)sqlite3_changes(db) : 0;
	return rc;
}

/* NULL in the file is empty, and so is what there is no memory for: sqlite3_errcode() knows. */
static struct str text_of(sqlite3_stmt *row, int at)
{
	const char *text = (const char *)sqlite3_column_text(row, at);

	return text ? (struct str){text, (size_t)sqlite3_column_bytes(row, at)} : STR_NONE;
}

static struct store_cdr cdr_of(sqlite3_stmt *row)
{
	return (struct store_cdr){
		.call_id = text_of(row, 0),
		.caller = text_of(row, 1),
		.callee = text_of(row, 2),
		.started_ns = (uint64_t)sqlite3_column_int64(row, 3),
		.answered_ns = (uint64_t)sqlite3_column_int64(row, 4),
		.ended_ns = (uint64_t)sqlite3_column_int64(row, 5),
		.reason = text_of(row, 6),
		.status = sqlite3_column_int(row, 7),
		.handovers = (unsigned)sqlite3_column_int64(row, 8),
		.details = text_of(row, 9),
	};
}

int sqlite_cdr_read(sqlite3 *db, struct str call_id, size_t most, store_cdr_fn *fn, void *context)
{
	sqlite3_stmt *rows = NULL;
	struct store_cdr cdr;
	int rc = sqlite3_prepare_v2(
		db,
		"SELECT call_id, caller, callee, started_ns, answered_ns, ended_ns, reason, status,"
		" handovers, details FROM cdr WHERE id > (SELECT max(id) FROM cdr) - ?3"
		" AND (?1 = '' OR call_id = ?1) ORDER BY id DESC LIMIT ?2",
		-1, &rows, NULL);

	if (rc != SQLITE_OK)
		return rc;
	bind(rows, 1, call_id);
	sqlite3_bind_int64(rows, 2, (sqlite3_int64)most);
	sqlite3_bind_int(rows, 3, LOOKED_AT);
	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		cdr = cdr_of(rows);
		if (sqlite3_errcode(db) == SQLITE_NOMEM) {
			rc = SQLITE_NOMEM;
			break;
		}
		if (fn(context, &cdr))
			break;
	}
	sqlite3_finalize(rows);
	return rc;
}
