/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of this thread fails. For programs linked with -Wl,--wrap of malloc, calloc
 * and realloc: that reaches our own objects. Libraries that let themselves be given an allocator
 * are reached by it: oom_sqlite.h, tests/sip/oom_libraries.h.
 */
#ifndef SEGUE_TESTS_OOM_H
#define SEGUE_TESTS_OOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static _Thread_local unsigned long oom_left; /* 0: none fails */
static _Thread_local bool oom_hit;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static inline bool oom_now(void)
{
	if (!oom_left || --oom_left)
		return false;
	oom_hit = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return oom_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return oom_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return oom_now() ? NULL : __real_realloc(old, size);
}

static inline void oom_arm(unsigned long n)
{
	oom_left = n;
	oom_hit = false;
}

/* True when the n-th allocation came, and failed. */
static inline bool oom_disarm(void)
{
	oom_left = 0;
	return oom_hit;
}

#endif
