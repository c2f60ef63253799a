/* SPDX-License-Identifier: BSD-2-Clause */
/* The call: its legs, and what becomes of it. One at a time. */
#ifndef SEGUE_UA_CALL_H
#define SEGUE_UA_CALL_H

#include "leg.h"

struct ua_move;

struct ua_call {
	struct ua *ua;
	struct list legs; /* the first one carried it first */
	bool outgoing, answered, held, ending;
	struct ua_move *move; /* under way, or done and not released yet; NULL: none */
	struct timer timer;   /* until it is answered; then until it ends */
	uint64_t began_us, answered_us, ended_us;
	char *peer;	    /* To of requests of ours, without a tag */
	const char *reason; /* why it ended: a word of ours */
	int status;	    /* with which it failed; 0: it did not */
};

/* Calls by that network. */
int ua_call_start(struct ua *ua, struct ua_network *network, const char *callee);
/* An INVITE outside any dialog: a call, or another leg of the one that there is. */
void ua_call_receive(struct ua *ua, struct ua_network *network, struct sip_server_tx *tx,
		     struct sip_message *request);
/* BYE from the other side, in that leg. */
void ua_call_receive_bye(struct ua_leg *leg);
/* Answers a call that rings. -ENOENT: none does. */
int ua_call_answer(struct ua_call *call);
/* Hangs up: all legs. */
void ua_call_end(struct ua_call *call, const char *reason);
/* Hold and resume, in every leg that carries the voice (SG-31). */
int ua_call_hold(struct ua_call *call, bool held);
void ua_call_free(struct ua_call *call); /* NULL is fine */
/* The leg that carries the voice; NULL: none. */
struct ua_leg *ua_call_leg(const struct ua_call *call);
/* The leg that moves with us: the same, or while it rings the one that is to carry it. */
struct ua_leg *ua_call_moving(const struct ua_call *call);
/* A new object for the statistics. */
json_t *ua_call_report(const struct ua_call *call);
/* Removes the leg; the call ends with its last one. */
void ua_call_drop(struct ua_call *call, struct ua_leg *leg, const char *reason);

/* ---- for legs ---- */
/* Aims the media at what the legs have agreed on by now. */
void ua_call_aim(struct ua_call *call);
void ua_call_heard(struct ua_call *call, int status); /* 18x */
/* The leg is over before it came about. */
void ua_call_lost(struct ua_call *call, struct ua_leg *leg, const char *reason);
/* A 2xx of ours was never acknowledged, or badly: BYE. */
void ua_call_unconfirmed(struct ua_call *call, struct ua_leg *leg);
/* The other side changed where it is, or the direction. */
void ua_call_redirected(struct ua_call *call, const struct ua_leg *leg, enum sdp_direction before);
/* From and To of ours: the AOR, else our address there. */
void ua_call_write_self(struct ua *ua, const struct ua_network *network, struct buf *out);
const char *ua_call_supported(const struct ua *ua);

#endif
