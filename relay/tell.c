/* SPDX-License-Identifier: BSD-2-Clause */
/* What following says, as a line for a person. */
#include <stdarg.h>

#include "nexthop.h"
#include "tell.h"

/* An error with a name and some words about it, or two next hops. */
#define TEXT_LEN (sizeof(struct sg_error) + 2 * SG_NEXTHOP_STRLEN + 64)

void sg_tell(const struct sg_listener *listener, enum sg_follow_what what, const char *format, ...)
{
	char text[TEXT_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	listener->fn(what, text, listener->context);
}
