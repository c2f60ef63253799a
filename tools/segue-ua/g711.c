// SPDX-License-Identifier: BSD-2-Clause
#include "g711.h"

/*
 * Both laws: a sign, three bits of exponent, four of mantissa. Mu-law adds a bias so that every
 * value has a leading one, and sends all bits inverted; A-law has a linear first segment, and
 * inverts every other bit.
 */
#define MU_BIAS 0x84
#define MU_CLIP 32635
#define A_TOGGLE 0x55

/* The number of the highest bit of `value`, counted from `lowest`. */
static unsigned segment_of(unsigned value, unsigned lowest)
{
	unsigned segment = 0;

	for (value >>= lowest + 1; value; value >>= 1)
		segment++;
	return segment;
}

static uint8_t encode_mu(int sample)
{
	unsigned sign = sample < 0 ? 0x80 : 0;
	unsigned magnitude = (unsigned)(sample < 0 ? -sample : sample);
	unsigned segment;

	if (magnitude > MU_CLIP)
		magnitude = MU_CLIP;
	magnitude += MU_BIAS;
	segment = segment_of(magnitude, 7);
	return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 3) & 0x0f));
}

static int16_t decode_mu(uint8_t code)
{
	unsigned bits = (uint8_t)~code, segment = bits >> 4 & 7;
	int magnitude = (int)((((bits & 0x0f) << 3) + MU_BIAS) << segment) - MU_BIAS;

	return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

static uint8_t encode_a(int sample)
{
	unsigned sign = sample < 0 ? 0 : 0x80;
	/* The lowest negative number has no positive one. */
	unsigned magnitude = (unsigned)(sample < 0 ? -(sample + 1) : sample) >> 3;
	unsigned segment = magnitude >= 32 ? segment_of(magnitude, 4) : 0;
	unsigned mantissa = segment ? magnitude >> segment & 0x0f : magnitude >> 1 & 0x0f;

	return (uint8_t)((sign | segment << 4 | mantissa) ^ A_TOGGLE);
}

static int16_t decode_a(uint8_t code)
{
	unsigned bits = code ^ A_TOGGLE, segment = bits >> 4 & 7;
	unsigned magnitude = ((bits & 0x0f) << 4) + 8;
	int sample;

	if (segment)
		magnitude = (magnitude + 0x100) << (segment - 1);
	sample = (int)magnitude;
	return (int16_t)(bits & 0x80 ? sample : -sample);
}

void g711_encode(enum g711_law law, const int16_t *samples, size_t count, uint8_t *out)
{
	uint8_t (*encode)(int) = law == G711_A ? encode_a : encode_mu;

	for (size_t i = 0; i < count; i++)
		out[i] = encode(samples[i]);
}

void g711_decode(enum g711_law law, const uint8_t *data, size_t count, int16_t *out)
{
	int16_t (*decode)(uint8_t) = law == G711_A ? decode_a : decode_mu;

	for (size_t i = 0; i < count; i++)
		out[i] = decode(data[i]);
}
