// SPDX-License-Identifier: BSD-2-Clause
#include "base/event_memory.h"

#include <errno.h>
#include <event2/event.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#define RESERVE 4096u
#define ALIGNMENT alignof(max_align_t)

/* Once something was taken of it, it is there until all of that is released. */
struct block {
	struct block *next;
	size_t used, pieces;
	alignas(max_align_t) unsigned char memory[RESERVE];
};

static thread_local struct block *reserve; /* whole; NULL: none yet, or it was needed */
static thread_local struct block *needed;
static thread_local bool held;

static void *take(size_t size)
{
	size_t whole = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct block *block = reserve ? reserve : needed;

	if (whole < size || whole > RESERVE - block->used)
		return NULL;
	if (reserve) {
		reserve = NULL;
		block->next = needed;
		needed = block;
	}
	block->used += whole;
	block->pieces++;
	return block->memory + block->used - whole;
}

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	return memory || !held ? memory : take(size);
}

/* Where the pointer to its block is; NULL: that memory is malloc()'s. */
static struct block **block_of(const void *memory)
{
	uintptr_t at = (uintptr_t)memory;

	for (struct block **block = &needed; *block; block = &(*block)->next) {
		uintptr_t from = (uintptr_t)(*block)->memory;

		if (at >= from && at - from < RESERVE)
			return block;
	}
	return NULL;
}

static void release(void *memory)
{
	struct block **at = memory ? block_of(memory) : NULL, *block;

	if (!at) {
		free(memory);
		return;
	}
	block = *at;
	if (--block->pieces)
		return;
	*at = block->next;
	free(block);
}

static void *reallocate(void *old, size_t size)
{
	struct block **at = old ? block_of(old) : NULL;
	size_t most;
	void *memory;

	if (!at)
		return realloc(old, size);
	memory = malloc(size);
	if (!memory)
		return NULL;
	/* How long it was is not known: not longer than to the block's end. */
	most = (size_t)((*at)->memory + RESERVE - (unsigned char *)old);
	memcpy(memory, old, size < most ? size : most);
	release(old);
	return memory;
}

void event_memory_watch(void)
{
	event_set_mem_functions(allocate, reallocate, release);
}

int event_memory_hold(void)
{
	if (!reserve)
		reserve = calloc(1, sizeof(*reserve));
	held = reserve != NULL;
	return held ? 0 : -ENOMEM;
}

void event_memory_let_go(void)
{
	held = false;
}
