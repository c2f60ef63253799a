/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a call to another of our networks, by the scheme of the options, and being the far end of
 * somebody who moves.
 */
#ifndef SEGUE_UA_MOVE_H
#define SEGUE_UA_MOVE_H

#include "call.h"

struct ua_move;

/* -EBUSY: another one is not over yet; -ENOTCONN: there is nothing to move; -EALREADY: we are
 * there; -ENOENT: the scheme wants a standby leg there, and there is none. */
int ua_move_begin(struct ua_call *call, struct ua_network *network);
/* Ends the old leg (HH-13), or the new one (HH-15). -ENOENT. */
int ua_move_release(struct ua_call *call);
int ua_move_abort(struct ua_call *call);

/* ---- for the call ---- */
/* It was just answered. */
void ua_move_established(struct ua_call *call);
/* The leg is about to be freed. `move` may be NULL. */
void ua_move_forget(struct ua_move *move, const struct ua_leg *leg);
/* True: the leg belongs to the move, and is dealt with. `move` may be NULL. */
bool ua_move_receive_bye(struct ua_move *move, struct ua_leg *leg);
/* The call is over: what there is of a move is written down. */
void ua_move_end(struct ua_call *call);
void ua_move_free(struct ua_move *move); /* NULL is fine */

/* ---- as the far end ---- */
/* Does it want to join, or replace, a leg (Handover, Replaces)? */
bool ua_move_is_leg(const struct sip_message *request);
void ua_move_receive(struct ua *ua, struct ua_network *network, struct sip_server_tx *tx,
		     struct sip_message *request);

#endif
