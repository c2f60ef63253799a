// SPDX-License-Identifier: BSD-2-Clause
/*
 * Moving while it rings: an UPDATE in the early dialog (RFC 3311), whatever the scheme, since there
 * is no dialog yet that another leg could join (HH-3). Where the offer of the INVITE is answered
 * for good already, early media come along; the callee's answer names the new network anyway. The
 * caller whose offer waits can tell only where its signalling is: a re-INVITE follows the answer.
 */
#include "move_private.h"

static int update(struct ua_move *move);

static void on_retry(void *context)
{
	struct ua_move *move = context;

	if (move->from->state == UA_LEG_UP ? move_reinvite(move) : update(move))
		move_failed(move, 500);
}

static void done(struct ua_move *move)
{
	struct ua_call *call = move->call;

	move_moved(move, 200);
	if (call->move == move)
		move_released(move);
}

static void on_updated(void *context, int status, struct sip_message *response)
{
	struct ua_move *move = context;
	const struct ua_leg *leg = move->from;

	(void)response;
	if (status == 491 || status == 500) {
		move_retry_later(move, on_retry);
		return;
	}
	if (status >= 300) {
		move_failed(move, status);
		return;
	}
	ua_event(move->call->ua, "updated",
		 json_pack("{s:s, s:b}", "network", move->network->name, "media",
			   leg->update_offers || leg->state == UA_LEG_RINGING));
	if (leg->update_offers || leg->state == UA_LEG_RINGING)
		done(move);
	else if (leg->state == UA_LEG_UP && move_reinvite(move))
		move_retry_later(move, on_retry); /* an ACK is missing */
}

static int update(struct ua_move *move)
{
	return ua_leg_update(move->from, move->network, on_updated, move);
}

int move_early_begin(struct ua_move *move)
{
	return update(move);
}

void move_early_answered(struct ua_move *move)
{
	/* With the UPDATE on its way, or to be sent again, the rest follows then. */
	if (!move->early || move->from->update || timer_running(&move->timer))
		return;
	if (move_reinvite(move))
		move_failed(move, 500);
}
