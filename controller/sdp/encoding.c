// SPDX-License-Identifier: BSD-2-Clause
/* What payload types mean. */
#include "sdp/line.h"

#define STATIC_TYPES 35u

/* RFC 3551, tables 4 and 5. G.722 samples at 16 kHz and counts at 8: an old mistake, kept. */
static const struct sdp_encoding static_types[STATIC_TYPES] = {
	[0] = {STR("PCMU"), 8000},   [3] = {STR("GSM"), 8000},	  [4] = {STR("G723"), 8000},
	[5] = {STR("DVI4"), 8000},   [6] = {STR("DVI4"), 16000},  [7] = {STR("LPC"), 8000},
	[8] = {STR("PCMA"), 8000},   [9] = {STR("G722"), 8000},	  [10] = {STR("L16"), 44100},
	[11] = {STR("L16"), 44100},  [12] = {STR("QCELP"), 8000}, [13] = {STR("CN"), 8000},
	[14] = {STR("MPA"), 90000},  [15] = {STR("G728"), 8000},  [16] = {STR("DVI4"), 11025},
	[17] = {STR("DVI4"), 22050}, [18] = {STR("G729"), 8000},  [25] = {STR("CelB"), 90000},
	[26] = {STR("JPEG"), 90000}, [28] = {STR("nv"), 90000},	  [31] = {STR("H261"), 90000},
	[32] = {STR("MPV"), 90000},  [33] = {STR("MP2T"), 90000}, [34] = {STR("H263"), 90000},
};

static struct sdp_encoding by_table(struct str format)
{
	uint32_t type;

	if (!str_to_u32(format, &type) || type >= STATIC_TYPES)
		return (struct sdp_encoding){0};
	return static_types[type];
}

/* "97 AMR/8000/1", for every place where 97 stands. */
static void read_rtpmap(const struct sdp_media *media, struct str value,
			struct sdp_encoding out[SDP_FORMATS])
{
	struct sdp_encoding encoding = {0};
	struct str type, name, clock;

	if (!sdp_word(&value, &type) || !sdp_word(&value, &name))
		return;
	str_split(&name, '/', &encoding.name);
	if (str_split(&name, '/', &clock))
		str_to_u32(clock, &encoding.clock_hz);
	for (size_t i = 0; i < media->formats; i++) {
		if (str_eq(media->format[i], type))
			out[i] = encoding;
	}
}

void sdp_encodings(const struct sdp_media *media, struct sdp_encoding out[SDP_FORMATS])
{
	struct str rest = media->lines, value;
	struct sdp_line line;

	for (size_t i = 0; i < media->formats; i++)
		out[i] = media->rtp ? by_table(media->format[i]) : (struct sdp_encoding){0};
	while (sdp_line_next(&rest, &line)) {
		if (line.type == 'a' && str_case_eq(sdp_attribute(&line, &value), STR("rtpmap")))
			read_rtpmap(media, value, out);
	}
}

bool sdp_has_encoding(const struct sdp *sdp, size_t media, struct str encoding)
{
	struct sdp_encoding known[SDP_FORMATS];

	if (media >= sdp->medias || !encoding.n)
		return false;
	sdp_encodings(&sdp->media[media], known);
	for (size_t i = 0; i < sdp->media[media].formats; i++) {
		if (str_case_eq(sdp->media[media].format[i], encoding) ||
		    str_case_eq(known[i].name, encoding))
			return true;
	}
	return false;
}
