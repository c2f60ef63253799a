// SPDX-License-Identifier: BSD-2-Clause
/*
 * Late anchoring (HH-11): a far end that does not duplicate is led to the relay by a re-INVITE, and
 * the relay does it. The relay knows both parties before either is told, so that whoever is faster
 * is heard. The mover's old leg is led there, too, before the new one is answered: from then on the
 * mover sends twice, and a copy that went past the relay would be an echo at the far end.
 */
#include <errno.h>

#include "call/assist_private.h"

/* The old network may be dead, and the mover waits: T1, what RFC 3261 17.1.1.1 takes for a round
 * trip. */
#define OLD_LEG_MS 500u

/* Our descriptions carry on those of the other party (RFC 3264 8): same session, next version. */
static void adopt_origin(struct leg *leg)
{
	struct sdp said;
	uint64_t id, version;

	if (sdp_parse(&said, str_of(leg->oa.local), NULL) || !str_to_u64(said.session_id, &id) ||
	    !str_to_u64(said.session_version, &version))
		return;
	leg->oa.session_id = id;
	leg->oa.version = version;
}

static void undo(struct call *call)
{
	call->assisted = true;
	streams_leave(call);
}

/* ---- the mover's old leg -------------------------------------------------------------------- */

static void old_leg_told(struct call *call, int status)
{
	(void)status; /* where its party is not there any more, the new path is enough */
	assist_anchored(call->assist, 200);
}

static void old_leg_silent(void *context)
{
	struct assist *assist = context;
	struct call *call = assist->call;
	struct leg *old = assist->old;

	if (call->change.waiting) /* it has answered, and the relay follows */
		return;
	call_step(call, (int)old->side, "no answer", "led to the relay", 408);
	if (assist->cancelled) { /* it stays there: the answer is worth waiting for */
		call->offering->after = NULL;
	} else {
		exchange_abandon(call->offering, 408);
		offer_abandon(old);
	}
	assist_anchored(assist, 200);
}

static void tell_old_leg(struct assist *assist, const struct leg *far)
{
	struct call *call = assist->call;

	if (exchange_offer(assist->old, str_of(far->oa.remote))) {
		assist_anchored(assist, 200);
		return;
	}
	call->offering->lenient = true;
	call->offering->after = old_leg_told;
	timer_start(call->calls->wheel, &assist->timer, OLD_LEG_MS, old_leg_silent, assist);
}

/* ---- the far end ---------------------------------------------------------------------------- */

static void far_told(struct call *call, int status)
{
	struct assist *assist = call->assist;
	struct leg *near = assist->old, *far = near->peer;

	if (status != 200) {
		undo(call);
		assist_anchored(assist, status);
		return;
	}
	near->peer = far->peer = NULL;
	call_media_step(call, NULL, -1, "media anchored late", NULL);
	tell_old_leg(assist, far);
}

static int tell_far(struct call *call)
{
	struct leg *near = call->assist->old, *far = near->peer;
	int ret;

	adopt_origin(near);
	adopt_origin(far);
	ret = exchange_offer(far, str_of(near->oa.remote));
	if (ret) {
		undo(call);
		return ret;
	}
	/* Who knows nothing of the leg ends it by itself: the old path is not ours to end. */
	call->offering->lenient = true;
	call->offering->after = far_told;
	return 0;
}

/* ---- the relay ------------------------------------------------------------------------------ */

static void installed(struct call *call, struct leg *far, struct sip_message *message, int result)
{
	(void)far;
	(void)message;
	if (result)
		undo(call);
	else
		result = tell_far(call);
	if (result)
		assist_anchored(call->assist, 500);
}

static bool is_busy(const struct leg *near)
{
	const struct call *call = near->call;
	const struct leg *far = near->peer;

	return call->offering || call->change.waiting || near->unacked || far->unacked ||
	       near->oa.state != OA_AGREED || far->oa.state != OA_AGREED ||
	       call->side[SG_SIDE_A].count > 1 || call->side[SG_SIDE_B].count > 1;
}

int assist_anchor(struct assist *assist)
{
	struct call *call = assist->call;
	struct leg *near = assist->old, *far = near->peer;
	int ret;

	if (is_busy(near))
		return -EBUSY;
	call->assisted = false;
	ret = streams_apply(near, far, installed, far, NULL);
	if (ret == -EINPROGRESS)
		return 0;
	if (ret)
		undo(call);
	else
		ret = tell_far(call);
	return ret;
}
