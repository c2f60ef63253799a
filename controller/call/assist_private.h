/* SPDX-License-Identifier: BSD-2-Clause */
/* A move of a CN-assisted call that waits for the far end: assist_move.c and assist_anchor.c. */
#ifndef SEGUE_CALL_ASSIST_PRIVATE_H
#define SEGUE_CALL_ASSIST_PRIVATE_H

#include "call/assist.h"

struct assist {
	struct call *call;
	struct leg *old;   /* the mover's leg that the INVITE names */
	struct leg *fresh; /* its new one, in no list until it is answered */
	struct sip_server_tx *invite;
	struct sip_message *request; /* a reference */
	enum handover_scheme scheme;
	struct handover *handover; /* the report; its legs are entered when both are up */
	struct attempt *attempt;   /* the INVITE to the far end; NULL: it was answered */
	struct timer timer;	   /* as long as the far end is asked, then the old leg */
	int status;		   /* with which the far end refused, as the mover may hear it */
	bool anchoring, cancelled;
};

/*
 * The media of the pair come to the relay; assist_anchored tells how it ended: 200, and both
 * parties know of it, else nothing has changed. -EBUSY and others: nothing was begun.
 */
int assist_anchor(struct assist *assist);
void assist_anchored(struct assist *assist, int status);

#endif
