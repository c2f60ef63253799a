// SPDX-License-Identifier: BSD-2-Clause
#include "store/sqlite_save.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define ONE_BY_ONE 20000 /* ids: a page that leads to others hides some thousand of them */
#define BATCH 1000u	 /* rows of a transaction */

unsigned long sqlite_save_rows(sqlite3 *damaged, const char *table, sqlite3_stmt *put)
{
	sqlite3_stmt *rows = NULL;
	unsigned long saved = 0;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT key, value FROM %s", table);
	if (sqlite3_prepare_v2(damaged, sql, -1, &rows, NULL) != SQLITE_OK)
		return 0;
	while (sqlite3_step(rows) == SQLITE_ROW) {
		for (int i = 0; i < 2; i++)
			sqlite3_bind_text(put, i + 1, (const char *)sqlite3_column_text(rows, i),
					  sqlite3_column_bytes(rows, i), SQLITE_TRANSIENT);
		saved += sqlite3_step(put) == SQLITE_DONE;
		sqlite3_reset(put);
	}
	sqlite3_finalize(rows);
	return saved;
}

/* ---- CDRs ------------------------------------------------------------------------------------ */

#define CDR_COLUMNS 11

/* Who reads details expects JSON. */
static const char cdr_select[] =
	"SELECT id, call_id, caller, callee, started_ns, answered_ns, ended_ns, reason, status,"
	" handovers, CASE WHEN json_valid(details) THEN details ELSE '{}' END"
	" FROM cdr WHERE id >= ?1 ORDER BY id";
static const char cdr_insert[] =
	"INSERT INTO cdr (id, call_id, caller, callee, started_ns, answered_ns, ended_ns, reason,"
	" status, handovers, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

struct rescue {
	sqlite3 *from, *to;
	sqlite3_stmt *select, *insert;
	struct sqlite_saved_cdrs *saved;
	unsigned in_batch;
	bool full; /* it cannot be written: no more of it */
};

static bool run(struct rescue *rescue, const char *sql)
{
	if (sqlite3_exec(rescue->to, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	rescue->full = true;
	return false;
}

static void put_cdr(struct rescue *rescue)
{
	bool done;

	for (int i = 0; i < CDR_COLUMNS; i++)
		sqlite3_bind_value(rescue->insert, i + 1, sqlite3_column_value(rescue->select, i));
	done = sqlite3_step(rescue->insert) == SQLITE_DONE;
	sqlite3_reset(rescue->insert);
	if (!done) {
		rescue->full = true;
		return;
	}
	if (++rescue->in_batch < BATCH || !run(rescue, "COMMIT"))
		return;
	rescue->saved->taken += rescue->in_batch;
	rescue->in_batch = 0;
	run(rescue, "BEGIN IMMEDIATE");
}

/* From that id on; `*at` is then the first that was not. False: there are no more. */
static bool copy_some(struct rescue *rescue, sqlite3_int64 *at)
{
	int rc;

	sqlite3_bind_int64(rescue->select, 1, *at);
	while ((rc = sqlite3_step(rescue->select)) == SQLITE_ROW && !rescue->full) {
		sqlite3_int64 id = sqlite3_column_int64(rescue->select, 0);

		/* Pages that lead back would have no end. */
		if (id < *at || id == INT64_MAX)
			break;
		put_cdr(rescue);
		*at = id + 1;
	}
	sqlite3_reset(rescue->select);
	return rc != SQLITE_DONE && !rescue->full;
}

static bool can_be_read(struct rescue *rescue, sqlite3_int64 id)
{
	int rc;

	sqlite3_bind_int64(rescue->select, 1, id);
	rc = sqlite3_step(rescue->select);
	sqlite3_reset(rescue->select);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* `*at` cannot be read: the next that can. One by one at first, as pages have a few rows each. */
static bool skip_damage(struct rescue *rescue, sqlite3_int64 *at)
{
	sqlite3_int64 bad = *at, good = bad + 1, middle;

	while (good - *at < ONE_BY_ONE && !can_be_read(rescue, good))
		bad = good++;
	for (sqlite3_int64 step = ONE_BY_ONE; !can_be_read(rescue, good); step *= 2) {
		if (step > INT64_MAX / 4) {
			rescue->saved->rest = "; an unknown number behind them is lost, too";
			return false;
		}
		bad = good;
		good += step;
	}
	while (good - bad > 1) {
		middle = bad + (good - bad) / 2;
		if (can_be_read(rescue, middle))
			good = middle;
		else
			bad = middle;
	}
	rescue->saved->unread += (unsigned long)(good - *at);
	*at = good;
	return true;
}

static bool has_room(const char *file)
{
	struct statvfs disk;
	struct stat size;

	return stat(file, &size) || statvfs(file, &disk) ||
	       (unsigned long long)disk.f_bavail * disk.f_frsize > (unsigned long long)size.st_size;
}

static void copy_all(struct rescue *rescue)
{
	sqlite3_int64 at = 1;

	if (!run(rescue, "BEGIN IMMEDIATE"))
		return;
	while (copy_some(rescue, &at) && skip_damage(rescue, &at))
		continue;
	if (!rescue->full && run(rescue, "COMMIT"))
		rescue->saved->taken += rescue->in_batch;
	if (!sqlite3_get_autocommit(rescue->to))
		sqlite3_exec(rescue->to, "ROLLBACK", NULL, NULL, NULL);
}

void sqlite_save_cdrs(sqlite3 *to, const char *damaged_file, struct sqlite_saved_cdrs *out)
{
	struct rescue rescue = {.to = to, .saved = out};

	*out = (struct sqlite_saved_cdrs){.rest = ""};
	if (!has_room(damaged_file)) {
		out->rest = "; the disk has no room for call records";
		return;
	}
	if (sqlite3_open_v2(damaged_file, &rescue.from, SQLITE_OPEN_READWRITE, NULL) ||
	    sqlite3_prepare_v2(rescue.from, cdr_select, -1, &rescue.select, NULL) ||
	    sqlite3_prepare_v2(to, cdr_insert, -1, &rescue.insert, NULL))
		out->rest = "; nobody knows how many there were";
	else
		copy_all(&rescue);
	if (rescue.full)
		out->rest = "; the others could not be written";
	sqlite3_finalize(rescue.select);
	sqlite3_finalize(rescue.insert);
	sqlite3_close(rescue.from);
}
