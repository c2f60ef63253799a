/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our session descriptions: one voice in G.711 and, on request, one picture in H.263 (RFC 3551's
 * number 34, which needs no mapping); whatever else is offered is refused.
 */
#ifndef SEGUE_UA_DESCRIBE_H
#define SEGUE_UA_DESCRIBE_H

#include "media.h"
#include "sdp/sdp.h"

struct ua_describe {
	const struct netaddr *rtp;   /* where we receive */
	const struct netaddr *video; /* NULL: none is offered or taken */
	bool a_law;		     /* preferred */
	enum sdp_direction direction;
	uint64_t session_id, version;
};

/* What both agreed on about one of them. */
struct ua_agreed_stream {
	bool there;
	size_t media; /* its m= line */
	struct netaddr remote;
	enum sdp_direction direction; /* what we do */
	struct ua_codec codec;
};

struct ua_agreed {
	struct ua_agreed_stream stream[UA_KINDS];
};

void ua_describe_offer(struct buf *out, const struct ua_describe *describe);
/*
 * The answer to an offer. No voice in *out: there is none that we could take, and nothing is
 * written (488).
 */
void ua_describe_answer(struct buf *text, const struct ua_describe *describe,
			const struct sdp *offer, struct ua_agreed *out);
/* What an answer to our offer says. */
void ua_describe_agree(const struct sdp *answer, struct ua_agreed *out);

#endif
