// SPDX-License-Identifier: BSD-2-Clause
#include "describe.h"

static void describe_place(struct buf *out, const struct sdp_media *media)
{
	char rtp[NETADDR_STRLEN], rtcp[NETADDR_STRLEN];

	if (media->has_address)
		buf_addf(out, " at %s:%u rtcp %s:%u", netaddr_format_host(&media->rtp_at, rtp),
			 media->rtp_at.port, netaddr_format_host(&media->rtcp_at, rtcp),
			 media->rtcp_at.port);
	else
		buf_addf(out, " at %s", media->host_is_name ? "name" : "nowhere");
}

char *describe(const struct sdp *sdp)
{
	struct buf out = BUF_EMPTY;

	buf_addf(&out, "%s", "");
	for (size_t i = 0; i < sdp->medias; i++) {
		const struct sdp_media *media = &sdp->media[i];

		buf_addf(&out, "%.*s %u %.*s [", STR_ARG(media->type), media->port,
			 STR_ARG(media->proto));
		for (size_t j = 0; j < media->formats; j++)
			buf_addf(&out, "%s%.*s", j ? " " : "", STR_ARG(media->format[j]));
		buf_add_char(&out, ']');
		describe_place(&out, media);
		buf_addf(&out, " %s %u%s%s%s\n", sdp_direction_name(media->direction),
			 media->clock_hz, media->rtcp_mux ? " mux" : "",
			 media->held_by_zero ? " zero" : "", media->rtp ? "" : " not-rtp");
	}
	assert_int_equal(buf_error(&out), 0);
	return out.data;
}

struct netaddr address(const char *host, uint16_t port)
{
	struct netaddr out;

	assert_int_equal(netaddr_parse_host(&out, str_of(host), port), 0);
	return out;
}

struct sdp_edit anchor(const struct sdp *sdp, const char *host)
{
	struct sdp_edit edit = {
		.username = STR("-"), .session_id = 77, .version = 78, .origin = address(host, 0)};

	for (size_t i = 0; i < sdp->medias; i++) {
		uint16_t port = (uint16_t)(OUR_PORT + 2 * i);

		edit.media[i].refuse = !sdp->media[i].rtp || !sdp->media[i].port;
		edit.media[i].rtp = address(host, port);
		edit.media[i].rtcp_port = (uint16_t)(port + 1);
		edit.media[i].direction = sdp->media[i].direction;
	}
	return edit;
}

char *edited(const char *text, const char *host)
{
	struct str copy = exact(text);
	struct buf out = BUF_EMPTY;
	struct error err = {""};
	struct sdp_edit edit;
	struct sdp sdp;

	if (sdp_parse(&sdp, copy, &err))
		fail_msg("%s", err.text);
	edit = anchor(&sdp, host);
	assert_int_equal(sdp_write(&sdp, &edit, &out), 0);
	exact_free(copy);
	return out.data;
}

struct str exact(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return (struct str){copy, length};
}

void exact_free(struct str text)
{
	free((void *)(uintptr_t)text.p);
}
