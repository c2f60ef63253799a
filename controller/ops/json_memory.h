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
/* In one line, without its end, members in their order; the caller frees it. NULL: out of memory
 * (json_dumps() of jansson 2.14 leaves keys out then), or `value` is. */
char *json_memory_dump(const json_t *value);

#endif
