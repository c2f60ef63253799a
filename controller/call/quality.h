/* SPDX-License-Identifier: BSD-2-Clause */
/* The E-model of ITU-T G.107 with its defaults, of which only delay, loss and codec vary. */
#ifndef SEGUE_CALL_QUALITY_H
#define SEGUE_CALL_QUALITY_H

/* How a codec bears loss (G.113 Appendix I): Ie without any, Bpl how well it hides it. */
struct quality_codec {
	const char *encoding; /* as in a=rtpmap */
	double ie, bpl;
};

/* By a=rtpmap's encoding, case ignored. Unknown or NULL: as G.711 with concealment. */
const struct quality_codec *quality_codec(const char *encoding);
/* R, 0..93.2. delay_ms: one way, mouth to ear. loss: 0..1, random. */
double quality_r(const struct quality_codec *codec, double delay_ms, double loss);
/* MOS, 1..4.5, of an R (G.107 Annex B). */
double quality_mos(double r);

#endif
