// SPDX-License-Identifier: BSD-2-Clause
/* The end of a call that a party wants (SG-3). */
#include "call/assist.h"

static const char *who_left(const struct leg *leg)
{
	return leg->side == SG_SIDE_A ? "BYE from A" : "BYE from B";
}

void bye_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	struct call *call = leg->call;

	if (call && (assist_bye(leg, tx, request) || handover_bye(leg, tx)))
		return;
	leg_refuse(leg, tx, 200, NULL);
	if (call && call->state == CALL_UP && transfer_outlives(leg)) {
		exchange_abandon_leg(leg, 487);
		leg_leave_side(leg);
		leg_free(leg);
		return;
	}
	/* A leaving leg's own BYE crossed this one: it goes when that is answered. */
	if (call)
		call_end(call, 487, headers_reason(request), who_left(leg), leg);
}
