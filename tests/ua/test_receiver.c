// SPDX-License-Identifier: BSD-2-Clause
/* RTP packets, read; and what is made of a stream of them: once each, counted, recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "receiver.h"
#include "wav.h"

#define PACKET 160u

/* ---- packets --------------------------------------------------------------------------------- */

static void a_packet_is_what_was_written(void **state)
{
	const struct rtp wrote = {.payload_type = 8,
				  .marker = true,
				  .sequence = 65535,
				  .timestamp = 7,
				  .ssrc = 0xdeadbeef};
	uint8_t packet[RTP_HEADER + 3] = {0};
	struct rtp read;

	(void)state;
	assert_int_equal(rtp_write(packet, &wrote), RTP_HEADER);
	assert_true(rtp_read(&read, packet, sizeof(packet)));
	assert_int_equal(read.payload_type, 8);
	assert_true(read.marker);
	assert_int_equal(read.sequence, 65535);
	assert_int_equal(read.timestamp, 7);
	assert_int_equal(read.ssrc, 0xdeadbeef);
	assert_int_equal(read.length, 3);
	assert_ptr_equal(read.payload, packet + RTP_HEADER);
}

/* Flags, sources and an extension stand before the payload, padding behind it. */
static void the_payload_is_found(void **state)
{
	uint8_t packet[40] = {0xb2 /* padding, extension, 2 sources */};
	struct rtp read;

	(void)state;
	packet[23] = 1; /* a word of extension */
	packet[39] = 4;
	assert_true(rtp_read(&read, packet, sizeof(packet)));
	assert_ptr_equal(read.payload, packet + 12 + 8 + 8);
	assert_int_equal(read.length, 40 - 28 - 4);
	packet[39] = 13; /* more padding than there is room for */
	assert_false(rtp_read(&read, packet, sizeof(packet)));
	packet[23] = 200;
	assert_false(rtp_read(&read, packet, sizeof(packet)));
}

static void what_is_no_rtp_is_refused(void **state)
{
	uint8_t packet[20] = {0x80, 0};
	struct rtp read;

	(void)state;
	assert_true(rtp_read(&read, packet, sizeof(packet)));
	for (size_t length = 0; length < RTP_HEADER; length++)
		assert_false(rtp_read(&read, packet, length));
	packet[1] = 200; /* a sender report */
	assert_false(rtp_read(&read, packet, sizeof(packet)));
	packet[0] = 0; /* STUN */
	packet[1] = 1;
	assert_false(rtp_read(&read, packet, sizeof(packet)));
}

/* ---- streams --------------------------------------------------------------------------------- */

struct stream {
	struct ua_receiver *receiver;
	uint64_t now_us;
	uint8_t payload[PACKET];
};

static void open_stream(struct stream *stream, const char *record)
{
	memset(stream, 0, sizeof(*stream));
	assert_int_equal(ua_receiver_alloc(&stream->receiver, record, NULL), 0);
	stream->now_us = 1000000;
}

static bool take(struct stream *stream, uint32_t ssrc, uint16_t sequence)
{
	const struct rtp rtp = {.sequence = sequence,
				.timestamp = sequence * PACKET,
				.ssrc = ssrc,
				.payload = stream->payload,
				.length = PACKET};

	stream->now_us += 20000;
	return ua_receiver_take(stream->receiver, &rtp, G711_MU, stream->now_us);
}

static json_int_t reported(const struct stream *stream, const char *name)
{
	json_t *report = ua_receiver_report(stream->receiver);
	json_int_t value = (json_int_t)json_number_value(json_object_get(report, name));

	assert_non_null(json_object_get(report, name));
	json_decref(report);
	return value;
}

