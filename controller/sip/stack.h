/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SIP stack: transports, transactions and dialogs of one worker, behind one door. Above it are
 * the users of transactions (registrar, call); it knows nothing of them.
 */
#ifndef SEGUE_SIP_STACK_H
#define SEGUE_SIP_STACK_H

#include "base/hash.h"
#include "sip/message.h"

struct sip_stack;
struct sip_server_tx;
struct sip_client_tx;
struct sip_dialogs;

struct sip_stack_config {
	unsigned worker;	    /* number in our branches, tags and Call-IDs */
	struct netaddr *nameserver; /* NULL: the system's */
	size_t nameservers;
	size_t transactions; /* most that live at once; 0: 1 000 000. Beyond: 503 for new requests
			      */
	/* A longer request goes by TCP where that can be, bytes (RFC 3261 18.1.1); 0: never. */
	unsigned datagram_max;
	unsigned t1_ms, t2_ms, t4_ms; /* 0: 500, 4000, 5000 (RFC 3261 17.1.1.1) */
};

/* A message on the wire, each time it goes or comes: retransmissions, too. Lent for the call. */
struct sip_seen {
	bool sent;
	const struct sip_flow *flow;
	struct str text; /* as it stands on the wire */
	/* Of one that came: NULL where it could not be parsed; of one that goes: NULL. */
	struct sip_message *message;
};

enum sip_offence {
	SIP_OFFENCE_MALFORMED, /* a message that nothing can be made of, or that is against the
				  rules */
	SIP_OFFENCE_SLOW,      /* a client's connection that brought no whole message in its time */
};

struct sip_stack_handlers {
	/* Before anything is parsed: may this source send now? False drops it (token buckets,
	 * bans). */
	bool (*admit)(void *context, const struct sip_flow *flow);
	/*
	 * A new, valid request that is no ACK and no CANCEL of a known transaction. It must be
	 * answered sooner or later. The transaction keeps the message until the turn of the loop in
	 * which the final response went out (a 2xx to INVITE: in which it was acked); who needs it
	 * longer takes a reference.
	 */
	void (*request)(void *context, struct sip_server_tx *tx, struct sip_message *request);
	/* An ACK for a 2xx. */
	void (*ack)(void *context, struct sip_message *ack);
	/* A response of no transaction: a 2xx again, or one from another fork. */
	void (*stray)(void *context, struct sip_message *response);
	/* A connection is gone. */
	void (*closed)(void *context, const struct sip_flow *flow);
	/* What the other end of the flow did wrong, for whoever keeps a count; the stack has seen
	 * to it. */
	void (*offence)(void *context, const struct sip_flow *flow, enum sip_offence offence);
	/*
	 * Whoever looks on: after a message left, and before one that came (and was admitted) does
	 * anything. Changes nothing and sends nothing. NULL: nobody looks.
	 */
	void (*seen)(void *context, const struct sip_seen *seen);
};

int sip_stack_alloc(struct sip_stack **out, struct event_base *base, struct wheel *wheel,
		    struct log *log, const struct sip_stack_config *config,
		    const struct sip_stack_handlers *handlers, void *context, struct error *err);
void sip_stack_free(struct sip_stack *stack);
struct sip_transport *sip_stack_transport(struct sip_stack *stack);
struct sip_dialogs *sip_stack_dialogs(struct sip_stack *stack);
struct wheel *sip_stack_wheel(struct sip_stack *stack);

#define SIP_TOKEN_LEN 32u
/* A new tag, branch tail or Call-ID: random, unguessable, with the worker's number. NUL-terminated.
 */
void sip_token(struct sip_stack *stack, char out[SIP_TOKEN_LEN]);

/* Contact of ours on that flow: "<sip:USER@ADDRESS:PORT;transport=tcp>" (user may be empty). */
void sip_write_contact(struct buf *out, const struct sip_flow *flow, struct str user);

/* ---- server transactions (RFC 3261 17.2, RFC 6026) --------------------------------------------
 */

struct sip_server_tx_handlers {
	/* INVITE: a CANCEL came and was answered 200; now answer the INVITE (487). */
	void (*cancelled)(void *context, struct sip_message *cancel);
	/* The 2xx to an INVITE had no ACK within 64 T1 (PH-10), or could not be sent. */
	void (*unacknowledged)(void *context);
};

/* NULL after the final response (see `request` above). */
struct sip_message *sip_server_tx_request(struct sip_server_tx *tx);
/* The table of handlers is not copied, here and for clients: let it be static. */
void sip_server_tx_handle(struct sip_server_tx *tx, const struct sip_server_tx_handlers *handlers,
			  void *context);
