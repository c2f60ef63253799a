// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ends a handover besides its party (HH-21): the link of one of its paths goes, or the old
 * path falls silent while the new one is heard (802.1CB's latent-error test). Both send the same
 * packets, so a pause in speech silences both, and neither is taken for dead then.
 */
#include "call/handover.h"

#define LOOK_MS 250u
#define NS_PER_MS 1000000ull

static void turn_away(struct handover *handover, struct leg *leg, const char *why)
{
	const struct log_about about = {.call = handover->call->id, .leg = leg->dialog->call_id};

	log_write_about(handover->call->calls->log, LOG_LEVEL_INFO, &about,
			"handover: %s: the %s leg goes", why, leg == handover->old ? "old" : "new");
	call_step(handover->call, (int)handover->side, "handover", why, 0);
	handover_turn_away(leg, STR("SIP;cause=408;text=\"Path is dead\""));
}

static void look(void *context)
{
	struct handover *handover = context;
	const struct config *config = handover->call->calls->config;
	uint64_t silent = config->handover_silence_ms * NS_PER_MS, now = handover_clock_ns();
	uint64_t old = handover_last_heard(handover->old);
	uint64_t fresh = handover_last_heard(handover->fresh);

	if (old && fresh && now - fresh < silent / 2 && now - old > silent)
		turn_away(handover, handover->old, "old path silent");
	else
		handover_trigger_start(handover);
}

void handover_trigger_start(struct handover *handover)
{
	struct calls *calls = handover->call->calls;

	if (calls->config->handover_silence_ms)
		timer_start(calls->wheel, &handover->look, LOOK_MS, look, handover);
}

void handover_link_down(struct handover *handover, unsigned slot)
{
	const struct call *call = handover->call;

	if (handover->state != HANDOVER_BOTH || !call->streams)
		return;
	if (slot == handover->new_slot)
		turn_away(handover, handover->fresh, "link of the new path down");
	else if (slot == call->stream[0].path[handover->side].slot)
		turn_away(handover, handover->old, "link of the old path down");
}