static void each_packet_is_taken_once(void **state)
{
	struct stream stream;

	(void)state;
	open_stream(&stream, NULL);
	for (unsigned i = 0; i < 200; i++) { /* across the wrap */
		assert_true(take(&stream, 5, (uint16_t)(65500 + i)));
		assert_false(take(&stream, 5, (uint16_t)(65500 + i)));
		if (i > 10)
			assert_false(take(&stream, 5, (uint16_t)(65500 + i - 10)));
	}
	assert_int_equal(reported(&stream, "received"), 200);
	assert_int_equal(reported(&stream, "lost"), 0);
	assert_int_equal(reported(&stream, "duplicates"), 200 + 189);
	assert_int_equal(reported(&stream, "reordered"), 0);
	ua_receiver_free(stream.receiver);
}

static void losses_and_late_ones_are_counted(void **state)
{
	struct stream stream;

	(void)state;
	open_stream(&stream, NULL);
	assert_true(take(&stream, 5, 100));
	assert_true(take(&stream, 5, 103));
	assert_int_equal(reported(&stream, "lost"), 2);
	assert_true(take(&stream, 5, 102)); /* late, not lost */
	assert_int_equal(reported(&stream, "lost"), 1);
	assert_int_equal(reported(&stream, "reordered"), 1);
	assert_true(take(&stream, 5, 99)); /* before what came first */
	assert_int_equal(reported(&stream, "lost"), 1);
	assert_int_equal(reported(&stream, "received"), 4);
	ua_receiver_free(stream.receiver);
}

static void another_source_begins_anew(void **state)
{
	struct stream stream;

	(void)state;
	open_stream(&stream, NULL);
	assert_true(take(&stream, 5, 100));
	assert_true(take(&stream, 5, 102));
	assert_true(ua_receiver_knows(stream.receiver, 5));
	assert_true(take(&stream, 6, 40000));
	assert_false(ua_receiver_knows(stream.receiver, 5));
	assert_true(take(&stream, 6, 40001));
	assert_int_equal(reported(&stream, "lost"), 1);
	assert_int_equal(reported(&stream, "sources"), 2);
	ua_receiver_free(stream.receiver);
}

static void the_longest_silence_is_told(void **state)
{
	struct stream stream;

	(void)state;
	open_stream(&stream, NULL);
	take(&stream, 5, 1);
	stream.now_us += 300000;
	take(&stream, 5, 2);
	take(&stream, 5, 3);
	assert_int_equal(reported(&stream, "longest_gap_ms"), 320);
	assert_int_equal(reported(&stream, "longest_gap_at_us"), 1020000);
	ua_receiver_free(stream.receiver);
}

static void everything_is_recorded_at_its_place(void **state)
{
	char path[] = "/tmp/segue-ua-receiver.XXXXXX";
	int fd = mkstemp(path);
	int16_t *samples = NULL, loud, zero;
	struct stream stream;
	size_t count = 0;

	(void)state;
	assert_true(fd >= 0 && !close(fd));
	open_stream(&stream, path);
	memset(stream.payload, 0x80, PACKET); /* as loud as it gets */
	take(&stream, 5, 1);
	take(&stream, 5, 4);
	take(&stream, 5, 3); /* late: before the one that came before it */
	ua_receiver_free(stream.receiver);
	assert_int_equal(wav_read(path, &samples, &count, NULL), 0);
	assert_int_equal(count, 4 * PACKET);
	g711_decode(G711_MU, (const uint8_t[]){0x80}, 1, &loud);
	zero = 0;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(samples[i], i / PACKET == 1 ? zero : loud);
	free(samples);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_what_was_written),
		cmocka_unit_test(the_payload_is_found),
		cmocka_unit_test(what_is_no_rtp_is_refused),
		cmocka_unit_test(each_packet_is_taken_once),
		cmocka_unit_test(losses_and_late_ones_are_counted),
		cmocka_unit_test(another_source_begins_anew),
		cmocka_unit_test(the_longest_silence_is_told),
		cmocka_unit_test(everything_is_recorded_at_its_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("receiver", tests, NULL, NULL);
}
