// SPDX-License-Identifier: BSD-2-Clause
/* One of the two legs of a handover leaves: by BYE, because nobody said BYE, or told by the
 * operator. */
#include <errno.h>

#include "call/assist.h"

/* A path that is heard this much later than the other one is not the better one. */
#define FRESHER_NS 500000000ull

/* The report knows which of its legs is gone; what is on its way still counts. */
static void note_leaving(struct leg *leg)
{
	struct handover *handover = handover_on(leg->call, leg->side);

	if (!handover)
		return;
	if (handover->state == HANDOVER_JOINING) {
		handover->old = handover->old == leg ? NULL : handover->old;
		handover_hard_end(leg, -ECANCELED);
		return;
	}
	if (leg != handover->old && leg != handover->fresh)
		return;
	handover_note_old(handover);
	/* Its ACK may still be missing: that is the leg's own matter now. */
	if (leg != handover->fresh && handover->fresh->unacked)
		leg_await_ack(handover->fresh, handover->fresh->unacked);
	handover_end(handover, leg == handover->fresh ? HANDOVER_ABORTED : HANDOVER_FINISHED);
}

static void leave(struct leg *leg)
{
	struct call *call = leg->call;

	note_leaving(leg);
	leg_drop(leg);
	journal_save(call);
}

/* Would somebody still speak for the side? Those that stand by do not (PH-8). */
static bool others_awake(const struct leg *leg)
{
	list_for_each(node, after, &leg->call->side[leg->side].legs)
	{
		const struct leg *other = container_of(node, struct leg, link);

		if (other != leg && !other->standby)
			return true;
	}
	return false;
}

bool handover_bye(struct leg *leg, struct sip_server_tx *tx)
{
	struct call *call = leg->call;

	if (leg->state != LEG_UP || !others_awake(leg))
		return false;
	call_step(call, (int)leg->side, "handover", "one leg of several leaves", 0);
	leave(leg); /* HH-13: when the BYE is processed, then the 200 */
	leg_refuse(leg, tx, 200, NULL);
	leg_free(leg);
	return true;
}

void handover_turn_away(struct leg *leg, struct str reason)
{
	if (leg->call->assisted && leg->peer) {
		assist_turn_away(leg, reason); /* and the far end's */
		return;
	}
	leave(leg);
	leg_bye(leg, reason);
}

/* ---- the window
 * ---------------------------------------------------------------------------------- */

uint64_t handover_last_heard(const struct leg *leg)
{
	const struct stream *stream = &leg->call->stream[0];
	struct netaddr local = stream->path[leg->side].local;
	struct sg_stream_info info;

	if (leg->medias && leg->media[0].own.local.port)
		local = leg->media[0].own.local;
	if (!leg->call->streams || !stream->media || media_info(stream->media, &info))
		return 0;
	for (size_t i = 0; i < info.paths; i++) {
		const struct sg_path_info *path = &info.path[i];

		if (path->side == leg->side && path->local.port == local.port &&
		    !memcmp(path->local.addr, local.addr, sizeof(local.addr)))
			return path->last_packet_ns;
	}
	return 0;
}

/* HH-16: the one that is heard stays; both: the new one, since that is where the party goes. */
static bool old_is_better(const struct handover *handover)
{
	return handover_last_heard(handover->old) >
	       handover_last_heard(handover->fresh) + FRESHER_NS;
}

void handover_expired(void *context)
{
	struct handover *handover = context;
	struct leg *worse = old_is_better(handover) ? handover->fresh : handover->old;

	const struct log_about about = {.call = handover->call->id, .leg = worse->dialog->call_id};

	log_write_about(handover->call->calls->log, LOG_LEVEL_INFO, &about,
			"handover: no BYE within the window, the %s leg goes",
			worse == handover->old ? "old" : "new");
	handover_note_old(handover);
	if (worse != handover->fresh && handover->fresh->unacked)
		leg_await_ack(handover->fresh, handover->fresh->unacked);
	handover_end(handover, HANDOVER_EXPIRED);
	handover_turn_away(worse, STR("SIP;cause=408;text=\"Handover window is over\""));
}

int handover_finish(struct call *call, enum sg_side side, bool keep_new)
{
	struct handover *handover = handover_on(call, side);

	if (!handover || handover->state != HANDOVER_BOTH)
		return -ENOENT;
	handover_turn_away(keep_new ? handover->old : handover->fresh,
			   STR("SIP;cause=487;text=\"Handover ended by the operator\""));
	return 0;
}
