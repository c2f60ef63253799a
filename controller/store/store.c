// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two queues: callers fill one while the writer's thread empties the other, each batch in one
 * transaction. A batch that fails stays and is tried again; nothing overtakes it.
 */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/engine.h"
#include "store/lines.h"
#include "store/queue.h"

/* Writes gather that long before a batch begins: fewer transactions, and short calls coalesce. */
#define GATHER_MS 20u
#define RETRY_MS 1000u
#define PRUNE_MS 60000u	 /* between two looks at what is too old */
#define PRUNE_ROWS 2000u /* in one transaction: what is new does not wait long */

struct store {
	const struct store_engine *engine;
	void *state; /* of the engine */
	struct log *log;
	char *url;
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below, and never held while the engine works */
	pthread_cond_t work, done;
	struct store_queue queue[2], *filling, *writing; /* `writing` is the thread's alone */
	bool idle;   /* the thread waits for a first write: wake it */
	bool urgent; /* somebody waits: do not gather */
	bool closing;
	bool full;	     /* the queue is, and that was said */
	struct lines *lines; /* NULL: no file; once there, the thread's alone */
	uint64_t prune_at;   /* of CLOCK_MONOTONIC, ns; the thread's alone */
	uint64_t keep_ns;    /* CDRs that ended longer ago go; 0: all stay */
	size_t in_batch;
	uint64_t batches, failures;
	struct store_stats stats;
};

static const char *const table_names[STORE_TABLES] = {
	[STORE_SUBSCRIBER] = "subscriber",
	[STORE_BINDING] = "binding",
	[STORE_CALL] = "call",
	[STORE_SECRET] = "secret",
};

static const struct store_engine *const engines[] = {&store_sqlite};

const char *store_table_name(enum store_table table)
{
	return table_names[table];
}