/* From now on nobody is told (the user of the transaction is gone). It may still be replied on. */
void sip_server_tx_forget(struct sip_server_tx *tx);
/*
 * Sends a complete response (sip_write_response ... sip_write_body) and keeps it for
 * retransmissions. A 2xx to an INVITE is sent again T1, 2 T1 ... T2 until sip_server_tx_acked (RFC
 * 3261 13.3.1.4). Not to INVITE (RFC 4320): a 408 is not sent and ends the transaction all the
 * same; provisionals other than 100 are -EINVAL. -EALREADY after a final response. After a final
 * response the transaction belongs to the stack; the pointer may be used for sip_server_tx_acked
 * only until `unacknowledged`.
 */
int sip_server_tx_send(struct sip_server_tx *tx, struct str response);
/* A response without more to say. `headers`: whole lines with CRLF, or empty. 0 or negative errno.
 */
int sip_server_tx_reply(struct sip_server_tx *tx, int status, const char *reason, struct str to_tag,
			struct str headers);
void sip_server_tx_acked(struct sip_server_tx *tx);
/*
 * The one who asked, or we, can be reached elsewhere by now: further responses, and the
 * 2xx that waits for its ACK, go by that flow.
 * Nothing changes where the request came through a proxy, since it is the proxy that is answered.
 */
void sip_server_tx_follow(struct sip_server_tx *tx, const struct sip_flow *flow);
/* 100 goes out by itself: for INVITE after 200 ms (SG-1), else when RFC 4320 allows it. */

/* ---- client transactions (RFC 3261 17.1, RFC 6026, RFC 3263) -----------------------------------
 */

struct sip_client_tx_handlers {
	/*
	 * Each response once: provisionals, the final one, and for INVITE every 2xx that has
	 * another To tag. (The same 2xx again: `stray`.) A non-2xx final to INVITE was ACKed
	 * already.
	 */
	void (*response)(void *context, struct sip_message *response);
	/*
	 * No response at all: 408 (time-out) or 503 (no way there: transport, DNS). Comes instead
	 * of a final response. Never from inside sip_client_send.
	 */
	void (*failed)(void *context, int status);
};

struct sip_outgoing {
	enum sip_method method; /* SIP_UNKNOWN: see method_name */
	struct str method_name;
	/*
	 * The whole request without Via, which each hop gets anew: request line, headers, body.
	 * With `contact`, a Contact of ours with that user is added as well.
	 */
	struct str text;
	bool contact;
	struct str contact_user;
	/*
	 * Where to: an existing flow when `flow` is not NULL (copied), or one that is opened, where
	 * a TLS certificate has to be good for `server_name` (empty: the address); else RFC 3263 on
	 * the URI (the first Route, or the request URI). Targets are tried in order: transport
	 * errors, time-out and 503 lead to the next one. A request too long for a datagram goes to
	 * the target by TCP first (datagram_max).
	 */
	const struct sip_flow *flow;
	struct str server_name;
	struct str uri;
};

/*
 * Sends it in a transaction of its own; everything is copied. `out` (may be NULL) is valid until a
 * final non-2xx response, `failed`, or sip_client_tx_forget; for INVITE with 2xx until 64 T1 later
 * or forget. -ENOMEM, -EINVAL (URI), -ENOBUFS (too many transactions).
 */
int sip_client_send(struct sip_stack *stack, const struct sip_outgoing *outgoing,
		    const struct sip_client_tx_handlers *handlers, void *context,
		    struct sip_client_tx **out);
/*
 * CANCELs an INVITE: at once, or when the first provisional response comes (RFC 3261 9.1). The end
 * comes as `response` (487, or a 2xx that was faster) or `failed`. `reason_header`: the value of a
 * Reason header or its line; may be empty.
 */
void sip_client_tx_cancel(struct sip_client_tx *tx, struct str reason_header);
/* From now on nobody is told. */
void sip_client_tx_forget(struct sip_client_tx *tx);
/*
 * The one who was asked, or we, can be reached elsewhere by now: what is still sent of it (CANCEL,
 * ACK of a refusal) goes by that flow, under the Via of the request. Only for a request that went
 * to its last hop at once.
 */
void sip_client_tx_follow(struct sip_client_tx *tx, const struct sip_flow *flow);
/* The flow that it went out on (once known: in handlers). */
const struct sip_flow *sip_client_tx_flow(const struct sip_client_tx *tx);
/* Outside transactions: ACK for a 2xx. Kept by nobody. */
int sip_send_stateless(struct sip_stack *stack, const struct sip_outgoing *outgoing);

struct sip_stack_stats {
	uint64_t received, refused, sent, retransmitted_in, retransmitted_out;
	size_t server_transactions, client_transactions, dialogs;
};
void sip_stack_stats(const struct sip_stack *stack, struct sip_stack_stats *out);

#endif
