/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One dialog of a call, by one of our networks: offers and answers, and what they say about where
 * the voice goes.
 */
#ifndef SEGUE_UA_LEG_H
#define SEGUE_UA_LEG_H

#include "describe.h"
#include "sdp/offer_answer.h"
#include "ua.h"

struct ua_reliable;
struct ua_request;

enum ua_leg_state {
	UA_LEG_CALLING, /* our INVITE is out */
	UA_LEG_RINGING, /* theirs waits for an answer */
	UA_LEG_UP,
	UA_LEG_ENDING, /* our BYE is out */
};

/* The final status of what was asked for; 0: nothing came of it on our side. */
typedef void ua_leg_fn(void *context, int status, struct sip_message *response);

struct ua_leg {
	struct list node; /* in the call's legs */
	struct ua_call *call;
	struct ua_network *network;
	enum ua_leg_state state;
	struct sip_dialog *dialog;
	struct offer_answer oa;
	struct ua_agreed agreed; /* audio false: nothing yet */
	bool standby;		 /* exists, but carries no voice (PH-7) */
	struct ua_request *request;
	struct ua_network *asked_by;	/* whence the request went: ours once it is accepted */
	enum sdp_direction asked;	/* what our offer said */
	enum sdp_direction wanted;	/* what we would do, if the other side let us */
	struct sip_server_tx *incoming; /* INVITE to be answered; then: whose 2xx wants an ACK */
	bool incoming_late;		/* our 2xx had the offer: the ACK has the answer */
	bool unconfirmed; /* of theirs: no ACK yet, so it may not know where to listen */
	char *ack;	  /* the last one, for those who ask again */
	ua_leg_fn *fn;
	void *context;
	/* Before the answer: leg_early.c. */
	bool settled;  /* the offer of the INVITE was answered reliably: the 2xx says no more */
	bool updates;  /* the other side takes UPDATE */
	bool roamed;   /* it is at another network than its INVITE was */
	uint32_t rseq; /* of the last reliable provisional; 0: none */
	struct ua_reliable *reliable; /* of ours, waits for its PRACK; NULL: none */
	struct ua_request *prack, *update;
	struct ua_network *update_by;
	bool update_offers;
	ua_leg_fn *updated;
	void *update_context;
};

/* For a call of ours, `target` and `to` say whom; Call-ID and tag are new ones where NULL. */
int ua_leg_create(struct ua_leg **out, struct ua_call *call, struct ua_network *network,
		  const char *call_id, const char *to, const char *target);
/* For theirs: from the INVITE that makes it. */
int ua_leg_accept(struct ua_leg **out, struct ua_call *call, struct ua_network *network,
		  struct sip_server_tx *tx, struct sip_message *request);
void ua_leg_free(struct ua_leg *leg); /* NULL is fine */

/*
 * INVITE, or re-INVITE once it is up, by that network with an offer of that direction; `headers`
 * are whole lines. -EBUSY: another request is under way (491 at the other side).
 */
int ua_leg_invite(struct ua_leg *leg, struct ua_network *network, enum sdp_direction direction,
		  struct str headers, ua_leg_fn *fn, void *context);
/* BYE, or CANCEL before it is up, or a refusal of theirs. fn hears when it is over. */
int ua_leg_end(struct ua_leg *leg, struct ua_network *network, ua_leg_fn *fn, void *context);

/* ---- before the answer (leg_early.c) ---- */

void ua_leg_free_early(struct ua_leg *leg);
/* Takes the dialog from a response to our INVITE; that of whoever spoke last. 0 or negative errno.
 */
int ua_leg_learn(struct ua_leg *leg, struct sip_message *response);
void ua_leg_provisional(struct ua_leg *leg, struct sip_message *response);
/* 183 with our answer to the INVITE, reliably where the caller takes that. -ENOENT: no offer. */
int ua_leg_answer_early(struct ua_leg *leg);
/* It may not be answered yet: the PRACK is missing. */
bool ua_leg_waits(const struct ua_leg *leg);
/* What the PRACK is to be answered with. */
int ua_leg_receive_prack(struct ua_leg *leg, const struct sip_message *request);
/*
 * UPDATE by that network, where the leg is from its 2xx on; with an offer where the INVITE's is
 * answered for good already. -EBUSY, -ENOTCONN: nobody spoke yet, -EOPNOTSUPP: they do not know
 * UPDATE.
 */
int ua_leg_update(struct ua_leg *leg, struct ua_network *network, ua_leg_fn *fn, void *context);

/* ---- what the other side does (leg_receive.c) ---- */

/* A response in the dialog; `headers` are whole lines. 0 or -ENOMEM. */
int ua_leg_write_response(struct ua_leg *leg, struct sip_server_tx *tx, int status,
			  struct str headers, struct str body, struct buf *out);

/* Answers the INVITE that the leg was made from: 200, or another status. What it was answered with;
 * a leg that could not be accepted is lost (ua_call_lost). */
int ua_leg_answer(struct ua_leg *leg, int status);
void ua_leg_ring(struct ua_leg *leg);
/* INVITE (again) or UPDATE in the dialog. */
void ua_leg_receive_offer(struct ua_leg *leg, struct sip_server_tx *tx,
			  struct sip_message *request);
void ua_leg_receive_ack(struct ua_leg *leg, struct sip_message *ack);
/* The 2xx again: its ACK was lost. */
void ua_leg_repeat_ack(struct ua_leg *leg);
/* Takes a description that was agreed on over. -EBADMSG. */
int ua_leg_take_answer(struct ua_leg *leg, struct str text, struct error *err);
/* An answer to the offer that waits; the text is in *out. 0, 488 or 500. */
int ua_leg_make_answer(struct ua_leg *leg, struct ua_network *network, struct str offer,
		       struct buf *out);
int ua_leg_write_offer(struct ua_leg *leg, struct ua_network *network, enum sdp_direction direction,
		       struct buf *out);
/* An offer that says what is agreed once more, from that network. */
int ua_leg_write_again(struct ua_leg *leg, struct ua_network *network, struct buf *out);

#endif
