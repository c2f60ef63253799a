/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a JSON value say all that it should? Whoever appends a row to a list that has no memory for
 * it is not stopped by jansson: the list is one shorter. So that nobody takes half of an answer for
 * all of it, allocations of jansson that fail are counted.
 */
#ifndef SEGUE_OPS_JSON_MEMORY_H
#define SEGUE_OPS_JSON_MEMORY_H

#include <jansson.h>

/* Once, before any other use of jansson in this process. */
void json_memory_watch(void);
/* How many allocations of jansson have failed in this thread so far. */
unsigned long json_memory_failures(void);
/*
 * A text, read into memory that was taken for all of it beforehand: the reader of jansson 2.14 runs
 * beyond its buffer where that cannot grow.
 */
struct json_memory_text {
	json_t *value; /* NULL: none was read */
	unsigned char *memory;
	size_t size, used;
	struct json_memory_text *outer; /* which was read before, and is not forgotten yet */
};

/*
 * -ENOMEM: there is not that much, and nothing was read; -EINVAL: no JSON, `why` (may be NULL) says
 * why. Whatever it returns, json_memory_forget() follows, in this thread, the last read first, and
 * when nobody refers to any part of the value any more.
 */
int json_memory_read(struct json_memory_text *out, const char *text, size_t length,
		     json_error_t *why);
/* Nothing of it stays readable: it may have held a password. */
void json_memory_forget(struct json_memory_text *text);
/* In one line, without its end, members in their order; the caller frees it. NULL: out of memory
 * (json_dumps() of jansson 2.14 leaves keys out then), or `value` is. */
char *json_memory_dump(const json_t *value);

#endif
