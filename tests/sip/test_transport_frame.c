// SPDX-License-Identifier: BSD-2-Clause
/* Where messages end in a stream, however it is cut (RFC 3261 18.3, RFC 5626 4.4.1). */
#include "stack_rig.h"

#include "sip/tcp_frame.h"

#define MOST 65535u

/* What is found in the text when it comes in pieces of `step` bytes, as a letter and a length each.
 */
static void feed(char *out, size_t size, const char *text, size_t step)
{
	struct frame frame = {0};
	size_t at = 0, have = 0, total = strlen(text);

	out[0] = '\0';
	while (have < total) {
		enum frame_found found;
		size_t len = 0;

		have = have + step < total ? have + step : total;
		do {
			found = frame_find(&frame, (struct str){text + at, have - at}, MOST, &len);
			if (found == FRAME_MORE)
				break;
			snprintf(out + strlen(out), size - strlen(out), "%c%zu ", "?BPMXL"[found],
				 len);
			at += len;
			if (found == FRAME_BAD || found == FRAME_TOO_LONG)
				return;
			if (found == FRAME_MESSAGE)
				frame = (struct frame){0};
		} while (at < have);
	}
	if (at < total)
		snprintf(out + strlen(out), size - strlen(out), ".%zu ", total - at);
}

/*
 * Each piece of text is found as what its letter says: M a message, B a blank line, P a ping, X
 * one without a sound length, '.' nothing yet. However the whole is cut.
 */
static void expect(const char *kinds, ...)
{
	char text[400] = "", wanted[400] = "", out[400];
	va_list pieces;

	va_start(pieces, kinds);
	for (; *kinds; kinds++) {
		const char *piece = va_arg(pieces, const char *);

		strcat(text, piece);
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%c%zu ", *kinds,
			 strlen(piece));
	}
	va_end(pieces);
	for (size_t step = 1; step <= strlen(text); step++) {
		feed(out, sizeof(out), text, step);
		assert_string_equal(out, wanted);
	}
}

static void messages_are_found_however_they_are_cut(void **state)
{
	(void)state;
	expect("M", "A b\r\nContent-Length: 3\r\n\r\nxyz");
	expect("MM", "A b\r\nContent-Length: 3\r\n\r\nxyz", "A b\r\nl:0\r\n\r\n");
	expect("MM", "A b\r\nVia: x\r\n\r\n", "C d\r\n\r\n");
	expect("M", "A b\r\ncontent-length \t:\t 2 \r\nX: 1\r\n\r\n\r\n");
	expect("M", "A b\nl: 1\n\nx");
	/* Folded: its value stands in the next line (RFC 3261 7.3.1). */
	expect("M", "A b\r\nContent-Length:\r\n 2\r\n\r\nxy");
	expect("M", "A b\r\nSubject: l\r\n l: 9\r\nl: 1\r\n\r\nx");
	expect("M.", "A b\r\nl: 1\r\nl: 1\r\n\r\nx", "yz");
	expect(".", "A b\r\nl: 5\r\n\r\nxyz");
}

static void blank_lines_are_keepalives(void **state)
{
	(void)state;
	expect("BP", "\r\n", "\r\n");
	expect("BPBP", "\r\n", "\r\n", "\r\n", "\r\n");
	expect("BMBP", "\r\n", "A b\r\nl: 0\r\n\r\n", "\r\n", "\r\n");
	expect("BP", "\n", "\n");
	expect(".", "\r");
}

static void lengths_that_say_nothing_end_it(void **state)
{
	(void)state;
	expect("X", "A b\r\nContent-Length: -999\r\n\r\n");
	expect("X", "A b\r\nContent-Length: 3, 3\r\n\r\n");
	expect("X", "A b\r\nl: 1\r\nContent-Length: 2\r\n\r\n");
	expect("X", "A b\r\nl: 99999999999\r\n\r\n");
	expect("X", "A b\r\nl: 65535\r\n\r\n");
	expect("X", "A b\r\nl:\r\n\r\n");
}

static void no_message_is_longer_than_allowed(void **state)
{
	struct frame frame = {0};
	char *text = malloc(MOST + 2);
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', MOST + 1);
	assert_int_equal(frame_find(&frame, (struct str){text, MOST}, MOST, &len), FRAME_MORE);
	assert_int_equal(frame_find(&frame, (struct str){text, MOST + 1}, MOST, &len),
			 FRAME_TOO_LONG);
	free(text);
}

/* Each byte is looked at once: a header line of 64 kB that comes in single bytes is no work. */
static void slow_senders_cost_nothing(void **state)
{
	struct frame frame = {0};
	char *text = malloc(MOST);
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', MOST);
	for (size_t n = 1; n <= MOST; n++) {
		assert_int_equal(frame_find(&frame, (struct str){text, n}, MOST, &len), FRAME_MORE);
		assert_int_equal(frame.scanned, n);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_found_however_they_are_cut),
		cmocka_unit_test(blank_lines_are_keepalives),
		cmocka_unit_test(lengths_that_say_nothing_end_it),
		cmocka_unit_test(no_message_is_longer_than_allowed),
		cmocka_unit_test(slow_senders_cost_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
