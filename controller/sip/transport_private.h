/* SPDX-License-Identifier: BSD-2-Clause */
/* What transport.c, udp.c, tcp.c and tls.c share. */
#ifndef SEGUE_SIP_TRANSPORT_PRIVATE_H
#define SEGUE_SIP_TRANSPORT_PRIVATE_H

#include <net/if.h>
#include <time.h>

#include "base/acceptor.h"
#include "base/hash.h"
#include "sip/transport.h"

#define LISTENERS 64u /* of one transport: they are looked through, not hashed */
#define DATAGRAM_MAX 8192u
#define STREAM_MESSAGE_MAX 65535u

struct udp_batch;
struct connections;
struct tls;
struct event;

struct listener {
	struct list node;
	struct sip_transport *transport;
	enum sip_proto proto;
	struct netaddr at;
	char device[IFNAMSIZ];	  /* "": by the routes */
	int fd;			  /* UDP only */
	struct event *readable;	  /* UDP only */
	struct acceptor acceptor; /* streams only */
	struct tls *tls;	  /* SIP_TLS only */
};

/* Our address towards a host and the MTU of the way, as the kernel said a moment ago. */
struct choice {
	struct netaddr remote, source;
	unsigned mtu;
	uint64_t until_ms;
};

#define CHOICES 256u

struct sip_transport {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct sip_transport_handlers handlers;
	void *context;
	struct list listeners;
	size_t listening;
	struct udp_batch *batch;
	struct connections *connections;
	struct choice choice[CHOICES];
};

struct listener *transport_listener(const struct sip_transport *transport, enum sip_proto proto,
				    const struct netaddr *at);

/* CLOCK_REALTIME, CLOCK_MONOTONIC ... */
uint64_t transport_clock_ns(clockid_t clock);

/* -ENODEV ... "": nothing is done. */
int transport_use_device(int fd, const char *device);

/* udp.c. A zeroed listener with transport, proto and at becomes a socket that is read. */
int udp_batch_alloc(struct udp_batch **out);
void udp_batch_free(struct udp_batch *batch);
int udp_open(struct listener *listener);
void udp_close(struct listener *listener);
/* 0 also when the socket's queue is full: that is a lost datagram, and SIP sends it again. */
int udp_send(const struct listener *listener, const struct netaddr *to, struct str message);

#endif
