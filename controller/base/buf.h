/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that grows. Errors stick: add as much as you like and look at buf_error() once, at the end.
 */
#ifndef SEGUE_BUF_H
#define SEGUE_BUF_H

#include <stdarg.h>

#include "base/str.h"

#define BUF_LIMIT (256u * 1024u) /* no message that we build is longer */

struct buf {
	char *data; /* NUL-terminated whenever not NULL */
	size_t len, room;
	int error; /* 0, -ENOMEM or -EMSGSIZE */
};

#define BUF_EMPTY ((struct buf){NULL, 0, 0, 0})

void buf_add(struct buf *buf, struct str text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *format, va_list list);
/* Unsigned decimal: what buf_addf("%lu") does, but cheap. */
void buf_add_u64(struct buf *buf, uint64_t value);
/* Empty again, the memory kept, the error forgotten. */
void buf_reset(struct buf *buf);
/* Frees the memory; the buffer is empty and usable afterwards. */
void buf_free(struct buf *buf);

static inline int buf_error(const struct buf *buf)
{
	return buf->error;
}

static inline struct str buf_str(const struct buf *buf)
{
	return (struct str){buf->data, buf->len};
}

#endif
