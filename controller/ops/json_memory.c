// SPDX-License-Identifier: BSD-2-Clause
#include "ops/json_memory.h"

#include <stdlib.h>
#include <threads.h>

/* jansson hands no context to its allocator. */
static thread_local unsigned long failures;

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	failures += !memory;
	return memory;
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(allocate, free);
}

unsigned long json_memory_failures(void)
{
	return failures;
}

char *json_memory_dump(const json_t *value)
{
	unsigned long before = failures;
	char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (failures == before)
		return text;
	free(text);
	return NULL;
}
