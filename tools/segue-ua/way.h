/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the proxy: found, taken by each request, and found again when a connection is lost. */
#ifndef SEGUE_UA_WAY_H
#define SEGUE_UA_WAY_H

#include "ua.h"

typedef void ua_way_fn(void *context, int error);

/*
 * Looks for the proxy and what it speaks: --proxy, else the AOR's domain (VO-13, RFC 3263). 0:
 * known by now, or none is needed; -EINPROGRESS: fn is told, with the ua; -EINVAL ...
 */
int ua_way_find(struct ua *ua, ua_way_fn *fn, struct error *err);
/* Listens on each network for what the proxy speaks. */
int ua_way_open(struct ua *ua, struct error *err);

struct ua_way {
	struct sip_flow flow;
	struct str server_name; /* what a TLS certificate has to be good for; empty: the address */
};

/*
 * How a request leaves by that network: on the dialog's connection if it is one of that network;
 * else to the network's own proxy; over UDP the peer of the dialog (NULL: none); everybody's proxy;
 * the host in the URI; where the dialog's connection led to. -EHOSTUNREACH: nothing of the
 * network's family.
 */
int ua_way_of(const struct ua *ua, const struct ua_network *network,
	      const struct sip_dialog *dialog, struct ua_way *out);

/* A connection is over: where the registrar or a call needs one, there will be another. */
void ua_way_lost(struct ua *ua, const struct sip_flow *flow);
/* The network is gone, and its connections with it: nothing waits for them, or is sent there. */
void ua_way_abandon(struct ua *ua, struct ua_network *network);

#endif