static int table_of(enum store_table *out, const char *name)
{
	for (unsigned i = 0; i < STORE_TABLES; i++) {
		if (!strcmp(table_names[i], name)) {
			*out = (enum store_table)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A call record that cannot be kept is in the log at least, for whoever has to know of the call. */
static void say_lost(struct store *store, const struct store_write *write)
{
	const struct store_cdr *cdr = &write->cdr;
	char call[128];

	if (write->verb != STORE_CDR)
		return;
	snprintf(call, sizeof(call), "%.*s", STR_ARG(cdr->call_id));
	log_error(store->log, call,
		  "record lost: from %.*s to %.*s, started %llu, answered %llu, ended %llu (ns), "
		  "%u %.*s",
		  STR_ARG(cdr->caller), STR_ARG(cdr->callee), (unsigned long long)cdr->started_ns,
		  (unsigned long long)cdr->answered_ns, (unsigned long long)cdr->ended_ns,
		  (unsigned)cdr->status, STR_ARG(cdr->reason));
}

/* ---- the writer's thread ----------------------------------------------------------------------
 */

static struct timespec after_ms(unsigned ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

static void wait_ms(struct store *store, unsigned ms)
{
	struct timespec until = after_ms(ms);

	while (!store->urgent && !store->closing &&
	       pthread_cond_timedwait(&store->work, &store->lock, &until) != ETIMEDOUT)
		continue;
}

/* Writes all of a batch in one transaction; `lost` counts those that can never be written. */
static int write_batch(struct store *store, size_t *lost)
{
	const struct store_engine *engine = store->engine;
	struct store_queue *queue = store->writing;
	struct store_item *item, *next;
	int error = engine->begin(store->state);

	if (error)
		return error;
	for (item = store_queue_first(queue); item && !error; item = next) {
		next = store_queue_next(queue, item);
		error = engine->write(store->state, &item->write);
		if (error == -EINVAL) {
			log_error(store->log, NULL, "store %s: one write is given up: %s",
				  store->url, engine->reason(store->state));
			say_lost(store, &item->write);
			store_queue_drop(queue, item);
			++*lost;
			error = 0;
		}
	}
	if (!error)
		error = engine->commit(store->state);
	if (error)
		engine->rollback(store->state);
	return error;
}

static int write_or_renew(struct store *store, size_t *lost)
{
	int error = write_batch(store, lost);
	struct error why;

	if (error != -EBADMSG)
		return error;
	error = store->engine->renew(store->state, &why);
	log_error(store->log, NULL, "store %s: %s", store->url, why.text);
	return error ? error : write_batch(store, lost);
}

/* What the store has now, the file of lines gets. */
static void copy_cdrs(const struct store_queue *queue, struct lines *lines)
{
	struct store_item *item = store_queue_first(queue);

	for (; item; item = store_queue_next(queue, item)) {
		if (item->write.verb == STORE_CDR)
			lines_add(lines, &item->write.cdr);
	}
	lines_write(lines);
}

static void count_lines(struct store *store)
{
	struct lines_stats lines = {0};

	if (store->lines)
		lines_stats(store->lines, &lines);
	store->stats.lines_written = lines.written;
	store->stats.lines_lost = lines.lost;
	store->stats.lines_waiting = lines.waiting;
}

/* One turn with the lock held at both ends. */
static void turn(struct store *store)
{
	struct store_queue *taken = store->writing;
	struct lines *lines;
	size_t lost = 0;
	int error;

	if (!taken->count) {
		store->writing = store->filling;
		store->filling = taken;
	}
	store->in_batch = store->writing->count;
	store->urgent = false;
	lines = store->lines;
	pthread_mutex_unlock(&store->lock);

	error = write_or_renew(store, &lost);
	if (error && store->stats.healthy)
		log_error(store->log, NULL,
			  "store %s cannot be written: %s; writes are kept and tried again",
			  store->url, store->engine->reason(store->state));
	if (!error && lines)
		copy_cdrs(store->writing, lines);
	if (!error)
		store_queue_empty(store->writing);

	pthread_mutex_lock(&store->lock);
	count_lines(store);
	store->stats.lost += lost;
	if (error) {
		store->stats.failed += store->in_batch;
		store->failures++;
	} else {
		store->stats.written += store->in_batch - lost;
		store->batches++;
		store->in_batch = 0;
		store->full = false;
	}
	if (!error && !store->stats.healthy)
		log_info(store->log, NULL, "store %s is written again; %lu writes were lost so far",
			 store->url, (unsigned long)store->stats.lost);
	store->stats.healthy = !error;
	pthread_cond_broadcast(&store->done);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Returns how soon there may be more to do. A failure is one of writes, too, and told by them. */
static unsigned prune(struct store *store, uint64_t keep_ns)
{
	uint64_t now = now_ns(CLOCK_REALTIME);
	size_t removed = 0;

	if (keep_ns < now)
		store->engine->prune(store->state, now - keep_ns, PRUNE_ROWS, &removed);
	return removed == PRUNE_ROWS ? 0 : PRUNE_MS;
}

/* What nobody waits for, between two batches; the lock is held at both ends. */
static void do_chores(struct store *store)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), keep_ns = store->keep_ns;
	struct lines *lines = store->lines;

	pthread_mutex_unlock(&store->lock);
	if (lines)
		lines_write(lines);
	if (keep_ns && now >= store->prune_at)
		store->prune_at = now + prune(store, keep_ns) * UINT64_C(1000000);
	pthread_mutex_lock(&store->lock);
	count_lines(store);
}

/* Until there is a write; chores come by the clock. */
static void wait_for_work(struct store *store)
{
	struct timespec until = after_ms(RETRY_MS);

	if (!store->stats.lines_waiting && !store->keep_ns)
		pthread_cond_wait(&store->work, &store->lock);
	else if (pthread_cond_timedwait(&store->work, &store->lock, &until) == ETIMEDOUT)
		do_chores(store);
}

static void *run(void *context)
{
	struct store *store = context;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		store->idle = true;
		while (!store->filling->count && !store->writing->count && !store->closing)
			wait_for_work(store);
		store->idle = false;
		if (!store->filling->count && !store->writing->count)
			break;
		wait_ms(store, store->writing->count ? RETRY_MS : GATHER_MS);
		turn(store);
		do_chores(store);
		/* The last chance of a batch is the one taken while closing. */
		if (store->closing && store->writing->count)
			break;
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* Signals are for the main thread. */
static int start(struct store *store)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&store->thread, NULL, run, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		pthread_setname_np(store->thread, "segue-store");
	return error;
}

/* ---- opening and closing ----------------------------------------------------------------------
 */

static int open_engine(struct store *store, struct error *err)
{
	struct str scheme, place = str_of(store->url);

	if (!str_split(&place, ':', &scheme))
		return error_set(err, -EINVAL, "store: no URL; write sqlite:/path/to/file");
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		if (!str_eq(scheme, str_of(engines[i]->scheme)))
			continue;
		store->engine = engines[i];
		return engines[i]->open(&store->state, place, store->log, err);
	}
	return error_set(err, -EINVAL,
			 "store \"%s\": no engine \"%.*s\"; write sqlite:/path/to/file", store->url,
			 STR_ARG(scheme));
}

static int make_conditions(struct store *store)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->work, &attr);
	pthread_cond_init(&store->done, &attr);
	return pthread_condattr_destroy(&attr);
}

static void destroy(struct store *store)
{
	lines_close(store->lines);
	if (store->state)
		store->engine->close(store->state);
	store_queue_free(&store->queue[0]);
	store_queue_free(&store->queue[1]);
	pthread_cond_destroy(&store->done);
	pthread_cond_destroy(&store->work);
	pthread_mutex_destroy(&store->lock);
	free(store->url);
	free(store);
}

