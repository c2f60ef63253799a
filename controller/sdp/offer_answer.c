// SPDX-License-Identifier: BSD-2-Clause
#include "sdp/offer_answer.h"

#include <errno.h>
#include <stdlib.h>

#include "sdp/line.h"

void oa_init(struct offer_answer *oa, uint64_t session_id)
{
	*oa = (struct offer_answer){.session_id = session_id, .version = session_id};
}

void oa_free(struct offer_answer *oa)
{
	free(oa->local);
	free(oa->remote);
	free(oa->offer);
	oa_init(oa, oa->session_id);
}

static int offer(struct offer_answer *oa, struct str text, enum oa_state state)
{
	if (oa->state == state)
		return -EINPROGRESS;
	if (oa->state == OA_OFFER_SENT || oa->state == OA_OFFER_RECEIVED)
		return -EALREADY;
	oa->offer = str_dup(text);
	if (!oa->offer)
		return -ENOMEM;
	oa->state = state;
	return 0;
}

int oa_receive_offer(struct offer_answer *oa, struct str text)
{
	return offer(oa, text, OA_OFFER_RECEIVED);
}

int oa_send_offer(struct offer_answer *oa, struct str text)
{
	return offer(oa, text, OA_OFFER_SENT);
}

/* ---- does an answer fit its offer?
 * ----------------------------------------------------------------
 */

/* SG-32: the number may be another one in each direction; the codec is what counts. */
static bool same_codec(struct str offered, const struct sdp_encoding *in_offer, struct str answered,
		       const struct sdp_encoding *in_answer)
{
	if (in_offer->name.n && in_answer->name.n)
		return in_offer->clock_hz == in_answer->clock_hz &&
		       str_case_eq(in_offer->name, in_answer->name);
	/* An answer may leave out the a=rtpmap that the offer had. */
	return str_case_eq(offered, answered);
}

/* RFC 3264 6.1: at least one; more than were offered are allowed (E22). */
static bool shares_a_format(const struct sdp_media *offer, const struct sdp_media *answer)
{
	struct sdp_encoding in_offer[SDP_FORMATS], in_answer[SDP_FORMATS];

	sdp_encodings(offer, in_offer);
	sdp_encodings(answer, in_answer);
	for (size_t i = 0; i < answer->formats; i++) {
		for (size_t j = 0; j < offer->formats; j++) {
			if (same_codec(offer->format[j], &in_offer[j], answer->format[i],
				       &in_answer[i]))
				return true;
		}
	}
	return false;
}

static bool direction_allowed(const struct sdp_media *offer, const struct sdp_media *answer)
{
	enum sdp_direction offered = offer->direction;

	/* The old hold: c=0.0.0.0 says that it does not receive, the attribute may say that it
	 * does, and the answer goes by the attribute (RFC 3264 8.4). */
	if (offer->held_by_zero)
		offered |= SDP_RECVONLY;
	return !(answer->direction & ~(unsigned)sdp_direction_reversed(offered));
}

static int check_media(const struct sdp_media *offer, const struct sdp_media *answer, size_t index,
		       struct error *err)
{
	if (!str_case_eq(offer->type, answer->type))
		return error_set(err, -EBADMSG,
				 "m= line %zu: %.*s was offered, the answer says %.*s", index + 1,
				 STR_ARG(offer->type), STR_ARG(answer->type));
	if (!answer->port)
		return 0;
	if (!offer->port)
		return error_set(err, -EBADMSG,
				 "m= line %zu: offered with port 0, answered with %u", index + 1,
				 answer->port);
	if (offer->rtp != answer->rtp || (!offer->rtp && !str_case_eq(offer->proto, answer->proto)))
		return error_set(err, -EBADMSG,
				 "m= line %zu: %.*s was offered, the answer says %.*s", index + 1,
				 STR_ARG(offer->proto), STR_ARG(answer->proto));
	if (!shares_a_format(offer, answer))
		return error_set(err, -EBADMSG, "m= line %zu: no format of the offer in the answer",
				 index + 1);
	if (!direction_allowed(offer, answer))
		return error_set(err, -EBADMSG, "m= line %zu: %s was offered, the answer says %s",
				 index + 1, sdp_direction_name(offer->direction),
				 sdp_direction_name(answer->direction));
	return 0;
}

int oa_check_answer(const struct sdp *offered, const struct sdp *answer, struct error *err)
{
	int ret = 0;

	if (offered->medias != answer->medias)
		return error_set(err, -EBADMSG, "the offer has %zu m= lines, the answer %zu",
				 offered->medias, answer->medias);
	for (size_t i = 0; !ret && i < answer->medias; i++)
		ret = check_media(&offered->media[i], &answer->media[i], i, err);
	return ret;
}

/* ---- answers
 * --------------------------------------------------------------------------------------
 */

static int check_texts(struct str offered, struct str answered, struct error *err)
{
	struct sdp sdp_offered, sdp_answered;

	if (sdp_parse(&sdp_offered, offered, err) || sdp_parse(&sdp_answered, answered, err))
		return -EBADMSG;
	return oa_check_answer(&sdp_offered, &sdp_answered, err);
}

/* The offer that waited and its answer become the agreement. */
static void agree(struct offer_answer *oa, char *local, char *remote)
{
	free(oa->local);
	free(oa->remote);
	oa->local = local;
	oa->remote = remote;
	oa->offer = NULL;
	oa->agreed_before = true;
	oa->state = OA_AGREED;
}

static int answer(struct offer_answer *oa, struct str text, enum oa_state wanted, struct error *err)
{
	char *answered;
	int ret;

	if (oa->state != wanted)
		return error_set(err, -EPROTO, "an answer came, but no offer waits for one");
	ret = check_texts(str_of(oa->offer), text, err);
	if (ret)
		return ret;
	answered = str_dup(text);
	if (!answered)
		return error_set(err, -ENOMEM, "out of memory for an answer of %zu bytes", text.n);
	if (wanted == OA_OFFER_SENT)
		agree(oa, oa->offer, answered);
	else
		agree(oa, answered, oa->offer);
	return 0;
}

int oa_receive_answer(struct offer_answer *oa, struct str text, struct error *err)
{
	return answer(oa, text, OA_OFFER_SENT, err);
}

int oa_send_answer(struct offer_answer *oa, struct str text, struct error *err)
{
	return answer(oa, text, OA_OFFER_RECEIVED, err);
}

void oa_abandon(struct offer_answer *oa)
{
	free(oa->offer);
	oa->offer = NULL;
	oa->state = oa->agreed_before ? OA_AGREED : OA_IDLE;
}

uint64_t oa_next_version(struct offer_answer *oa, bool changed)
{
	if (changed)
		oa->version++;
	return oa->version;
}
