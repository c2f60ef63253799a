/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQLite's allocations fail with those of oom.h, and those of its other threads (the writer's) by
 * a count of their own, since nobody knows which of them comes first.
 */
#ifndef SEGUE_TESTS_OOM_SQLITE_H
#define SEGUE_TESTS_OOM_SQLITE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "oom.h"

static sqlite3_mem_methods oom_sqlite_real;
static _Thread_local bool oom_sqlite_mine; /* the thread of the test */
static atomic_ulong oom_sqlite_left;	   /* of other threads; 0: none fails */
static atomic_bool oom_sqlite_hit;

static inline bool oom_sqlite_now(void)
{
	bool now;

	if (oom_sqlite_mine)
		return oom_now();
	now = atomic_load(&oom_sqlite_left) && atomic_fetch_sub(&oom_sqlite_left, 1) == 1;
	if (now)
		atomic_store(&oom_sqlite_hit, true);
	return now;
}

static inline void *oom_sqlite_malloc(int size)
{
	return oom_sqlite_now() ? NULL : oom_sqlite_real.xMalloc(size);
}

static inline void *oom_sqlite_realloc(void *old, int size)
{
	return oom_sqlite_now() ? NULL : oom_sqlite_real.xRealloc(old, size);
}

/* Before any other use of SQLite, in the thread of the test. Small ones are not put by for later.
 */
static inline bool oom_sqlite_reach(void)
{
	sqlite3_mem_methods methods;

	oom_sqlite_mine = true;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &oom_sqlite_real) != SQLITE_OK)
		return false;
	methods = oom_sqlite_real;
	methods.xMalloc = oom_sqlite_malloc;
	methods.xRealloc = oom_sqlite_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
}

static inline void oom_sqlite_arm(unsigned long n)
{
	atomic_store(&oom_sqlite_hit, false);
	atomic_store(&oom_sqlite_left, n);
}

/* True when the n-th allocation of the other threads came, and failed. */
static inline bool oom_sqlite_disarm(void)
{
	atomic_store(&oom_sqlite_left, 0);
	return atomic_load(&oom_sqlite_hit);
}

#endif
