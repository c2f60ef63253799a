/* SPDX-License-Identifier: BSD-2-Clause */
/* What stack.c and the transactions share. */
#ifndef SEGUE_SIP_STACK_PRIVATE_H
#define SEGUE_SIP_STACK_PRIVATE_H

#include "base/list.h"
#include "sip/resolve.h"
#include "sip/stack.h"
#include "sip/transaction.h"

#define SIP_BRANCH_LEN (SIP_TOKEN_LEN + 7u) /* the cookie before a token; with the NUL */

/* A host and port that took no connection a moment ago. A slot is a guess, as those of routes. */
struct no_stream {
	struct netaddr remote;
	uint64_t until_ms;
};

#define NO_STREAMS 256u

struct event;

struct sip_stack {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct sip_stack_config config; /* the zeros replaced */
	struct sip_stack_handlers handlers;
	void *context;
	struct sip_transport *transport;
	struct sip_resolver *resolver;
	struct sip_dialogs *dialogs;
	struct tx_seeds seeds;
	struct hash_seed token_seed;
	uint64_t tokens;
	struct tx_table server, merged; /* server transactions */
	struct tx_table client;		/* client transactions with a branch */
	struct hash carriers;		/* connections that client transactions wait on */
	size_t clients;			/* all client transactions, also those that resolve */
	/* Transactions that have something to free once no caller can be looking at it. */
	struct list spent_server, spent_client;
	struct list unsent; /* client transactions that have no branch yet */
	struct no_stream no_stream[NO_STREAMS];
	struct event *sweep;
	bool sweeping; /* the event is due */
	struct buf scratch;
	struct sip_stack_stats stats;
};

void stack_sweep_soon(struct sip_stack *stack);
/* "z9hG4bK" and a token. */
void stack_branch(struct sip_stack *stack, char out[SIP_BRANCH_LEN]);
int stack_send(struct sip_stack *stack, struct sip_flow *flow, struct str name, struct str text);
/* "192.0.2.1:5060", "[2001:db8::1]:5060" */
void stack_write_host_port(struct buf *out, const struct netaddr *at);
/* 64 T1: the life of nearly everything (RFC 3261 17.1.1.2). */
uint64_t stack_life_ms(const struct sip_stack *stack);
/* A response outside any transaction; its To tag is the same each time (RFC 3261 8.2.7). */
void stack_refuse(struct sip_stack *stack, const struct sip_message *request, int status,
		  const char *reason, struct str headers);

/* server_tx.c */
/* What the request will be looked for by: an ACK by what its INVITE is. */
struct tx_key server_tx_key(const struct sip_stack *stack, const struct sip_message *request);
void server_tx_receive(struct sip_stack *stack, struct sip_message *request, struct tx_key key);
void server_tx_sweep(struct sip_stack *stack);
void server_tx_free_all(struct sip_stack *stack);
/* Where responses to it go (RFC 3261 18.2.2, RFC 3581 4). */
struct sip_flow server_tx_return_flow(const struct sip_message *request);

/* client_tx.c */
struct tx_key client_tx_key(const struct sip_stack *stack, const struct sip_message *response);
void client_tx_receive(struct sip_stack *stack, struct sip_message *response, struct tx_key key);
void client_tx_closed(struct sip_stack *stack, const struct sip_flow *flow);

/* large.c: requests that are too long for a datagram (RFC 3261 18.1.1) */
bool large_goes_by_stream(struct sip_stack *stack, const struct netaddr *remote, size_t length);
/* It took no connection: large requests go there in datagrams for a while. */
void large_not_by_stream(struct sip_stack *stack, const struct netaddr *remote);
void client_tx_sweep(struct sip_stack *stack);
void client_tx_free_all(struct sip_stack *stack);

#endif
