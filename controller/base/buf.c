// SPDX-License-Identifier: BSD-2-Clause
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for `more` bytes and a NUL. */
static bool make_room(struct buf *buf, size_t more)
{
	size_t wanted, room = buf->room ? buf->room : 256;
	char *grown;

	if (buf->error)
		return false;
	if (more >= BUF_LIMIT - buf->len) {
		buf->error = -EMSGSIZE;
		return false;
	}
	wanted = buf->len + more + 1;
	if (wanted <= buf->room)
		return true;
	while (room < wanted)
		room *= 2;
	grown = realloc(buf->data, room);
	if (!grown) {
		buf->error = -ENOMEM;
		return false;
	}
	buf->data = grown;
	buf->room = room;
	return true;
}

void buf_add(struct buf *buf, struct str text)
{
	if (!text.n || !make_room(buf, text.n))
		return;
	memcpy(buf->data + buf->len, text.p, text.n);
	buf->len += text.n;
	buf->data[buf->len] = '\0';
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, (struct str){&c, 1});
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(buf, (struct str){digits + at, sizeof(digits) - at});
}

void buf_vaddf(struct buf *buf, const char *format, va_list list)
{
	va_list again;
	int length;

	va_copy(again, list);
	length = vsnprintf(NULL, 0, format, list);
	if (length < 0)
		buf->error = buf->error ? buf->error : -EINVAL;
	else if (make_room(buf, (size_t)length)) {
		vsnprintf(buf->data + buf->len, (size_t)length + 1, format, again);
		buf->len += (size_t)length;
	}
	va_end(again);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	buf_vaddf(buf, format, list);
	va_end(list);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->error = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_EMPTY;
}