int store_open(struct store **out, const char *url, struct log *log, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int error;

	if (!store)
		return error_set(err, -ENOMEM, "store \"%s\": out of memory", url);
	make_conditions(store);
	store->log = log;
	store->filling = &store->queue[0];
	store->writing = &store->queue[1];
	store->stats.healthy = true;
	store->url = str_dup(str_of(url));
	error = store->url ? 0 : -ENOMEM;
	for (unsigned i = 0; i < 2 && !error; i++)
		error = store_queue_init(&store->queue[i]);
	if (error)
		error_set(err, error, "store \"%s\": out of memory", url);
	else
		error = open_engine(store, err);
	if (!error) {
		error = start(store);
		if (error)
			error_set(err, error, "store \"%s\": its thread cannot be started", url);
	}
	if (error)
		destroy(store);
	else
		*out = store;
	return error;
}

int store_copy_cdrs(struct store *store, const char *file, uint64_t most, struct error *err)
{
	struct lines *lines;
	int error = lines_open(&lines, file, most, store->log, err);

	if (error)
		return error;
	lines_make_up(lines, store);
	pthread_mutex_lock(&store->lock);
	store->lines = lines;
	pthread_mutex_unlock(&store->lock);
	return 0;
}

void store_keep_cdrs(struct store *store, unsigned days)
{
	pthread_mutex_lock(&store->lock);
	store->keep_ns = days * UINT64_C(86400000000000);
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
}

void store_close(struct store *store)
{
	size_t left;

	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	store->closing = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	left = store->filling->count + store->writing->count;
	for (unsigned i = 0; i < 2; i++) {
		struct store_item *item = store_queue_first(&store->queue[i]);

		for (; item; item = store_queue_next(&store->queue[i], item))
			say_lost(store, &item->write);
	}
	if (left)
		log_error(store->log, NULL, "store %s: closed with %zu writes that it did not take",
			  store->url, left);
	destroy(store);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int queue_write(struct store *store, const struct store_write *write)
{
	bool complain = false;
	int error;

	pthread_mutex_lock(&store->lock);
	error = store_queue_add(store->filling, write);
	if (error) {
		complain = error == -ENOBUFS && !store->full;
		store->full |= complain;
		store->stats.lost++;
	} else if (store->idle) {
		store->idle = false;
		pthread_cond_signal(&store->work);
	}
	pthread_mutex_unlock(&store->lock);
	if (complain)
		log_error(store->log, NULL,
			  "store %s: %u writes wait already; more are lost until it keeps up",
			  store->url, STORE_QUEUE_WRITES);
	if (error)
		say_lost(store, write);
	return error;
}

int store_put(struct store *store, const char *table, struct str key, struct str value)
{
	struct store_write write = {.verb = STORE_PUT, .key = key, .value = value};
	int error = table_of(&write.table, table);

	return error ? error : queue_write(store, &write);
}

int store_delete(struct store *store, const char *table, struct str key)
{
	struct store_write write = {.verb = STORE_DELETE, .key = key};
	int error = table_of(&write.table, table);

	return error ? error : queue_write(store, &write);
}

int store_add_cdr(struct store *store, const struct store_cdr *cdr)
{
	const struct store_write write = {.verb = STORE_CDR, .cdr = *cdr};

	return queue_write(store, &write);
}

int store_flush(struct store *store)
{
	uint64_t wanted, failures;
	int error;

	pthread_mutex_lock(&store->lock);
	wanted = store->batches + (store->in_batch > 0) + (store->filling->count > 0);
	failures = store->failures;
	while (store->batches < wanted && store->failures == failures) {
		store->urgent = true;
		pthread_cond_signal(&store->work);
		pthread_cond_wait(&store->done, &store->lock);
	}
	error = store->batches < wanted ? -EIO : 0;
	pthread_mutex_unlock(&store->lock);
	return error;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

int store_each(struct store *store, const char *table, store_row_fn *fn, void *context,
	       struct error *err)
{
	enum store_table number;
	int error = table_of(&number, table);

	if (error)
		return error_set(err, error, "store: there is no table \"%s\"", table);
	return store->engine->each(store->state, number, fn, context, err);
}

int store_cdrs(struct store *store, struct str call_id, size_t most, store_cdr_fn *fn,
	       void *context, struct error *err)
{
	return store->engine->cdrs(store->state, call_id, most, fn, context, err);
}

void store_stats(struct store *store, struct store_stats *out)
{
	pthread_mutex_lock(&store->lock);
	*out = store->stats;
	out->queued = store->filling->count + store->in_batch;
	pthread_mutex_unlock(&store->lock);
}
