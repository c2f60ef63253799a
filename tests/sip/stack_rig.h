/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack on loopback with short timers, what it told its user, and peers that are plain sockets.
 * Waits are for what is expected, up to RIG_PATIENCE_MS.
 */
#ifndef SEGUE_TESTS_STACK_RIG_H
#define SEGUE_TESTS_STACK_RIG_H

#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sip/stack.h"

#define RIG_PATIENCE_MS 30000
#define RIG_T1_MS 20
#define RIG_T2_MS 80
#define RIG_T4_MS 60
#define RIG_EVENTS 64

struct rig {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct sip_stack *stack;
	struct netaddr at[3]; /* where it listens, by enum sip_proto; port 0: it does not */
	/* The user of the stack: what it was told. Requests are kept with a reference. */
	struct sip_server_tx *tx; /* the last one */
	struct sip_message *request;
	unsigned requests, acks, strays, closed, cancelled, unacknowledged;
	unsigned responses, failures;
	int status[RIG_EVENTS]; /* of responses, in order */
	int failure;		/* status of the last one */
	struct sip_flow response_flow, closed_flow;
	unsigned seen_in, seen_out; /* messages that came and went, as the stack showed them */
	struct netaddr seen_at;	    /* whom the last one was from, or to */
	char seen[1024];	    /* its text, as far as it fits */
	bool seen_parsed;
	int answer;  /* new requests are answered with it at once; 0: not */
	bool handle; /* new requests get handlers */
};

/* `nameserver` may be NULL. */
void rig_open(struct rig *rig, const struct sip_stack_config *config);
void rig_close(struct rig *rig);
void rig_listen(struct rig *rig, enum sip_proto proto, const char *host,
		const struct sip_tls_config *tls);
/* One turn of the loop, with a nap if nothing happened. */
void rig_turn(struct rig *rig);
void rig_run_ms(struct rig *rig, unsigned ms);
/* Turns until the counter is at least that. */
void rig_wait(struct rig *rig, const unsigned *counter, unsigned least);
/* ... until no transaction is left. */
void rig_wait_idle(struct rig *rig);
/* ... and nobody has anything more to say: what is left of 64 T1 passes at once. */
void rig_skip_idle(struct rig *rig);

extern const struct sip_client_tx_handlers rig_client;
extern const struct sip_server_tx_handlers rig_server;

#define PEER_ROOM 70000

struct peer {
	struct rig *rig;
	int fd, acceptor;
	struct netaddr at;
	char text[PEER_ROOM]; /* the last message */
	size_t len;
};

void peer_udp(struct peer *peer, struct rig *rig, const char *host);
/* Connects to where the rig listens for TCP. */
void peer_tcp(struct peer *peer, struct rig *rig);
/* Listens; peer_accept waits for the rig to connect. */
void peer_tcp_server(struct peer *peer, struct rig *rig);
void peer_accept(struct peer *peer);
void peer_close(struct peer *peer);
void peer_send(struct peer *peer, const struct netaddr *to, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Turns until something comes that begins with it; other messages are passed over. */
const char *peer_expect(struct peer *peer, const char *start);
/* What begins so and has come by now, without waiting: how many. */
unsigned peer_drain(struct peer *peer, const char *start);

/* Pieces of messages. */
#define VIA_UDP "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=%s;rport\r\n"
#define DIALOG(n, method)                                                                          \
	"Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a1\r\n"                             \
	"To: <sip:bob@example.net>\r\nCall-ID: call" n "\r\nCSeq: 1 " method "\r\n"
#define CONTACT "Contact: <sip:alice@127.0.0.1>\r\n"
#define END "Content-Length: 0\r\n\r\n"

/* A response to the request in `request`: its Via, From, Call-ID and CSeq copied; `tag` for To. */
void answer_to(char *out, size_t size, const char *request, int status, const char *tag);
/* The value of the first header of that name in a text; static, "" if there is none. */
const char *header_of(const char *text, const char *name);
/* sip_client_send of a small request with the rig's handlers. */
int rig_try_send(struct rig *rig, enum sip_method method, const struct sip_flow *flow,
		 const char *uri, struct sip_client_tx **tx);
/* ... which has to succeed. */
struct sip_client_tx *rig_send(struct rig *rig, enum sip_method method, const struct sip_flow *flow,
			       const char *uri);

#endif
