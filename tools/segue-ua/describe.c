// SPDX-License-Identifier: BSD-2-Clause
#include "describe.h"

static void write_head(struct buf *out, const struct ua_describe *describe)
{
	char host[NETADDR_STRLEN];
	const char *family = netaddr_is_ipv4(describe->rtp) ? "IP4" : "IP6";

	netaddr_format_host(describe->rtp, host);
	buf_addf(out, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		 (unsigned long long)describe->session_id, (unsigned long long)describe->version,
		 family, host, family, host);
}

static void write_direction(struct buf *out, enum sdp_direction direction)
{
	buf_addf(out, "a=%s\r\n", sdp_direction_name(direction));
}

void ua_describe_offer(struct buf *out, const struct ua_describe *describe)
{
	write_head(out, describe);
	buf_addf(out, "m=audio %u RTP/AVP %s\r\n", describe->rtp->port,
		 describe->a_law ? "8 0" : "0 8");
	buf_add(out, STR("a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"));
	buf_addf(out, "a=ptime:%u\r\n", UA_PTIME_MS);
	write_direction(out, describe->direction);
	if (!describe->video)
		return;
	buf_addf(out, "m=video %u RTP/AVP %u\r\na=rtpmap:%u H263/90000\r\n", describe->video->port,
		 UA_VIDEO_TYPE, UA_VIDEO_TYPE);
	write_direction(out, describe->direction);
}

/* These have numbers of their own (RFC 3551); who maps others to them is odd, and not understood.
 */
static bool find_codec(const struct sdp_media *media, enum ua_kind kind, struct ua_codec *out)
{
	static const struct {
		struct str format;
		enum ua_kind kind;
		struct ua_codec codec;
	} known[] = {
		{STR("0"), UA_AUDIO, {G711_MU, 0}},
		{STR("8"), UA_AUDIO, {G711_A, 8}},
		{STR("34"), UA_VIDEO, {G711_MU, UA_VIDEO_TYPE}},
	};

	for (size_t i = 0; i < media->formats; i++) {
		for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
			if (known[j].kind == kind && str_eq(media->format[i], known[j].format)) {
				*out = known[j].codec;
				return true;
			}
		}
	}
	return false;
}

static bool is_ours(const struct sdp_media *media, enum ua_kind kind, struct ua_codec *codec)
{
	return str_case_eq(media->type, kind == UA_AUDIO ? STR("audio") : STR("video")) &&
	       media->port && media->has_address &&
	       (str_case_eq(media->proto, STR("RTP/AVP")) ||
		str_case_eq(media->proto, STR("RTP/AVPF"))) &&
	       find_codec(media, kind, codec);
}

static void find_stream(const struct sdp *sdp, enum ua_kind kind, struct ua_agreed_stream *out)
{
	*out = (struct ua_agreed_stream){0};
	for (size_t i = 0; i < sdp->medias && !out->there; i++) {
		out->there = is_ours(&sdp->media[i], kind, &out->codec);
		out->media = i;
		out->remote = sdp->media[i].rtp_at;
		out->direction = sdp_direction_reversed(sdp->media[i].direction);
	}
}

void ua_describe_agree(const struct sdp *answer, struct ua_agreed *out)
{
	for (unsigned kind = 0; kind < UA_KINDS; kind++)
		find_stream(answer, (enum ua_kind)kind, &out->stream[kind]);
}

static void refuse(struct buf *out, const struct sdp_media *media)
{
	buf_addf(out, "m=%.*s 0 %.*s", STR_ARG(media->type), STR_ARG(media->proto));
	for (size_t i = 0; i < media->formats; i++)
		buf_addf(out, " %.*s", STR_ARG(media->format[i]));
	buf_add(out, STR("\r\n"));
}

static void take(struct buf *out, const struct netaddr *at, const struct sdp_media *media,
		 const struct ua_agreed_stream *stream, const char *encoding)
{
	buf_addf(out, "m=%.*s %u %.*s %u\r\na=rtpmap:%u %s\r\n", STR_ARG(media->type), at->port,
		 STR_ARG(media->proto), stream->codec.payload_type, stream->codec.payload_type,
		 encoding);
	write_direction(out, stream->direction);
}

void ua_describe_answer(struct buf *text, const struct ua_describe *describe,
			const struct sdp *offer, struct ua_agreed *out)
{
	struct ua_agreed_stream *audio = &out->stream[UA_AUDIO], *video = &out->stream[UA_VIDEO];

	ua_describe_agree(offer, out);
	if (!audio->there)
		return;
	video->there = video->there && describe->video;
	audio->direction &= describe->direction;
	video->direction &= describe->direction;
	write_head(text, describe);
	for (size_t i = 0; i < offer->medias; i++) {
		const struct sdp_media *media = &offer->media[i];

		if (i == audio->media)
			take(text, describe->rtp, media, audio,
			     audio->codec.law == G711_A ? "PCMA/8000" : "PCMU/8000");
		else if (video->there && i == video->media)
			take(text, describe->video, media, video, "H263/90000");
		else
			refuse(text, media);
	}
}
