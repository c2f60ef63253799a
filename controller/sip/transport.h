/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams and connections that carry SIP (RFC 3261 18): UDP, TCP and TLS, IPv4 and IPv6. Knows
 * how messages are framed, not what they say.
 */
#ifndef SEGUE_SIP_TRANSPORT_H
#define SEGUE_SIP_TRANSPORT_H

#include "base/error.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/timer.h"

enum sip_proto { SIP_UDP, SIP_TCP, SIP_TLS };

/* Where a message came from, or goes: by which protocol, between which two ends. */
struct sip_flow {
	enum sip_proto proto;
	struct netaddr local; /* one of our listeners; port 0 where none was chosen yet */
	struct netaddr remote;
	uint64_t conn; /* number of the connection, never used again; 0: UDP, or none yet */
};

struct sip_tls_pair {
	const char *certificate, *key; /* PEM files */
};

struct sip_tls_config {
	struct sip_tls_pair own;	  /* shown as client, and where no other one fits; none:
					     nobody is accepted */
	const struct sip_tls_pair *other; /* shown to who asks for a name of theirs (SNI) */
	size_t others;
	const char *ca;	     /* PEM file that peers are checked against; NULL: system's */
	bool require_client; /* a client without a certificate is refused */
	bool unchecked;	     /* whom we connect to need not prove who it is */
};

/*
 * One whole message (a datagram; or headers and Content-Length bytes of a stream). `data` is
 * writable, NUL-terminated at data[len], and only lent.
 */
struct sip_arrival {
	struct sip_flow flow;
	char *data;
	size_t len;
	/*
	 * When the datagram came to this machine, before it waited in the socket's queue
	 * (CLOCK_MONOTONIC, ns); of a stream: now.
	 */
	uint64_t at_ns;
};

#define SIP_ARRIVALS 32u /* at most, at one time */

struct sip_transport_handlers {
	/* What was read at one time, in its order: one or more. */
	void (*received)(void *context, const struct sip_arrival *arrivals, size_t count);
	/*
	 * A connection ended, or never came about (`error`: negative errno, 0: closed in order;
	 * -ETIME: a client sent no whole message in its time).
	 * With flow->conn 0: a datagram to flow->remote could not be delivered (ICMP).
	 */
	void (*closed)(void *context, const struct sip_flow *flow, int error);
};

struct sip_transport;
struct event_base;

int sip_transport_alloc(struct sip_transport **out, struct event_base *base, struct wheel *wheel,
			struct log *log, const struct sip_transport_handlers *handlers,
			void *context);
void sip_transport_free(struct sip_transport *transport);

#define SIP_CONNECTIONS 16384u

/* Of connections. What is zero keeps its value (in brackets). */
struct sip_transport_limits {
	unsigned connections; /* [SIP_CONNECTIONS] in all */
	unsigned per_source;  /* [512] accepted from one host (IPv6: one /64) */
	unsigned idle_ms;     /* [3900000] without a message or a keep-alive: closed */
	unsigned connect_ms;  /* [4000] until a connection that we open stands: three SYNs */
	unsigned first_ms;    /* [20000] to shake hands with us, and send the first message */
	unsigned message_ms;  /* [20000] from the first byte of a message to its last */
	unsigned queue;	      /* [524288] bytes that wait to be sent */
};
void sip_transport_limit(struct sip_transport *transport,
			 const struct sip_transport_limits *limits);

/*
 * Listens at that address (port 0: any port; an address of all zeros is refused: phones have to be
 * told one). `tls` for SIP_TLS only; without a certificate of our own nothing is accepted there,
 * and connections to others are all that it is for. Several may be added. -EADDRINUSE,
 * -EADDRNOTAVAIL, -EINVAL ...
 */
int sip_transport_listen(struct sip_transport *transport, enum sip_proto proto,
			 const struct netaddr *at, const struct sip_tls_config *tls,
			 struct error *err);
/*
 * What that listener sends and gets, its connections included, goes by that interface only: for
 * parties on several networks, where the routes alone would send all by one of them. -ENOENT, or
 * what the kernel says.
 */
int sip_transport_bind_device(struct sip_transport *transport, enum sip_proto proto,
			      const struct netaddr *at, const char *device);
/*
 * Certificates of a TLS listener are read again: connections from now on get them, those that exist
 * go on. On failure the former ones stay. -ENOENT; else as sip_transport_listen.
 */
int sip_transport_renew(struct sip_transport *transport, const struct netaddr *at,
			const struct sip_tls_config *tls, struct error *err);
/*
 * When the first certificate that our TLS listeners show expires, in seconds since 1970 (UTC);
 * INT64_MAX: they show none.
 */
int64_t sip_transport_not_after(const struct sip_transport *transport);
/* Stops listening there; connections that exist go on. -ENOENT. */
int sip_transport_unlisten(struct sip_transport *transport, enum sip_proto proto,
			   const struct netaddr *at);
/* Ends all connections of that host of ours, whose network is gone: `closed` is called for each. */
void sip_transport_disconnect(struct sip_transport *transport, const struct netaddr *local);

/*
 * Sends one message. flow->conn names a connection; where it is gone (or 0), one to flow->remote
 * from the host in flow->local is used or opened, and flow->conn says which. flow->local with port
 * 0 is filled in: the listener of the protocol and family whose address the kernel would send from,
 * else any of the family. `server_name` is what a TLS certificate has to be good for (empty: the
 * address). 0: sent, or queued on a connection (a later failure comes by `closed`). -EHOSTUNREACH
 * no listener of that family and protocol, -ENOBUFS the connection's queue is full, -EMSGSIZE over
 * 64 kB.
 */
int sip_transport_send(struct sip_transport *transport, struct sip_flow *flow,
		       struct str server_name, struct str message);
/* The flow->local that sip_transport_send would choose, without sending. 0 or -EHOSTUNREACH. */
int sip_transport_choose(struct sip_transport *transport, struct sip_flow *flow);
/* Of the way to that host as far as the kernel knows it, bytes of a packet; 0: it does not. */
unsigned sip_transport_mtu(struct sip_transport *transport, const struct netaddr *remote);
/* Do we listen there (any protocol; port 0: any port)? For "is this Route, this request URI,
 * ours?".
 */
bool sip_transport_is_ours(const struct sip_transport *transport, const struct netaddr *at);
bool sip_proto_is_stream(enum sip_proto proto);
const char *sip_proto_name(enum sip_proto proto);	   /* "UDP", as in Via */
const char *sip_proto_parameter(enum sip_proto proto);	   /* "udp", as in ;transport= */
int sip_proto_parse(enum sip_proto *out, struct str name); /* any case; -EINVAL */

#endif
