/* SPDX-License-Identifier: BSD-2-Clause */
/* A client transaction, as its state machine, its texts and its way out share it. */
#ifndef SEGUE_SIP_CLIENT_TX_H
#define SEGUE_SIP_CLIENT_TX_H

#include "sip/stack_private.h"

#define CLIENT_FORKS 4u /* answers (2xx) from different phones; further ones are strays */

enum client_state {
	CLIENT_RESOLVING,
	CLIENT_CALLING,	   /* sent, no answer yet ("Trying" of a non-INVITE) */
	CLIENT_PROCEEDING, /* a provisional response came */
	CLIENT_COMPLETED,  /* a final response came; to INVITE: not a 2xx */
	CLIENT_ACCEPTED,   /* INVITE: a 2xx came (RFC 6026) */
	CLIENT_FAILING,	   /* `failed` will be called by the timer */
	CLIENT_TERMINATED,
};

/* What further tries need: freed as soon as there can be none. */
struct client_route {
	struct sip_query *query;
	struct sip_targets targets;
	size_t next;
	bool streamed; /* targets[next] was tried by TCP, as too large; by UDP comes next */
	bool contact;
	char *contact_user;
};

/*
 * The connection whose end matters to these transactions; or the address that an ICMP message may
 * say of that nobody is there.
 */
struct carrier {
	struct hash_node node; /* key: number of the connection, or hash of the address */
	struct list waiting;   /* sip_client_tx.carried */
};

struct sip_client_tx {
	struct tx_node node; /* in stack->client from CALLING to ACCEPTED */
	struct list place;   /* in stack->unsent or stack->spent_client */
	struct list carried;
	struct carrier *carrier;
	struct timer timer;
	struct sip_stack *stack;
	struct sip_flow flow;
	const struct sip_client_tx_handlers *handlers;
	void *context;
	/* The request as it is sent; later the ACK. The lines of this hop stand at hop_at. */
	char *packet;
	uint32_t packet_len, hop_at, hop_len;
	uint32_t interval; /* until the next retransmission, ms; 0: none */
	uint64_t deadline; /* of the state, by wheel_now_ms() */
	struct client_route *route;
	char *reason;		    /* a CANCEL is wanted: its Reason line, or "" */
	uint64_t tag[CLIENT_FORKS]; /* hashes of the To tags of 2xx */
	unsigned tags;
	int status; /* FAILING: with what */
	enum client_state state;
	bool invite, stateless, cancelled /* CANCEL was sent */, indexed /* in stack->client */;
};

/* client_tx.c */
void client_tx_enter_calling(struct sip_client_tx *tx);
/* Tells `failed` now; the transaction is over. */
void client_tx_fail(struct sip_client_tx *tx, int status);
/* The same from the loop: for those who are inside sip_client_send. */
void client_tx_fail_soon(struct sip_client_tx *tx, int status);
void client_tx_terminate(struct sip_client_tx *tx);
void client_tx_free(struct sip_client_tx *tx);
/* A zeroed one in stack->unsent; NULL: out of memory. */
struct sip_client_tx *client_tx_create(struct sip_stack *stack, bool invite);

/* client_tx_route.c */
/* The next of the targets that takes it. -EHOSTUNREACH: none is left. */
int client_tx_try_next(struct sip_client_tx *tx);
bool client_tx_has_next(const struct sip_client_tx *tx);
/* The target that was tried last is there, or will never be: no other way to it is wanted. */
void client_tx_settle(struct sip_client_tx *tx);
void client_tx_drop_route(struct sip_client_tx *tx);
/* In the table (and on its connection) under that branch, or not. */
int client_tx_index(struct sip_client_tx *tx, struct str branch);
void client_tx_unindex(struct sip_client_tx *tx);
void client_tx_leave_carrier(struct sip_client_tx *tx);
int client_tx_transmit(struct sip_client_tx *tx);

/* client_tx_write.c */
/* Takes the request over: packet, hop_at. -EINVAL: there is no request line. */
int client_tx_write_request(struct sip_client_tx *tx, struct str text);
/* Replaces the lines of this hop. */
int client_tx_write_hop(struct sip_client_tx *tx, struct str branch, bool contact,
			struct str contact_user);
struct str client_tx_method(const struct sip_client_tx *tx);
struct str client_tx_branch(const struct sip_client_tx *tx);
/* ACK of a final response that is no 2xx (RFC 3261 17.1.1.3), CANCEL (9.1): of the request sent. */
void client_tx_write_ack(struct buf *out, const struct sip_client_tx *tx,
			 const struct sip_message *response);
void client_tx_write_cancel(struct buf *out, const struct sip_client_tx *tx);

#endif
