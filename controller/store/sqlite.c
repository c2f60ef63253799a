// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store in one SQLite file: write-ahead log, so that readers and the writer do not wait for
 * each other and a commit needs no fsync (synchronous=NORMAL: a power failure may cost the last
 * transactions, never the file). Two connections: one for the writer's thread, one to read with.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/offline.h"
#include "store/sqlite_cdr.h"
#include "store/sqlite_save.h"

#define BUSY_MS 1000 /* how long a lock of somebody else is waited for */

struct sqlite {
	char *file;
	struct log *log;
	sqlite3 *writer, *reader;
	bool ready;		 /* all of it is open */
	pthread_mutex_t reading; /* of `reader` */
	char why[128];		 /* it is not ready */
	sqlite3_stmt *put[STORE_TABLES], *remove[STORE_TABLES], *cdr, *begin, *commit;
};

/* What a failure means for the store (engine.h). */
static int meaning(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_TOOBIG:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int execute(sqlite3 *db, const char *format, const char *table)
{
	char *sql = sqlite3_mprintf(format, table);
	int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return meaning(rc);
}

/* ---- opening ----------------------------------------------------------------------------------
 */

/* First cell of the first row, as text of at most `room` bytes. */
static int ask(sqlite3 *db, const char *sql, char *out, size_t room)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	const char *text;

	out[0] = '\0';
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(statement, 0);
		rc = text ? rc : SQLITE_NOMEM; /* nothing that we ask for is NULL */
		snprintf(out, room, "%s", text ? text : "");
	}
	sqlite3_finalize(statement);
	return meaning(rc);
}

/* Made here and not by SQLite: hashes of passwords are nobody else's business. The log files of
 * SQLite take its mode over. */
static int make_file(const char *file, struct error *err)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600), error = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (error == ENOENT)
		return error_set(err, -error, "store %s: its directory does not exist; create it",
				 file);
	return error_set(err, -error, "store %s: cannot be opened for writing: %s", file,
			 strerror(error));
}

