/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors: a negative errno for the program, a sentence for the person. */
#include <stdarg.h>

#include "internal.h"

int sg_fail(struct sg_error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}
