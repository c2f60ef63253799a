// SPDX-License-Identifier: BSD-2-Clause
#include "wav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 44u /* of what we write: RIFF, "fmt ", "data" */
#define RATE 8000u

/* Little endian, whatever the machine. */
static uint32_t get(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++, value >>= 8)
		at[i] = (uint8_t)value;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int load(const char *path, uint8_t **data, size_t *size, struct error *err)
{
	FILE *file = fopen(path, "rbe");
	struct stat status;
	int ret = 0;

	if (!file || fstat(fileno(file), &status)) {
		ret = error_set(err, -errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (status.st_size < 12 || status.st_size > (off_t)WAV_SAMPLES_MAX * 2 + 65536) {
		ret = error_set(err, -EINVAL, "%s: no WAV file of up to an hour", path);
		goto out;
	}
	*size = (size_t)status.st_size;
	*data = malloc(*size);
	if (!*data)
		ret = error_set(err, -ENOMEM, "%s: no memory for %zu bytes", path, *size);
	else if (fread(*data, 1, *size, file) != *size)
		ret = error_set(err, -EIO, "%s: cannot be read to its end", path);
out:
	if (file)
		fclose(file);
	return ret;
}

/* The chunk of that name: its bytes, cut where the file ends. NULL: there is none. */
static const uint8_t *find_chunk(const uint8_t *data, size_t size, const char *name, size_t *length)
{
	size_t at = 12; /* behind "RIFF", a size, "WAVE" */

	while (at + 8 <= size) {
		size_t chunk = get(data + at + 4, 4), left = size - at - 8;

		*length = chunk < left ? chunk : left;
		if (!memcmp(data + at, name, 4))
			return data + at + 8;
		at += 8 + *length + (chunk & 1);
	}
	return NULL;
}

static bool is_ours(const uint8_t *data, size_t size)
{
	size_t length = 0;
	const uint8_t *format = find_chunk(data, size, "fmt ", &length);

	return format && length >= 16 && get(format, 2) == 1 && get(format + 2, 2) == 1 &&
	       get(format + 4, 4) == RATE && get(format + 14, 2) == 16;
}

static int take(const uint8_t *data, size_t size, const char *path, int16_t **samples,
		size_t *count, struct error *err)
{
	size_t length = 0;
	const uint8_t *chunk;

	if (memcmp(data, "RIFF", 4) || memcmp(data + 8, "WAVE", 4) || !is_ours(data, size))
		return error_set(
			err, -EINVAL,
			"%s: wants PCM, one channel, 8000 Hz, 16 bits (sox FILE -r 8000 -c 1 "
			"-b 16 OUT.wav)",
			path);
	chunk = find_chunk(data, size, "data", &length);
	if (!chunk || length < 2)
		return error_set(err, -EINVAL, "%s: holds no samples", path);
	*count = length / 2;
	*samples = malloc(*count * sizeof(**samples));
	if (!*samples)
		return error_set(err, -ENOMEM, "%s: no memory for %zu samples", path, *count);
	for (size_t i = 0; i < *count; i++)
		(*samples)[i] = (int16_t)get(chunk + 2 * i, 2);
	return 0;
}

int wav_read(const char *path, int16_t **samples, size_t *count, struct error *err)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int ret = load(path, &data, &size, err);

	if (!ret && data)
		ret = take(data, size, path, samples, count, err);
	free(data);
	return ret;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct wav_writer {
	int fd;
	uint64_t end; /* samples */
};

static int write_at(int fd, const uint8_t *data, size_t size, uint64_t at)
{
	ssize_t done = pwrite(fd, data, size, (off_t)at);

	if (done < 0)
		return -errno;
	return (size_t)done == size ? 0 : -ENOSPC;
}

static int write_header(const struct wav_writer *writer)
{
	uint32_t bytes = (uint32_t)(writer->end * 2);
	uint8_t header[HEADER] = "RIFF....WAVEfmt ....................data";

	put(header + 4, HEADER - 8 + bytes, 4);
	put(header + 16, 16, 4);
	put(header + 20, 1, 2); /* PCM */
	put(header + 22, 1, 2);
	put(header + 24, RATE, 4);
	put(header + 28, RATE * 2, 4);
	put(header + 32, 2, 2);
	put(header + 34, 16, 2);
	put(header + 40, bytes, 4);
	return write_at(writer->fd, header, sizeof(header), 0);
}

int wav_create(struct wav_writer **out, const char *path, struct error *err)
{
	struct wav_writer *writer = calloc(1, sizeof(*writer));
	int ret;

	if (!writer)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (writer->fd < 0) {
		ret = error_set(err, -errno, "%s: %s", path, strerror(errno));
		free(writer);
		return ret;
	}
	*out = writer;
	return 0;
}

int wav_put(struct wav_writer *writer, uint64_t at, const int16_t *samples, size_t count)
{
	uint8_t bytes[512];

	for (size_t done = 0; done < count;) {
		size_t part = count - done < sizeof(bytes) / 2 ? count - done : sizeof(bytes) / 2;
		int ret;

		if (at + done + part > WAV_SAMPLES_MAX)
			return 0;
		for (size_t i = 0; i < part; i++)
			put(bytes + 2 * i, (uint16_t)samples[done + i], 2);
		ret = write_at(writer->fd, bytes, 2 * part, HEADER + 2 * (at + done));
		if (ret)
			return ret;
		done += part;
		if (at + done > writer->end)
			writer->end = at + done;
	}
	return 0;
}

int wav_close(struct wav_writer *writer)
{
	int ret;

	if (!writer)
		return 0;
	ret = write_header(writer);
	if (close(writer->fd) && !ret)
		ret = -errno;
	free(writer);
	return ret;
}