static int connect_to(sqlite3 **out, const char *file, int flags)
{
	int rc = sqlite3_open_v2(file, out, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(*out, BUSY_MS);
	return meaning(rc);
}

static int make_tables(sqlite3 *db)
{
	int error = execute(db, "BEGIN IMMEDIATE", NULL);

	for (unsigned i = 0; i < STORE_TABLES && !error; i++)
		error = execute(db,
				"CREATE TABLE IF NOT EXISTS %s (key TEXT PRIMARY KEY NOT NULL,"
				" value TEXT NOT NULL) WITHOUT ROWID",
				store_table_name((enum store_table)i));
	if (!error)
		error = execute(db, sqlite_cdr_table, NULL);
	if (!error)
		error = execute(db, "PRAGMA user_version = 1", NULL);
	if (!error)
		error = execute(db, "COMMIT", NULL);
	return error;
}

/* The tables that we read back; CDRs may be gigabytes, and nothing depends on them. */
static int check_tables(sqlite3 *db)
{
	char sql[64], verdict[64];
	int error = 0;

	for (unsigned i = 0; i < STORE_TABLES && !error; i++) {
		snprintf(sql, sizeof(sql), "PRAGMA quick_check('%s')",
			 store_table_name((enum store_table)i));
		error = ask(db, sql, verdict, sizeof(verdict));
		if (!error && strcmp(verdict, "ok"))
			error = -EBADMSG;
	}
	return error;
}

static int prepare(sqlite3 *db, sqlite3_stmt **out, const char *format, enum store_table table)
{
	char sql[256];

	snprintf(sql, sizeof(sql), format, store_table_name(table));
	return meaning(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

static int prepare_all(struct sqlite *s)
{
	sqlite3 *db = s->writer;
	int error = prepare(db, &s->begin, "BEGIN IMMEDIATE", 0);

	if (!error)
		error = prepare(db, &s->commit, "COMMIT", 0);
	if (!error)
		error = prepare(db, &s->cdr, sqlite_cdr_insert, 0);
	for (unsigned i = 0; i < STORE_TABLES && !error; i++) {
		error = prepare(db, &s->put[i], "REPLACE INTO %s (key, value) VALUES (?1, ?2)",
				(enum store_table)i);
		if (!error)
			error = prepare(db, &s->remove[i], "DELETE FROM %s WHERE key = ?1",
					(enum store_table)i);
	}
	return error;
}

static int set_up(struct sqlite *s)
{
	char answer[16] = "";
	unsigned long version;
	int error = connect_to(&s->writer, s->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (!error)
		error = ask(s->writer, "PRAGMA user_version", answer, sizeof(answer));
	version = strtoul(answer, NULL, 10);
	if (!error && version > STORE_SCHEMA_VERSION)
		return -EPROTO;
	if (!error)
		error = ask(s->writer, "PRAGMA journal_mode = WAL", answer, sizeof(answer));
	if (!error)
		error = execute(s->writer,
				"PRAGMA synchronous = NORMAL;"
				"PRAGMA journal_size_limit = 67108864",
				NULL);
	/* Only once: nothing is written without need, as the disk may be full. */
	if (!error && version < STORE_SCHEMA_VERSION)
		error = make_tables(s->writer);
	if (!error)
		error = check_tables(s->writer);
	if (!error)
		error = prepare_all(s);
	if (!error)
		error = connect_to(&s->reader, s->file, SQLITE_OPEN_READONLY);
	s->ready = !error;
	return error;
}

static void take_down(struct sqlite *s)
{
	for (unsigned i = 0; i < STORE_TABLES; i++) {
		sqlite3_finalize(s->put[i]);
		sqlite3_finalize(s->remove[i]);
		s->put[i] = s->remove[i] = NULL;
	}
	sqlite3_finalize(s->cdr);
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	s->cdr = s->begin = s->commit = NULL;
	sqlite3_close(s->reader);
	sqlite3_close(s->writer);
	s->reader = s->writer = NULL;
	s->ready = false;
}

static bool has_log(const struct sqlite *s)
{
	char *file = sqlite3_mprintf("%s-wal", s->file);
	struct stat st;
	bool there = !file || (!stat(file, &st) && st.st_size > 0);

	sqlite3_free(file);
	return there;
}

static void add_uri_path(struct buf *out, const char *file)
{
	for (; *file; file++) {
		if (isalnum((unsigned char)*file) || strchr("/._-", *file))
			buf_add_char(out, *file);
		else
			buf_addf(out, "%%%02x", (unsigned char)*file);
	}
}

/*
 * A full disk has no room even for the files that SQLite wants beside an open database. What the
 * file holds can be read without them, if it was closed in order; so a restart goes well, and
 * sqlite_begin() tries the rest again.
 */
static int open_to_read(struct sqlite *s)
{
	struct buf uri = BUF_EMPTY;
	int error = has_log(s) ? -EIO : 0;

	buf_add(&uri, STR("file:"));
	add_uri_path(&uri, s->file);
	buf_add(&uri, STR("?immutable=1"));
	if (!error)
		error = buf_error(&uri);
	if (!error)
		error = connect_to(&s->reader, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	if (!error)
		error = check_tables(s->reader);
	buf_free(&uri);
	return error;
}

/* All of it, or at least to read. The error is that of the former. */
static int set_up_or_read(struct sqlite *s)
{
	char why[128];
	int error = set_up(s);

	if (error != -ENOSPC && error != -EIO)
		return error;
	snprintf(why, sizeof(why), "%s", sqlite3_errmsg(s->writer));
	take_down(s);
	if (open_to_read(s)) {
		sqlite3_close(s->reader);
		s->reader = NULL;
	}
	snprintf(s->why, sizeof(s->why), "%s", why);
	return error;
}

/* ---- damage -----------------------------------------------------------------------------------
 */

static void move_aside(const char *file, const char *suffix, const char *aside)
{
	char *from = sqlite3_mprintf("%s%s", file, suffix);
	char *to = sqlite3_mprintf("%s%s", aside, suffix);

	if (from && to)
		rename(from, to);
	sqlite3_free(from);
	sqlite3_free(to);
}

static unsigned long save_what_can_be(struct sqlite *s, const char *aside)
{
	unsigned long saved = 0;
	sqlite3 *damaged = NULL;

	if (!connect_to(&damaged, aside, SQLITE_OPEN_READWRITE) &&
	    !execute(s->writer, "BEGIN IMMEDIATE", NULL)) {
		for (unsigned i = 0; i < STORE_TABLES; i++)
			saved += sqlite_save_rows(damaged, store_table_name((enum store_table)i),
						  s->put[i]);
		execute(s->writer, "COMMIT", NULL);
	}
	sqlite3_close(damaged);
	return saved;
}

static int renew_locked(struct sqlite *s, const char *aside, unsigned long *rows, struct error *err)
{
	int error;

	take_down(s);
	if (rename(s->file, aside))
		return error_set(err, -errno, "damaged, and cannot be set aside as %s: %s", aside,
				 strerror(errno));
	move_aside(s->file, "-wal", aside);
	move_aside(s->file, "-shm", aside);
	error = make_file(s->file, err);
	if (error)
		return error;
	error = set_up(s);
	if (error)
		return error_set(err, error,
				 "damaged, set aside as %s; a new one cannot be made: %s", aside,
				 strerror(-error));
	*rows = save_what_can_be(s, aside);
	return 0;
}

static int sqlite_renew(void *engine, struct error *err)
{
	struct sqlite *s = engine;
	char *aside = sqlite3_mprintf("%s.damaged-%lld", s->file, (long long)time(NULL));
	struct sqlite_saved_cdrs cdrs;
	unsigned long rows = 0;
	int error;

	if (!aside)
		return error_set(err, -ENOMEM, "damaged, and no memory to set it aside");
	pthread_mutex_lock(&s->reading);
	error = renew_locked(s, aside, &rows, err);
	pthread_mutex_unlock(&s->reading);
	if (!error) {
		/* They may be gigabytes: who reads does not wait for them. */
		sqlite_save_cdrs(s->writer, aside, &cdrs);
		error_set(err, 0,
			  "damaged; it was set aside as %s and a new one begun with %lu rows of "
			  "it; %lu call records taken over, %lu could not be read%s",
			  aside, rows, cdrs.taken, cdrs.unread, cdrs.rest);
	}
	sqlite3_free(aside);
	return error;
}

/* ---- the engine -------------------------------------------------------------------------------
 */

static const char *sqlite_reason(void *engine)
{
	struct sqlite *s = engine;

	if (s->writer)
		return sqlite3_errmsg(s->writer);
	return s->why[0] ? s->why : "the file cannot be opened";
}

static void sqlite_close(void *engine)
{
	struct sqlite *s = engine;

	take_down(s);
	pthread_mutex_destroy(&s->reading);
	free(s->file);
	free(s);
}

static int explain(struct sqlite *s, int error, struct error *err)
{
	if (error == -EPROTO)
		return error_set(err, error, "store %s: made by a later version of Segue", s->file);
	if (error == -ENOMEM) /* it may be ours that is missing: SQLite knows of no error then */
		return error_set(err, error, "store %s: out of memory", s->file);
	if (error == -EBUSY)
		return error_set(err, error, "store %s: locked by another process", s->file);
	return error_set(err, error, "store %s: %s", s->file, sqlite_reason(s));
}

static int open_or_renew(struct sqlite *s, struct error *err)
{
	struct error why;
	int error = make_file(s->file, err);

	if (error)
		return error;
	error = set_up_or_read(s);
	if (error && !s->writer && s->reader) {
		log_error(s->log, NULL, "store %s: can only be read: %s; is the disk full?",
			  s->file, sqlite_reason(s));
		return 0;
	}
	if (error == -EBADMSG) {
		error = sqlite_renew(s, &why);
		log_error(s->log, NULL, "store %s: %s", s->file, why.text);
		return error_set(err, error, "store %s: %s", s->file, why.text);
	}
	return error ? explain(s, error, err) : 0;
}

static int sqlite_open(void **out, struct str place, struct log *log, struct error *err)
{
	struct sqlite *s = calloc(1, sizeof(*s));
	int error;

	if (!s || !place.n || !(s->file = str_dup(place))) {
		free(s);
		return error_set(err, place.n ? -ENOMEM : -EINVAL, "store: sqlite: needs a file");
	}
	s->log = log;
	pthread_mutex_init(&s->reading, NULL);
	error = open_or_renew(s, err);
	if (error)
		sqlite_close(s);
	else
		*out = s;
	return error;
}

static int step(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	return meaning(rc);
}

static int sqlite_begin(void *engine)
{
	struct sqlite *s = engine;
	int error = 0;

	if (!s->ready) { /* an attempt to renew it failed half-way */
		pthread_mutex_lock(&s->reading);
		take_down(s);
		error = set_up_or_read(s);
		pthread_mutex_unlock(&s->reading);
	}
	return error ? error : step(s->begin);
}

static int sqlite_prune(void *engine, uint64_t before_ns, size_t rows, size_t *removed)
{
	struct sqlite *s = engine;

	return s->ready ? meaning(sqlite_cdr_prune(s->writer, before_ns, rows, removed)) : -EIO;
}

static int sqlite_commit(void *engine)
{
	return step(((struct sqlite *)engine)->commit);
}

static void sqlite_rollback(void *engine)
{
	struct sqlite *s = engine;

	/* Some failures (a full disk) have rolled back already. */
	if (s->writer && !sqlite3_get_autocommit(s->writer))
		sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL);
}

/* The text outlives the step, and no binding is used twice: SQLITE_STATIC, no copy. */
static void bind(sqlite3_stmt *statement, int at, struct str text)
{
	sqlite3_bind_text64(statement, at, text.n ? text.p : "", text.n, SQLITE_STATIC,
			    SQLITE_UTF8);
}

static int sqlite_write(void *engine, const struct store_write *write)
{
	struct sqlite *s = engine;

	switch (write->verb) {
	case STORE_PUT:
		bind(s->put[write->table], 1, write->key);
		bind(s->put[write->table], 2, write->value);
		return step(s->put[write->table]);
	case STORE_DELETE:
		bind(s->remove[write->table], 1, write->key);
		return step(s->remove[write->table]);
	case STORE_CDR:
		break;
	}
	sqlite_cdr_bind(s->cdr, &write->cdr);
	return step(s->cdr);
}

static struct str column(sqlite3_stmt *row, int at)
{
	const char *text = (const char *)sqlite3_column_text(row, at);

	return text ? (struct str){text, (size_t)sqlite3_column_bytes(row, at)} : STR_NONE;
}

static int read_rows(struct sqlite *s, enum store_table table, store_row_fn *fn, void *context)
{
	sqlite3_stmt *rows = NULL;
	int rc, error = s->reader ? prepare(s->reader, &rows, "SELECT key, value FROM %s", table)
				  : -EIO;

	if (error)
		return error;
	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		struct str key = column(rows, 0), value = column(rows, 1);

		if (!key.p || !value.p) { /* neither is NULL in the file */
			rc = SQLITE_NOMEM;
			break;
		}
		if (fn(context, key, value))
			break;
	}
	sqlite3_finalize(rows);
	return meaning(rc);
}

static int sqlite_each(void *engine, enum store_table table, store_row_fn *fn, void *context,
		       struct error *err)
{
	struct sqlite *s = engine;
	int error;

	pthread_mutex_lock(&s->reading);
	error = read_rows(s, table, fn, context);
	if (error)
		error_set(err, error, "store %s: table %s cannot be read: %s", s->file,
			  store_table_name(table),
			  s->reader ? sqlite3_errmsg(s->reader) : "the file is not open");
	pthread_mutex_unlock(&s->reading);
	return error;
}

static int sqlite_cdrs(void *engine, struct str call_id, size_t most, store_cdr_fn *fn,
		       void *context, struct error *err)
{
	struct sqlite *s = engine;
	int error = -EIO;

	pthread_mutex_lock(&s->reading);
	if (s->reader)
		error = meaning(sqlite_cdr_read(s->reader, call_id, most, fn, context));
	if (error)
		error_set(err, error, "store %s: CDRs cannot be read: %s", s->file,
			  s->reader ? sqlite3_errmsg(s->reader) : "the file is not open");
	pthread_mutex_unlock(&s->reading);
	return error;
}

const struct store_engine store_sqlite = {
	.scheme = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.write = sqlite_write,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.prune = sqlite_prune,
	.renew = sqlite_renew,
	.reason = sqlite_reason,
	.each = sqlite_each,
	.cdrs = sqlite_cdrs,
};
