/* SPDX-License-Identifier: BSD-2-Clause */
/* Who asks for something, whether it may be, and where it goes. */
#ifndef SEGUE_ROUTE_H
#define SEGUE_ROUTE_H

#include "call/call.h"
#include "sip/dialog.h"

struct leg;

struct identity {	/* of who sent a request outside a dialog */
	struct str aor; /* proven; empty for a trunk */
	const struct config_trunk *trunk;
};

struct target {
	char *uri;
	char *path; /* Route header value; "" for none */
	char *user; /* whose contact it is: an address-of-record; NULL: not one of ours */
	char *instance;
	struct sip_flow flow;
	bool use_flow;
	unsigned q;
	char *trunk; /* its name; NULL: none */
	/* Done with, as far as further contacts of the same instance are concerned (PH-3). */
	enum { TARGET_NEW, TARGET_TRIED, TARGET_UNREACHED } state;
};

/* ---- admit.c: may there be another call ----------------------------------------------------- */

/* Are there enough calls, or is this the end? */
bool call_room(const struct calls *calls);
/* May who asks begin another one? False: it was answered. */
bool admit_caller(struct calls *calls, struct sip_server_tx *tx, const struct identity *who);
/* ... and go there? 0, or the status that it is refused with. */
int admit_targets(struct calls *calls, const struct identity *who, const struct target *target,
		  size_t targets);
/* False: calls.barred has it. */
bool admit_number(const struct calls *calls, struct str number);
/* It is counted, and told to the log. */
void admit_refused(struct calls *calls, enum calls_refusal reason, const struct identity *who,
		   const char *why, struct str what);

/* ---- route.c -------------------------------------------------------------------------------- */

/* The trunk whose address that is; NULL: of none. */
const struct config_trunk *trunk_of(const struct config *config, const struct netaddr *source);
/* Where a request goes: fills *out (freed by targets_free). 0, or a status: 403, 404, 480, 416. */
int route_find(struct calls *calls, const struct sip_message *request,
	       const struct identity *caller, struct target **out, size_t *count);
int route_uri(struct calls *calls, const struct sip_uri *uri, struct str text,
	      const struct identity *caller, struct target **out, size_t *count);
void targets_free(struct target *target, size_t count);
/* redirect.c: the contacts of a 3xx become further targets, as far as who asks may call them. */
void redirect_follow(const struct leg *who, struct target **target, size_t *targets,
		     const struct sip_message *response);
/* redirect_server.c: the user is of a domain that we only tell the way to. True: it was answered.
 */
bool redirect_serve(struct calls *calls, struct sip_server_tx *tx,
		    const struct sip_message *request);
/* From and To of a request of ours that carries on `request`, as sip_dialog_create wants them. */
int target_parties(struct calls *calls, const struct sip_message *request, struct buf *from,
		   struct buf *to);
/* Route, flow. 0 or -ENOMEM. */
int target_aim(const struct target *target, struct sip_dialog *dialog);

#endif
