/* SPDX-License-Identifier: BSD-2-Clause */
/* A transfer that runs: transfer.c, and transfer_blind.c, which looks for a new party. */
#ifndef SEGUE_CALL_TRANSFER_H
#define SEGUE_CALL_TRANSFER_H

#include "call/group.h"

struct refer {
	struct call *call;
	struct leg *from; /* who asked; NULL: gone already, or wants to hear nothing */
	bool silent;	  /* Refer-Sub: false (RFC 4488) */
	enum sg_side side;
	struct leg *leg; /* the new party's; it is in no list. NULL: blind, nobody has answered */
	struct call *other;	   /* attended: the call that it comes from */
	struct sip_client_tx *out; /* attended: the INVITE to it */
	struct timer timer;
	/* Blind: whom REFER names, and its contacts, several of which may ring. */
	char *uri;
	char *extra; /* headers of the INVITEs */
	struct list attempts;
	struct target *target;
	size_t targets;
	struct group_best best;
};

struct wish {
	struct str uri; /* without headers */
	struct sip_uri parsed;
	struct buf replaces; /* value, unescaped; empty: none */
};

/* transfer.c */
void transfer_notify(struct refer *refer, int status);
/* The new party does not come: the call goes on as it was, if there still are two. Frees. */
void transfer_fail(struct refer *refer, int status);
/* refer->leg has said 2xx; may end the call. */
void transfer_answered(struct refer *refer, struct sip_message *response);
/* What the one who stays said of itself, as if it were not on hold: the new party is to hear it.
 * Into calls->sdp. */
int transfer_write_offer(struct leg *leg, const struct leg *stays);

/* transfer_blind.c */
/* Invites the first contacts. 0 or a status. */
int blind_start(struct refer *refer, struct sip_message *request, const struct wish *wish,
		const struct leg *stays);
/* Whoever rings is cancelled; what it owns is freed. */
void blind_free(struct refer *refer);

#endif
