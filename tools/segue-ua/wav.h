/* SPDX-License-Identifier: BSD-2-Clause */
/* WAV files of telephone quality: one channel, 8000 samples a second, 16 bits. */
#ifndef SEGUE_UA_WAV_H
#define SEGUE_UA_WAV_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define WAV_SAMPLES_MAX (8000u * 3600u) /* an hour: what is read, and what is recorded */

/* All samples of the file, which the caller frees. -EINVAL names what is wrong with it. */
int wav_read(const char *path, int16_t **samples, size_t *count, struct error *err);

struct wav_writer;

int wav_create(struct wav_writer **out, const char *path, struct error *err);
/* Samples at their place, counted from 0; what is never written is silence. Beyond
 * WAV_SAMPLES_MAX: left out. */
int wav_put(struct wav_writer *writer, uint64_t at, const int16_t *samples, size_t count);
/* Completes the file. NULL is fine. */
int wav_close(struct wav_writer *writer);

#endif
