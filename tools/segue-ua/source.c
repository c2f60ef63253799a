// SPDX-License-Identifier: BSD-2-Clause
#include "source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LOUDNESS 8000.0
#define SECOND 8000u /* samples: a tone of whole hertz repeats after it */

struct ua_source {
	int16_t *samples;
	size_t count, at;
};

static int make_tone(struct ua_source *source, unsigned hz, struct error *err)
{
	source->samples = malloc(SECOND * sizeof(*source->samples));
	if (!source->samples)
		return error_set(err, -ENOMEM, "no memory for a tone");
	source->count = SECOND;
	for (size_t i = 0; i < SECOND; i++)
		source->samples[i] =
			(int16_t)lrint(LOUDNESS * sin(2 * M_PI * hz * (double)i / SECOND));
	return 0;
}

int ua_source_alloc(struct ua_source **out, const char *path, unsigned tone_hz, struct error *err)
{
	struct ua_source *source = calloc(1, sizeof(*source));
	int ret;

	if (!source)
		return error_set(err, -ENOMEM, "no memory for what is to be said");
	ret = path ? wav_read(path, &source->samples, &source->count, err)
		   : make_tone(source, tone_hz, err);
	if (ret)
		ua_source_free(source);
	else
		*out = source;
	return ret;
}

void ua_source_free(struct ua_source *source)
{
	if (source)
		free(source->samples);
	free(source);
}

void ua_source_next(struct ua_source *source, int16_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = source->samples[source->at];
		source->at = (source->at + 1) % source->count;
	}
}
