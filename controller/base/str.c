// SPDX-License-Identifier: BSD-2-Clause
#include "base/str.h"

#include <stdlib.h>

bool str_case_starts(struct str s, struct str prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++) {
		if (str_lower(s.p[i]) != str_lower(prefix.p[i]))
			return false;
	}
	return true;
}

bool str_case_eq(struct str a, struct str b)
{
	return a.n == b.n && str_case_starts(a, b);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

size_t str_index(struct str s, char c)
{
	const char *found = s.n ? memchr(s.p, c, s.n) : NULL;

	return found ? (size_t)(found - s.p) : s.n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_split(struct str *rest, char separator, struct str *part)
{
	size_t at = str_index(*rest, separator);

	if (!rest->n)
		return false;
	*part = (struct str){rest->p, at};
	at += at < rest->n;
	*rest = (struct str){rest->p + at, rest->n - at};
	return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
			return false;
	}
	if (s.n)
		*out = value;
	return s.n;
}

bool str_to_u32(struct str s, uint32_t *out)
{
	uint64_t value;

	if (!str_to_u64(s, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

char *str_dup(struct str s)
{
	char *copy = malloc(s.n + 1);

	if (!copy)
		return NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}
