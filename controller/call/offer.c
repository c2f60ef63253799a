// SPDX-License-Identifier: BSD-2-Clause
/* Session descriptions across a call: heard from one party, said to the other as ours. */
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

#include "sdp/line.h"

struct str offer_of(const struct sip_message *message)
{
	if (!message || !message->body.n ||
	    !str_case_starts(message->content_type, STR("application/sdp")))
		return STR_NONE;
	return message->body;
}

int offer_status(int error)
{
	switch (error) {
	case -ENOSPC:
	case -ENOMEM:
		return 503; /* "Service Unavailable": nothing is wrong with the offer */
	default:
		return 488;
	}
}

/* No port left is a reason to refuse a change, not to doubt the service: the call goes on. */
int change_status(int error)
{
	return error == -ENOMEM ? 500 : 488;
}

/* ---- heard ---------------------------------------------------------------------------------- */

/* Can the relay carry it, and does it say where to? */
static bool can_relay(const struct sdp_media *media)
{
	return media->port && (media->rtp || media->opaque) && media->has_address;
}

static void hear_media(struct leg_media *said, const struct sdp_media *media)
{
	said->on = can_relay(media);
	said->remote = media->rtp_at;
	said->remote_rtcp = 0;
	if (media->rtcp_explicit && !media->rtcp_mux)
		said->remote_rtcp = media->rtcp_at.port;
	said->direction = (uint8_t)media->direction;
	said->mux = media->rtcp_mux;
	said->opaque = media->opaque;
	said->clock_hz = media->clock_hz;
	if (!said->on)
		said->remote.port = 0;
}

/* For the record: it ends in JSON, so only what a codec's name is made of. */
static void hear_encoding(struct stream *stream, const struct sdp_media *media)
{
	struct sdp_encoding all[SDP_FORMATS];
	struct str name;

	if (!media->formats || stream->encoding[0])
		return;
	sdp_encodings(media, all);
	name = all[0].name;
	if (name.n >= ENCODING_LEN)
		return;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c <= ' ' || c > '~' || c == '"' || c == '\\')
			return;
	}
	if (name.n)
		memcpy(stream->encoding, name.p, name.n);
}

static int hear(struct leg *leg, const struct sdp *sdp)
{
	bool any = false, wanted = false;

	if (streams_room(leg->call, sdp->medias) || leg_media_room(leg, sdp->medias))
		return -ENOMEM;
	for (size_t i = 0; i < sdp->medias; i++) {
		hear_media(&leg->media[i], &sdp->media[i]);
		if (leg->media[i].on)
			hear_encoding(&leg->call->stream[i], &sdp->media[i]);
		any |= leg->media[i].on;
		wanted |= sdp->media[i].port != 0;
	}
	for (size_t i = sdp->medias; i < leg->medias; i++)
		leg->media[i].on = false;
	return wanted && !any ? -EBADMSG : 0;
}

int offer_hear(struct leg *leg, struct str text)
{
	struct sdp sdp;

	if (sdp_parse(&sdp, text, NULL))
		return -EBADMSG;
	return hear(leg, &sdp);
}

void offer_abandon(struct leg *leg)
{
	oa_abandon(&leg->oa);
	/* What was agreed could be read then, and there is room for it. */
	if (leg->oa.remote && leg->call)
		offer_hear(leg, str_of(leg->oa.remote));
}

bool offer_is_move(const struct leg *leg, struct str text)
{
	struct sdp before, now;

	if (!leg->oa.remote || sdp_parse(&before, str_of(leg->oa.remote), NULL) ||
	    sdp_parse(&now, text, NULL))
		return false;
	return sdp_same_but_address(&before, &now);
}

/* ---- said ----------------------------------------------------------------------------------- */

static int edit_media(struct leg *to, size_t index, const struct sdp_media *media,
		      struct sdp_media_edit *edit)
{
	struct netaddr local;
	int ret;

	edit->refuse = !can_relay(media);
	edit->direction = media->direction;
	if (edit->refuse)
		return 0;
	ret = streams_local(to, index, &local);
	if (ret)
		return ret;
	to->media[index].told = local;
	/* What it offered to do bounds what it is answered (RFC 3264 6.1): a backup session. */
	if (to->oa.state == OA_OFFER_RECEIVED)
		edit->direction &=
			sdp_direction_reversed((enum sdp_direction)to->media[index].direction);
	edit->rtp = local;
	if (media->rtp && !media->rtcp_mux)
		edit->rtcp_port = (uint16_t)(local.port + 1);
	return 0;
}

/* o= and the session's c= name the address of the first stream, else where we speak SIP. */
static void edit_origin(const struct leg *to, const struct sdp *sdp, struct sdp_edit *edit)
{
	edit->origin = to->dialog->flow.local;
	for (size_t i = 0; i < sdp->medias; i++) {
		if (edit->media[i].refuse)
			continue;
		edit->origin = edit->media[i].rtp;
		break;
	}
	edit->origin.port = 0;
}

/* The same description keeps its version, another one gets the next (SG-30, RFC 3264 8). */
static int write_counted(struct leg *to, const struct sdp *sdp, struct sdp_edit *edit,
			 struct buf *out)
{
	int ret;

	edit->version = oa_next_version(&to->oa, false);
	buf_reset(out);
	ret = sdp_write(sdp, edit, out);
	if (ret || !to->oa.local || str_eq(buf_str(out), str_of(to->oa.local)))
		return ret;
	edit->version = oa_next_version(&to->oa, true);
	buf_reset(out);
	return sdp_write(sdp, edit, out);
}

static int write_for(struct leg *to, struct str text, bool open, struct buf *out)
{
	struct sdp_edit edit;
	struct sdp sdp;
	int ret;

	if (assist_is_untouched(to)) {
		buf_reset(out);
		buf_add(out, text);
		return buf_error(out);
	}
	if (sdp_parse(&sdp, text, NULL))
		return -EBADMSG;
	if (streams_room(to->call, sdp.medias) || leg_media_room(to, sdp.medias))
		return -ENOMEM;
	memset(&edit, 0, sizeof(edit));
	edit.username = STR("-");
	edit.session_id = to->oa.session_id;
	for (size_t i = 0; i < sdp.medias; i++) {
		ret = edit_media(to, i, &sdp.media[i], &edit.media[i]);
		if (ret)
			return ret;
		if (open)
			edit.media[i].direction = SDP_SENDRECV;
	}
	edit_origin(to, &sdp, &edit);
	return write_counted(to, &sdp, &edit, out);
}

int offer_write(struct leg *to, struct str text, struct buf *out)
{
	return write_for(to, text, false, out);
}

int offer_write_open(struct leg *to, struct str text, struct buf *out)
{
	return write_for(to, text, true, out);
}
