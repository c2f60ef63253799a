/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory with a store in it, and a log that is read back from standard error. */
#ifndef SEGUE_TESTS_STORE_WORLD_H
#define SEGUE_TESTS_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "scratch.h"
#include "store/store.h"

struct world {
	char directory[64], file[96], url[112];
	struct log *log;
	struct store *store;
};

static inline int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_true(scratch_make(w->directory, sizeof(w->directory)));
	snprintf(w->file, sizeof(w->file), "%s/segue.db", w->directory);
	snprintf(w->url, sizeof(w->url), "sqlite:%s", w->file);
	assert_int_equal(log_open(&w->log, LOG_LEVEL_INFO), 0);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	log_close(w->log);
	assert_int_equal(scratch_remove(w->directory), 0);
	free(w);
	return 0;
}

static inline void world_open(struct world *w)
{
	struct error err;

	if (store_open(&w->store, w->url, w->log, &err))
		fail_msg("%s", err.text);
}

static inline void world_reopen(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
	world_open(w);
}

/* All rows as "key=value;key=value;", in the engine's order. */
struct world_rows {
	char text[4096];
	size_t len, count, most;
};

static inline int world_row(void *context, struct str key, struct str value)
{
	struct world_rows *rows = context;

	if (rows->len < sizeof(rows->text))
		rows->len +=
			(size_t)snprintf(rows->text + rows->len, sizeof(rows->text) - rows->len,
					 "%.*s=%.*s;", STR_ARG(key), STR_ARG(value));
	return ++rows->count == rows->most;
}

static inline const char *world_read(struct world *w, struct world_rows *rows, const char *table)
{
	struct error err;

	*rows = (struct world_rows){0};
	if (store_each(w->store, table, world_row, rows, &err))
		fail_msg("%s", err.text);
	return rows->text;
}

/* ---- standard error in a file, so that a test can count the log's lines -------------------------
 */

struct world_log {
	int saved;
	FILE *file;
};

static inline void world_log_begin(struct world_log *l)
{
	fflush(stderr);
	l->file = tmpfile();
	assert_non_null(l->file);
	l->saved = dup(2);
	dup2(fileno(l->file), 2);
}

/* How many lines of what was logged so far contain that text. */
static inline unsigned world_log_count(struct world_log *l, const char *wanted)
{
	char line[1200];
	unsigned count = 0;

	fflush(stderr);
	rewind(l->file);
	while (fgets(line, sizeof(line), l->file))
		count += strstr(line, wanted) != NULL;
	fseek(l->file, 0, SEEK_END);
	return count;
}

static inline void world_log_end(struct world_log *l)
{
	fflush(stderr);
	dup2(l->saved, 2);
	close(l->saved);
	fclose(l->file);
}

#endif
