/* SPDX-License-Identifier: BSD-2-Clause */
/* What an engine behind the store has to do. Only store.c calls it. */
#ifndef SEGUE_STORE_ENGINE_H
#define SEGUE_STORE_ENGINE_H

#include "store/store.h"

enum store_table { STORE_SUBSCRIBER, STORE_BINDING, STORE_CALL, STORE_SECRET, STORE_TABLES };

enum store_verb { STORE_PUT, STORE_DELETE, STORE_CDR };

struct store_write {
	enum store_verb verb;
	enum store_table table; /* not of a CDR */
	struct str key, value;
	struct store_cdr cdr; /* of STORE_CDR only */
};

/*
 * Writes come from the store's thread alone, reads from another thread at the same time.
 *
 * Failures of writing mean: -EINVAL this very write can never succeed, go on without it;
 * -EBADMSG the storage is damaged, call renew(); anything else may pass by itself (locked, full),
 * roll back and try the whole batch again.
 */
struct store_engine {
	const char *scheme; /* what stands before ':' in the URL */
	int (*open)(void **out, struct str place, struct log *log, struct error *err);
	void (*close)(void *engine);
	int (*begin)(void *engine);
	int (*write)(void *engine, const struct store_write *write);
	int (*commit)(void *engine);
	void (*rollback)(void *engine);
	/* Removes at most so many CDRs of calls that ended before, the oldest ones; a transaction
	 * of its own. */
	int (*prune)(void *engine, uint64_t before_ns, size_t rows, size_t *removed);
	/* Sets what is damaged aside and begins anew with what could be saved of it. */
	int (*renew)(void *engine, struct error *err);
	/* Why the last call failed, in words; good until the next call. */
	const char *(*reason)(void *engine);
	int (*each)(void *engine, enum store_table table, store_row_fn *fn, void *context,
		    struct error *err);
	/* store_cdrs() */
	int (*cdrs)(void *engine, struct str call_id, size_t most, store_cdr_fn *fn, void *context,
		    struct error *err);
};

extern const struct store_engine store_sqlite;

/* "subscriber" ...: names of tables are names of the interface, too. */
const char *store_table_name(enum store_table table);

#endif
