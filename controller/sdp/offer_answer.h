/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offer/answer state of one leg (RFC 3264, RFC 6337): who may offer now, whether an answer fits
 * its offer, and what is agreed. It owns the texts; it knows no SIP.
 */
#ifndef SEGUE_OFFER_ANSWER_H
#define SEGUE_OFFER_ANSWER_H

#include "sdp/sdp.h"

enum oa_state {
	OA_IDLE,	   /* nothing agreed yet */
	OA_OFFER_SENT,	   /* ours is out */
	OA_OFFER_RECEIVED, /* theirs waits for our answer */
	OA_AGREED,
};

struct offer_answer {
	enum oa_state state;
	bool agreed_before;	      /* a failed offer falls back to the agreement */
	char *local, *remote;	      /* agreed texts; NULL before */
	char *offer;		      /* the one that waits */
	uint64_t session_id, version; /* of our o= lines towards this peer */
};

void oa_init(struct offer_answer *oa, uint64_t session_id);
void oa_free(struct offer_answer *oa);

/*
 * -EALREADY: an offer of the other direction waits (491), -EINPROGRESS: an offer of the same
 * direction waits (500 with Retry-After for the received, RFC 3261 14.2), -ENOMEM.
 */
int oa_receive_offer(struct offer_answer *oa, struct str text);
int oa_send_offer(struct offer_answer *oa, struct str text);
/*
 * The answer must have as many m= lines of the same types in the same order, only refuse or keep
 * what was offered, and a direction that the offer allows (RFC 3264 6.1). -EBADMSG with what is
 * wrong; -EPROTO: no offer waits.
 */
int oa_receive_answer(struct offer_answer *oa, struct str text, struct error *err);
int oa_send_answer(struct offer_answer *oa, struct str text, struct error *err);
/* The offer that waits is refused or withdrawn: what was agreed before holds. */
void oa_abandon(struct offer_answer *oa);
/* The version for the next o= that we send: counted up if `changed` (SG-30, SG-31). */
uint64_t oa_next_version(struct offer_answer *oa, bool changed);
/* Checks an answer against an offer, without any state. */
int oa_check_answer(const struct sdp *offer, const struct sdp *answer, struct error *err);

#endif
