// SPDX-License-Identifier: BSD-2-Clause
/*
 * controller/sdp on any text: nothing outside it is read, its sections cover it, and what we make
 * of it is read again by us with our addresses and the ports that were asked for. The first byte
 * chooses the edit.
 */
#include <string.h>

#include "fuzz.h"

#include "sdp/line.h"
#include "sdp/offer_answer.h"

#define OURS_IPV4 "203.0.113.1"
#define OURS_IPV6 "2001:db8:5e9e::1"

enum choice { IPV6 = 1, MUX = 2, REFUSE = 4, KEEP = 8 };

static void check_sections(const struct sdp *sdp)
{
	const char *end = sdp->session.p + sdp->session.n;

	FUZZ_ASSERT(sdp->session.p == sdp->text.p && sdp->medias <= SDP_MEDIA);
	for (size_t i = 0; i < sdp->medias; i++) {
		const struct sdp_media *media = &sdp->media[i];

		FUZZ_ASSERT(media->lines.p == end && media->formats <= SDP_FORMATS);
		FUZZ_ASSERT(!media->has_address || !media->host_is_name);
		FUZZ_ASSERT(!media->held_by_zero || !(media->direction & SDP_RECVONLY));
		end += media->lines.n;
	}
	FUZZ_ASSERT(end == sdp->text.p + sdp->text.n);
}

static struct sdp_edit choose(const struct sdp *sdp, unsigned choice)
{
	struct sdp_edit edit = {.username = STR("-"), .session_id = 1, .version = 2};
	struct str ours = choice & IPV6 ? STR(OURS_IPV6) : STR(OURS_IPV4);

	netaddr_parse_host(&edit.origin, ours, 0);
	for (size_t i = 0; i < sdp->medias; i++) {
		struct sdp_media_edit *media = &edit.media[i];

		media->refuse = choice & REFUSE;
		media->keep = choice & KEEP;
		media->rtp = edit.origin;
		media->rtp.port = (uint16_t)(30000 + 2 * i);
		media->rtcp_port = choice & MUX ? 0 : (uint16_t)(media->rtp.port + 5);
		media->direction = (choice >> 4) & SDP_SENDRECV;
	}
	return edit;
}

/* No line of ours names another place than ours. */
static void check_lines(struct str text, bool ipv6)
{
	struct str wanted = ipv6 ? STR("IN IP6 " OURS_IPV6) : STR("IN IP4 " OURS_IPV4);
	struct sdp_line line;

	while (sdp_line_next(&text, &line)) {
		enum sdp_line_kind kind = sdp_line_kind(&line);

		FUZZ_ASSERT(kind != SDP_LINE_ADDRESS);
		FUZZ_ASSERT(kind != SDP_LINE_CONNECTION || str_eq(line.value, wanted));
		FUZZ_ASSERT(kind != SDP_LINE_ORIGIN || str_starts(line.value, STR("- 1 2 IN IP")));
	}
}

static void check_media(const struct sdp_media *was, const struct sdp_media *is,
			const struct sdp_media_edit *edit)
{
	FUZZ_ASSERT(str_eq(was->type, is->type) && str_eq(was->proto, is->proto));
	FUZZ_ASSERT(was->formats == is->formats && was->rtcp_mux == is->rtcp_mux);
	if (edit->keep) {
		FUZZ_ASSERT(was->port == is->port);
	} else if (edit->refuse || !was->port) {
		FUZZ_ASSERT(!is->port);
	} else {
		FUZZ_ASSERT(netaddr_eq(&is->rtp_at, &edit->rtp));
		FUZZ_ASSERT(is->direction == edit->direction);
		FUZZ_ASSERT(netaddr_same_host(&is->rtcp_at, &edit->rtp));
		FUZZ_ASSERT(!edit->rtcp_port || is->rtcp_at.port == edit->rtcp_port);
	}
}

static void check_edited(const struct sdp *was, unsigned choice)
{
	struct sdp_edit edit = choose(was, choice);
	struct buf out = BUF_EMPTY;
	struct error err = {""};
	struct sdp is;

	FUZZ_ASSERT(sdp_write(was, &edit, &out) == 0);
	if (sdp_parse(&is, buf_str(&out), &err))
		fprintf(stderr, "%s\n", err.text);
	FUZZ_ASSERT(!err.text[0]);
	check_sections(&is);
	FUZZ_ASSERT(is.medias == was->medias);
	for (size_t i = 0; i < is.medias; i++)
		check_media(&was->media[i], &is.media[i], &edit.media[i]);
	if (!(choice & KEEP))
		check_lines(buf_str(&out), choice & IPV6);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct sdp sdp;

	if (!size || !text) {
		free(text);
		return 0;
	}
	/* Exactly its size: a byte too far is seen. */
	text = realloc(text, size > 1 ? size - 1 : 1);
	memcpy(text, data + 1, size - 1);
	if (!sdp_parse(&sdp, (struct str){text, size - 1}, NULL)) {
		check_sections(&sdp);
		FUZZ_ASSERT(sdp_same_but_address(&sdp, &sdp));
		oa_check_answer(&sdp, &sdp, NULL);
		check_edited(&sdp, data[0]);
	}
	free(text);
	return 0;
}
