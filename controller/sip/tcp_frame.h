/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a message ends in a stream (RFC 3261 18.3): empty line, then Content-Length bytes. Works on
 * as much as has come, and never looks twice at a byte. Private to sip/.
 */
#ifndef SEGUE_SIP_TCP_FRAME_H
#define SEGUE_SIP_TCP_FRAME_H

#include "base/str.h"

/* Zeroed: at the beginning of a message. */
struct frame {
	size_t line;	/* where the header that is looked at begins */
	size_t scanned; /* how far its end was looked for */
	size_t head;	/* bytes up to the body; 0: not seen yet */
	uint32_t body;
	bool has_body, bad;
	bool blank; /* an empty line came before the message */
};

enum frame_found {
	FRAME_MORE,    /* not all of it is here */
	FRAME_BLANK,   /* an empty line between messages: take `len` bytes off */
	FRAME_PING,    /* the second one in a row, to be answered (RFC 5626 4.4.1): likewise */
	FRAME_MESSAGE, /* of `len` bytes */
	FRAME_BAD, /* of which only the `len` bytes up to the body can be told from what follows */
	FRAME_TOO_LONG, /* over `most` bytes */
};

/* `data`: what has come of the message so far; begins where the last one ended. */
enum frame_found frame_find(struct frame *frame, struct str data, size_t most, size_t *len);

#endif
