// SPDX-License-Identifier: BSD-2-Clause
#include "store/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/sqlite_cdr.h"
#include "store/sqlite_save.h"

#define SCHEME "sqlite:"
#define BUSY_MS 5000 /* how long a segued that writes is waited for */

static const char *file_of(const char *url)
{
	return strncmp(url, SCHEME, strlen(SCHEME)) ? NULL : url + strlen(SCHEME);
}

static struct str text_of(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return (struct str){text, (size_t)sqlite3_column_bytes(row, column)};
}

static int version_of(sqlite3 *db, unsigned *out)
{
	sqlite3_stmt *row = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &row, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(row);
	*out = rc == SQLITE_ROW ? (unsigned)sqlite3_column_int(row, 0) : 0;
	sqlite3_finalize(row);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int read_rows(sqlite3 *db, const char *table, store_row_fn *fn, void *context)
{
	sqlite3_stmt *rows = NULL;
	char sql[64];
	int rc;

	snprintf(sql, sizeof(sql), "SELECT key, value FROM %s", table);
	rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(rows);
		if (rc == SQLITE_ROW && fn(context, text_of(rows, 0), text_of(rows, 1)))
			break;
	}
	sqlite3_finalize(rows);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int store_look(const char *url, const char *table, store_row_fn *fn, void *context,
	       struct error *err)
{
	const char *file = file_of(url);
	unsigned version = 0;
	sqlite3 *db = NULL;
	int rc, ret = 0;

	if (!file || access(file, F_OK))
		return 0;
	rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL);
	if (rc == SQLITE_OK)
		sqlite3_busy_timeout(db, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = version_of(db, &version);
	if (version > STORE_SCHEMA_VERSION)
		ret = error_set(err, -EPROTO, "store %s: made by a later version of Segue", file);
	else if (rc == SQLITE_OK && version)
		rc = read_rows(db, table, fn, context);
	if (!ret && rc != SQLITE_OK)
		ret = error_set(err, -EIO, "store %s: cannot be read: %s", file,
				db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	sqlite3_close(db);
	return ret;
}

/* ---- what may stay ----------------------------------------------------------------------------
 */

static int copy_records(const char *from, const char *to, struct error *err)
{
	struct sqlite_saved_cdrs saved = {.rest = ""};
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(to, &db, SQLITE_OPEN_READWRITE, NULL), ret = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sqlite_cdr_table, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		ret = error_set(err, -EIO, "%s: cannot be written: %s", to,
				db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	else
		sqlite_save_cdrs(db, from, &saved);
	if (!ret && (saved.unread || *saved.rest))
		ret = error_set(err, -EBADMSG,
				"store %s: %lu call records can be taken over, %lu cannot be "
				"read%s",
				from, saved.taken, saved.unread, saved.rest);
	sqlite3_close(db);
	return ret;
}

/* Before it has anything that others may not read. */
static int make_for_owner(const char *file, const struct stat *owner)
{
	int fd, ret = 0;

	if (unlink(file) && errno != ENOENT)
		return -errno;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fchown(fd, owner->st_uid, owner->st_gid))
		ret = -errno;
	close(fd);
	return ret;
}

int store_keep_records(const char *url, const char *to, struct error *err)
{
	const char *file = file_of(url);
	struct buf name = BUF_EMPTY;
	struct stat owner;
	int ret;

	if (!file || stat(file, &owner))
		return error_set(err, -ENOENT, "store %s: is not there", url);
	buf_addf(&name, "%s.new", to);
	ret = buf_error(&name);
	if (ret)
		return error_set(err, ret, "out of memory");
	ret = make_for_owner(name.data, &owner);
	if (ret)
		error_set(err, ret, "%s: cannot be made: %s", name.data, strerror(-ret));
	if (!ret)
		ret = copy_records(file, name.data, err);
	if (!ret && rename(name.data, to))
		ret = error_set(err, -errno, "%s: cannot be made: %s", to, strerror(errno));
	if (ret)
		unlink(name.data);
	buf_free(&name);
	return ret;
}
