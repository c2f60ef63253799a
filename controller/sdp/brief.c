// SPDX-License-Identifier: BSD-2-Clause
/* A description in a few words, for whoever reads a trace. */
#include "sdp/line.h"

#define MEDIAS 2u /* the ones that are told of */

static void tell_media(const struct sdp_media *media, struct buf *out)
{
	struct sdp_encoding known[SDP_FORMATS];
	char at[NETADDR_STRLEN];

	buf_add(out, media->type);
	if (!media->port) {
		buf_add(out, STR(" off"));
		return;
	}
	sdp_encodings(media, known);
	if (media->formats) {
		buf_add_char(out, ' ');
		buf_add(out, known[0].name.n ? known[0].name : media->format[0]);
	}
	buf_add_char(out, ' ');
	buf_add(out, media->has_address ? str_of(netaddr_format(&media->rtp_at, at)) : STR("?"));
	if (media->direction != SDP_SENDRECV) {
		buf_add_char(out, ' ');
		buf_add(out, str_of(sdp_direction_name(media->direction)));
	}
}

void sdp_brief(struct str text, struct buf *out)
{
	struct sdp sdp;

	if (sdp_parse(&sdp, text, NULL)) {
		buf_add(out, STR("SDP that cannot be read"));
		return;
	}
	for (size_t i = 0; i < sdp.medias && i < MEDIAS; i++) {
		if (i)
			buf_add(out, STR(", "));
		tell_media(&sdp.media[i], out);
	}
	if (sdp.medias > MEDIAS) {
		buf_add(out, STR(", and "));
		buf_add_u64(out, sdp.medias - MEDIAS);
		buf_add(out, STR(" more"));
	}
}
