/* SPDX-License-Identifier: BSD-2-Clause */
/* Text as pointer and length: mostly into a received message, so never assume a NUL behind it. */
#ifndef SEGUE_STR_H
#define SEGUE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

static inline struct str str_from(const char *begin, const char *end)
{
	return (struct str){begin, (size_t)(end - begin)};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || !memcmp(a.p, b.p, a.n));
}

/* ASCII letters only, whatever the locale. */
static inline char str_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c | 0x20);
	return c;
}

/* ASCII letters only: header names, tokens, hosts. */
bool str_case_eq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_case_starts(struct str s, struct str prefix);
/* Position of the first `c`, or s.n. */
size_t str_index(struct str s, char c);
/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);
/*
 * Takes the text before the first `separator` off `rest` (and the separator with it); all of it
 * when there is none. False when `rest` was empty already.
 */
bool str_split(struct str *rest, char separator, struct str *part);
/* Decimal digits only, at least one, no overflow; false leaves *out alone. */
bool str_to_u32(struct str s, uint32_t *out);
bool str_to_u64(struct str s, uint64_t *out);
/* A NUL-terminated copy that the caller frees; NULL when out of memory. */
char *str_dup(struct str s);

#endif
