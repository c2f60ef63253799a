// SPDX-License-Identifier: BSD-2-Clause
/* WAV files: what was written is read, and what is not ours is refused with its name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wav.h"

static char path[] = "/tmp/segue-ua-wav.XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void samples_come_back(void **state)
{
	static const int16_t one[] = {1, -2, 32767, -32768}, two[] = {77};
	struct wav_writer *writer;
	int16_t *samples = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(wav_create(&writer, path, NULL), 0);
	assert_int_equal(wav_put(writer, 6, two, 1), 0); /* late packets come later */
	assert_int_equal(wav_put(writer, 0, one, 4), 0);
	assert_int_equal(wav_close(writer), 0);
	assert_int_equal(wav_read(path, &samples, &count, NULL), 0);
	assert_int_equal(count, 7);
	assert_memory_equal(samples, one, sizeof(one));
	assert_int_equal(samples[4], 0);
	assert_int_equal(samples[5], 0);
	assert_int_equal(samples[6], 77);
	free(samples);
}

static void a_recording_has_an_end(void **state)
{
	static const int16_t one[] = {1};
	struct wav_writer *writer;
	struct error err;
	int16_t *samples;
	size_t count;

	(void)state;
	assert_int_equal(wav_create(&writer, path, NULL), 0);
	assert_int_equal(wav_put(writer, WAV_SAMPLES_MAX, one, 1), 0);
	assert_int_equal(wav_put(writer, UINT64_MAX / 4, one, 1), 0);
	assert_int_equal(wav_close(writer), 0);
	assert_int_equal(wav_read(path, &samples, &count, &err), -EINVAL);
	assert_non_null(strstr(err.text, "holds no samples"));
}

/* A file of ours with some bytes changed. */
static int read_changed(size_t at, uint8_t value, size_t length)
{
	static const int16_t some[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct wav_writer *writer;
	int16_t *samples = NULL;
	size_t count = 0;
	FILE *file;
	int ret;

	assert_int_equal(wav_create(&writer, path, NULL), 0);
	assert_int_equal(wav_put(writer, 0, some, 8), 0);
	assert_int_equal(wav_close(writer), 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, (long)at, SEEK_SET);
	fputc(value, file);
	fclose(file);
	assert_int_equal(truncate(path, (off_t)length), 0);
	ret = wav_read(path, &samples, &count, NULL);
	if (!ret)
		assert_in_range(count, 1, 8);
	free(samples);
	return ret;
}

static void what_is_not_ours_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_changed(0, 'R', 60), 0);
	assert_int_equal(read_changed(0, 'X', 60), -EINVAL);  /* RIFF */
	assert_int_equal(read_changed(20, 7, 60), -EINVAL);   /* not PCM */
	assert_int_equal(read_changed(22, 2, 60), -EINVAL);   /* stereo */
	assert_int_equal(read_changed(25, 0, 60), -EINVAL);   /* 64 Hz */
	assert_int_equal(read_changed(34, 8, 60), -EINVAL);   /* 8 bits */
	assert_int_equal(read_changed(36, 'x', 60), -EINVAL); /* no data */
}

static void any_length_and_any_byte_are_survived(void **state)
{
	(void)state;
	for (size_t length = 0; length <= 60; length++)
		read_changed(0, 'R', length);
	for (size_t at = 0; at < 44; at++) {
		read_changed(at, 0xff, 60);
		read_changed(at, 0x00, 60);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct wav_writer *writer;
	struct error err;
	int16_t *samples;
	size_t count;

	(void)state;
	assert_int_equal(wav_read("/nonexistent/x.wav", &samples, &count, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x.wav"));
	assert_int_equal(wav_create(&writer, "/nonexistent/x.wav", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_back),
		cmocka_unit_test(a_recording_has_an_end),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(any_length_and_any_byte_are_survived),
		cmocka_unit_test(a_missing_file_is_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("wav", tests, setup, teardown);
}
