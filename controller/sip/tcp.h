/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections, TCP and TLS: found by number and by where they lead, limited in number, in what they
 * may queue and in how long they may do nothing. Private to sip/.
 */
#ifndef SEGUE_SIP_TCP_H
#define SEGUE_SIP_TCP_H

#include "sip/tcp_frame.h"
#include "sip/transport_private.h"

struct bufferevent;
struct source;
struct conn;

struct connections {
	struct sip_transport *transport;
	struct hash by_number, by_remote, sources;
	struct hash_seed seed;
	struct sip_transport_limits limits;
	uint64_t last_number;
	uint64_t complained_ms;		      /* when a failure of ours was last logged */
	bool full;			      /* one too many came, and that was said */
	char message[STREAM_MESSAGE_MAX + 1]; /* the one that is being delivered */
};

int connections_alloc(struct connections **out, struct sip_transport *transport);
void connections_free(struct connections *connections);
/* Those of that host of ours: -ENETDOWN. */
void connections_end(struct connections *connections, const struct netaddr *local);

/* A zeroed listener with transport, proto, at and (SIP_TLS) tls begins to accept. */
int tcp_open(struct listener *listener);
void tcp_close(struct listener *listener);
/* As sip_transport_send; `listener`: the one that flow->local names; NULL: no longer there. */
int tcp_send(struct connections *connections, const struct listener *listener,
	     struct sip_flow *flow, struct str name, struct str message);

/* tcp_conn.c */
/* An accepted socket (`name` NULL), or one that connects. It is the connection's from here on. */
int conn_alloc(struct conn **out, struct connections *connections, const struct listener *listener,
	       int fd, const struct netaddr *remote, const struct str *name);
void conn_free(struct conn *conn);
struct conn *conn_by_number(const struct connections *connections, uint64_t number);
/* From that host of ours, another one may be another network; for that name of the peer (TLS only:
 * a certificate is good for one name). */
struct conn *conn_by_remote(const struct connections *connections, const struct sip_flow *flow,
			    struct str name);
uint64_t conn_number(const struct conn *conn);
const struct netaddr *conn_local(const struct conn *conn);
/* Ends it, and says so. */
void conn_end(struct conn *conn, int error);
/* -ENOMEM: and the connection ends soon. */
int conn_send(struct conn *conn, struct str message);
/* May a failure be logged? Once a second. */
bool connections_may_complain(struct connections *connections);

#endif
