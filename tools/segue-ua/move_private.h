/* SPDX-License-Identifier: BSD-2-Clause */
/* A move, as its schemes share it. */
#ifndef SEGUE_UA_MOVE_PRIVATE_H
#define SEGUE_UA_MOVE_PRIVATE_H

#include "move.h"

struct ua_move {
	struct ua_call *call;
	enum ua_scheme scheme;
	struct ua_leg *from, *to; /* NULL: gone */
	struct ua_network *former, *network;
	struct timer timer;
	uint64_t asked_us, answered_us, good_us, released_us;
	int status;
	bool early;		/* it began before the call was answered */
	bool registered;	/* the registrar knows already */
	bool releasing, by_new; /* by_new: the BYE of the old leg went by the new network */
};

/* ---- move.c ---- */
/* What was asked for came about: we can be reached, and are heard, at the new network. */
void move_moved(struct ua_move *move, int status);
/* Nothing is left at the old network; frees the move. */
void move_released(struct ua_move *move);
void move_failed(struct ua_move *move, int status); /* frees it */
/* re-INVITE of the leg by the new network. 0 or negative errno. */
int move_reinvite(struct ua_move *move);
/* RFC 3261 14.1, after 491: who owns the Call-ID waits longer. */
void move_retry_later(struct ua_move *move, void (*again)(void *move));

/* ---- move_early.c: of a call that still rings ---- */
int move_early_begin(struct ua_move *move);
/* The call was answered meanwhile; may free the move. */
void move_early_answered(struct ua_move *move);

#endif
