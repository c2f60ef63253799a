// SPDX-License-Identifier: BSD-2-Clause
#include "call/quality.h"

#include <strings.h>

#include "call/media.h"

#define R_DEFAULT 93.2	   /* Ro - Is of the defaults, A = 0 */
#define IE_LARGEST 95.0	   /* what Ie,eff tends to when nothing arrives */
#define LATE_FROM_MS 177.3 /* from here on delay is felt in the dialogue */
#define FRAME_MS 20.0	   /* a packet is sent when its last sample was taken */

const struct quality_codec *quality_codec(const char *encoding)
{
	/* The first one serves for what is not listed: telephones conceal lost G.711. */
	static const struct quality_codec table[] = {
		{"PCMU", 0, 25.1},  {"PCMA", 0, 25.1},	{"G729", 11, 19},
		{"G723", 15, 16.1}, {"GSM-EFR", 5, 10}, {"AMR", 5, 10}, /* 12.2 kbit/s is EFR */
	};

	for (unsigned i = 0; encoding && i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strcasecmp(table[i].encoding, encoding))
			return &table[i];
	}
	return &table[0];
}

double quality_r(const struct quality_codec *codec, double delay_ms, double loss)
{
	double percent = loss * 100, r = R_DEFAULT - 0.024 * delay_ms;

	if (delay_ms > LATE_FROM_MS)
		r -= 0.11 * (delay_ms - LATE_FROM_MS);
	r -= codec->ie;
	if (percent > 0)
		r -= (IE_LARGEST - codec->ie) * percent / (percent + codec->bpl);
	return r > 0 ? r : 0;
}

double quality_mos(double r)
{
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	return mos < 1 ? 1 : mos; /* the polynomial dips below 1 for R < 6.5 */
}

/* What one relay cannot see, the delay of the networks, is left out. */
void media_quality(struct media_quality *out, const struct sg_path_info *path, const char *encoding)
{
	double expected = (double)path->packets + (double)path->lost;

	*out = (struct media_quality){.jitter_ms = path->jitter_ms};
	if (!path->packets)
		return;
	out->loss = (double)path->lost / expected;
	/* A buffer that adapts holds packets back for about twice the jitter. */
	out->r = quality_r(quality_codec(encoding), FRAME_MS + 2 * path->jitter_ms, out->loss);
	out->mos = quality_mos(out->r);
}
