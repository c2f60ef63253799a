// SPDX-License-Identifier: BSD-2-Clause
#include "ops/json_memory.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

/*
 * What the reader takes at most for a character of text, and beside that for any text at all. An
 * array of one character is 112 bytes, an object of two is 208; buffers and tables that grow by
 * doubling, and are not used again here, come to 4 times their last size, which is less for each
 * character. Whatever a later jansson took beyond it would come from malloc(), as everywhere.
 */
#define PER_CHARACTER 128u
#define BESIDE 4096u
#define ALIGNMENT alignof(max_align_t)

/* jansson hands no context to its allocator. */
static thread_local unsigned long failures;
static thread_local struct json_memory_text *texts; /* the last one first */
static thread_local bool reading;		    /* the last one */

static void *take(struct json_memory_text *text, size_t size)
{
	size_t whole = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (whole < size || whole > text->size - text->used)
		return NULL;
	text->used += whole;
	return text->memory + text->used - whole;
}

static void *allocate(size_t size)
{
	void *memory = reading ? take(texts, size) : NULL;

	if (!memory) {
		memory = malloc(size);
		failures += !memory;
	}
	return memory;
}

/* What was taken for a text goes with it. */
static void release(void *memory)
{
	for (struct json_memory_text *text = texts; text; text = text->outer) {
		uintptr_t from = (uintptr_t)text->memory, at = (uintptr_t)memory;

		if (at >= from && at - from < text->size)
			return;
	}
	free(memory);
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(allocate, release);
}

int json_memory_read(struct json_memory_text *out, const char *text, size_t length,
		     json_error_t *why)
{
	*out = (struct json_memory_text){.size = BESIDE + length * PER_CHARACTER};
	out->memory = malloc(out->size);
	if (!out->memory)
		return -ENOMEM;
	out->outer = texts;
	texts = out;
	reading = true;
	out->value = json_loadb(text, length, 0, why);
	reading = false;
	return out->value ? 0 : -EINVAL;
}

void json_memory_forget(struct json_memory_text *text)
{
	json_decref(text->value);
	if (!text->memory)
		return;
	texts = text->outer;
	explicit_bzero(text->memory, text->used);
	free(text->memory);
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
