/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations of libevent, OpenSSL and c-ares fail with those of oom.h. */
#ifndef SEGUE_TESTS_OOM_LIBRARIES_H
#define SEGUE_TESTS_OOM_LIBRARIES_H

#include <ares.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "../store/oom.h"
#include "base/event_memory.h"

static inline void *oom_malloc(size_t size)
{
	return __wrap_malloc(size);
}

static inline void *oom_realloc(void *old, size_t size)
{
	return __wrap_realloc(old, size);
}

static inline void *oom_tls_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_malloc(size);
}

/* As OpenSSL's own does. */
static inline void *oom_tls_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size)
		return __wrap_realloc(old, size);
	free(old);
	return NULL;
}

static inline void oom_tls_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

/* Before any other use of them. */
static inline bool oom_reach_libraries(void)
{
	event_memory_watch();
	return CRYPTO_set_mem_functions(oom_tls_malloc, oom_tls_realloc, oom_tls_free) == 1 &&
	       ares_library_init_mem(ARES_LIB_INIT_ALL, oom_malloc, free, oom_realloc) ==
		       ARES_SUCCESS;
}

#endif
