// SPDX-License-Identifier: BSD-2-Clause
#include "sip/tcp_frame.h"

/* Line ends before a message. A lone CR may be half of one. */
static enum frame_found find_blank(struct frame *frame, struct str data, size_t *len)
{
	bool again = frame->blank;

	if (data.p[0] == '\r' && data.n < 2)
		return FRAME_MORE;
	*len = data.p[0] == '\r' && data.p[1] == '\n' ? 2 : 1;
	*frame = (struct frame){.blank = !again};
	return again ? FRAME_PING : FRAME_BLANK;
}

static void look_at_header(struct frame *frame, struct str header)
{
	size_t colon = str_index(header, ':');
	struct str name = str_trim((struct str){header.p, colon}), value;
	uint32_t body;

	if (colon == header.n ||
	    (!str_case_eq(name, STR("Content-Length")) && !str_case_eq(name, STR("l"))))
		return;
	value = str_trim((struct str){header.p + colon + 1, header.n - colon - 1});
	if (!str_to_u32(value, &body) || (frame->has_body && frame->body != body)) {
		frame->bad = true;
		return;
	}
	frame->body = body;
	frame->has_body = true;
}

/* True when the empty line was found; frame->head is set. */
static bool find_head(struct frame *frame, struct str data)
{
	while (frame->scanned < data.n) {
		struct str rest = {data.p + frame->scanned, data.n - frame->scanned};
		size_t end = frame->scanned + str_index(rest, '\n');
		struct str line = {data.p + frame->line, end - frame->line};

		if (end == data.n) {
			frame->scanned = data.n;
			return false;
		}
		if (!str_trim(line).n) {
			frame->head = end + 1;
			return true;
		}
		frame->scanned = end;
		if (end + 1 == data.n) /* folded? that is told by the next byte */
			return false;
		frame->scanned++;
		if (data.p[end + 1] != ' ' && data.p[end + 1] != '\t') {
			look_at_header(frame, line);
			frame->line = frame->scanned;
		}
	}
	return false;
}

enum frame_found frame_find(struct frame *frame, struct str data, size_t most, size_t *len)
{
	if (!data.n)
		return FRAME_MORE;
	if (!frame->scanned && (data.p[0] == '\r' || data.p[0] == '\n'))
		return find_blank(frame, data, len);
	if (!frame->head && !find_head(frame, data))
		return data.n > most ? FRAME_TOO_LONG : FRAME_MORE;
	if (frame->head > most)
		return FRAME_TOO_LONG;
	*len = frame->head;
	if (frame->bad || frame->body > most - frame->head)
		return FRAME_BAD;
	*len += frame->body;
	return data.n < *len ? FRAME_MORE : FRAME_MESSAGE;
}
