/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said: a recording, over and over, or a tone. */
#ifndef SEGUE_UA_SOURCE_H
#define SEGUE_UA_SOURCE_H

#include "wav.h"

struct ua_source;

/* `path` NULL: a tone of so many Hz. */
int ua_source_alloc(struct ua_source **out, const char *path, unsigned tone_hz, struct error *err);
void ua_source_free(struct ua_source *source); /* NULL is fine */
void ua_source_next(struct ua_source *source, int16_t *out, size_t count);

#endif
