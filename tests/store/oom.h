/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of this thread fails. For programs linked with -Wl,--wrap of malloc, calloc
 * and realloc: that reaches our own objects. Libraries that let themselves be given an allocator
 * are reached by it: oom_sqlite.h, tests/sip/oom_libraries.h. With OOM_PROCESS and without --wrap
 * the program's malloc() is that of the whole process, so that every library is reached, and the C
 * library itself; the sanitizers want to be that themselves.
 */
#ifndef SEGUE_TESTS_OOM_H
#define SEGUE_TESTS_OOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local unsigned long oom_left; /* 0: none fails */
static _Thread_local bool oom_hit;

#ifdef OOM_PROCESS
#define __real_malloc __libc_malloc
#define __real_calloc __libc_calloc
#define __real_realloc __libc_realloc
#endif

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

#ifdef OOM_PROCESS
void *malloc(size_t size)
{
	return __wrap_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return __wrap_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return __wrap_realloc(old, size);
}
#endif

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
