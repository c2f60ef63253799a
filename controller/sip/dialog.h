/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialog (RFC 3261 12): identifiers, sequence numbers, route set and remote target of one peer.
 * Found by Call-ID and tags in O(1). Whom it belongs to is said by `owner`, which this room never
 * reads.
 */
#ifndef SEGUE_SIP_DIALOG_H
#define SEGUE_SIP_DIALOG_H

#include "sip/stack.h"

enum sip_dialog_state { SIP_DIALOG_EARLY, SIP_DIALOG_CONFIRMED, SIP_DIALOG_TERMINATED };

struct sip_dialog {
	struct hash_node node;
	struct sip_dialogs *dialogs;
	enum sip_dialog_state state;
	char *call_id, *local_tag, *remote_tag; /* remote_tag "" until known */
	char *local_uri,
		*remote_uri; /* From and To as they stand in requests of ours, without tags */
	char *target;	     /* the peer's Contact URI */
	char *routes;	     /* "<sip:a;lr>, <sip:b;lr>": the Route header; "" for none */
	uint32_t local_cseq, remote_cseq; /* remote_cseq 0: none yet */
	struct sip_flow flow;		  /* where the peer's last request or response came from */
	bool use_flow; /* send there and not to the target (connection, or NAT: the Contact is
			  elsewhere) */
	char contact_user[SIP_TOKEN_LEN]; /* of our Contact */
	uint32_t max_forwards; /* of the next requests; 0: 70. One that carries another's on takes
				  less than that had (RFC 7332) */
	void *owner;
};

int sip_dialogs_alloc(struct sip_dialogs **out);
void sip_dialogs_free(struct sip_dialogs *dialogs);
size_t sip_dialogs_count(const struct sip_dialogs *dialogs);

/* As the one who is asked: from the request that makes it, with our tag. -ENOMEM, -EINVAL. */
int sip_dialog_accept(struct sip_dialog **out, struct sip_dialogs *dialogs,
		      const struct sip_message *request, struct str local_tag);
/*
 * As the one who asks: before the first request. `remote_uri` becomes To and, with `target`, the
 * request URI. More forks of the same INVITE: sip_dialog_fork.
 */
int sip_dialog_create(struct sip_dialog **out, struct sip_dialogs *dialogs, struct str call_id,
		      struct str local_tag, struct str local_uri, struct str remote_uri,
		      struct str target);
/* A further dialog for a response to the same request with another To tag (RFC 3261 12.1). */
int sip_dialog_fork(struct sip_dialog **out, const struct sip_dialog *first,
		    const struct sip_message *response);
/* Out of the table, freed. NULL is fine. */
void sip_dialog_free(struct sip_dialog *dialog);

/*
 * Takes the peer's tag, route set and target from a response to our dialog-making request; 2xx
 * confirms. All of it or nothing: -ENOMEM, -EINVAL (the tag of another dialog: fork; no 101..299).
 */
int sip_dialog_learn(struct sip_dialog *dialog, const struct sip_message *response);
/*
 * A target refresh (INVITE, UPDATE and their 2xx, SG-40): the new Contact and flow. Routes stay; so
 * does the target where there is no Contact. 0 or -ENOMEM.
 */
int sip_dialog_refresh(struct sip_dialog *dialog, const struct sip_message *message);

/* By the tags as the peer of the message sees them: a request's To tag is our local tag. NULL:
 * none. */
struct sip_dialog *sip_dialog_of(const struct sip_dialogs *dialogs,
				 const struct sip_message *message);
/* By identifiers (Handover, Replaces, the operator). An empty remote tag matches any. */
struct sip_dialog *sip_dialog_find(const struct sip_dialogs *dialogs, struct str call_id,
				   struct str local_tag, struct str remote_tag);

/*
 * A request of the peer in this dialog: is its CSeq in order (RFC 3261 12.2.2)? 0, or the status to
 * refuse it with (500). Remembers the number when in order. ACK and CANCEL are not asked about.
 */
int sip_dialog_in_order(struct sip_dialog *dialog, const struct sip_message *request);
/*
 * Begins a request of ours: request line, Route, From, To, Call-ID, CSeq (counted up; ACK and
 * CANCEL take `cseq`), Max-Forwards. The caller adds headers and body.
 */
void sip_dialog_write(struct sip_dialog *dialog, struct buf *out, struct str method, uint32_t cseq);
/* Where it goes: fills uri and flow of `outgoing` (pointing into the dialog). */
void sip_dialog_aim(const struct sip_dialog *dialog, struct sip_outgoing *outgoing);

/* For the journal: everything that a restarted controller needs, as one line of text. */
void sip_dialog_save(const struct sip_dialog *dialog, struct buf *out);
int sip_dialog_restore(struct sip_dialog **out, struct sip_dialogs *dialogs, struct str saved);

#endif
