/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf says belongs into the error text, not on stderr. libbpf has one callback for the
 * process and gives it no context, so a thread-local pointer says whose words these are; outside of
 * begin/end the callback is silent, because a library has nothing to print.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "libbpf_text.h"

static _Thread_local struct sg_libbpf_text *listener;

static const char *skip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : text;
}

__attribute__((format(printf, 2, 0))) static int hear(enum libbpf_print_level level,
						      const char *format, va_list args)
{
	char line[sizeof(listener->text) + 64];
	const char *start = line;
	size_t len;

	if (!listener || level != LIBBPF_WARN || listener->text[0])
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	start = skip(skip(start, "libbpf: "), "Kernel error message: ");
	len = strlen(start);
	while (len && isspace((unsigned char)start[len - 1]))
		len--;
	snprintf(listener->text, sizeof(listener->text), "%.*s", (int)len, start);
	return 0;
}

void sg_libbpf_text_begin(struct sg_libbpf_text *text)
{
	text->text[0] = '\0';
	listener = text;
	libbpf_set_print(hear);
}

void sg_libbpf_text_end(void)
{
	listener = NULL;
}
