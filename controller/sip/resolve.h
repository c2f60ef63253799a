/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a request for a URI goes (RFC 3263 4): protocols and addresses in the order in which they
 * are to be tried. Private to sip/.
 */
#ifndef SEGUE_SIP_RESOLVE_H
#define SEGUE_SIP_RESOLVE_H

#include "sip/message.h"

#define SIP_TARGETS 8u	  /* more are not tried: each may cost 64 T1 */
#define SIP_NAME_MAX 256u /* of a domain name, with the NUL */

struct sip_target {
	enum sip_proto proto;
	struct netaddr address;
};

struct sip_targets {
	size_t count;
	struct sip_target target[SIP_TARGETS];
	char name[SIP_NAME_MAX]; /* of the URI's domain: what a certificate has to be good for */
};

struct sip_resolver;
struct sip_query;

/* `targets` is lent; `error` 0, or -EHOSTUNREACH (nothing there), -ETIMEDOUT, -ENOMEM. */
typedef void sip_resolve_fn(void *context, const struct sip_targets *targets, int error);

/* No name servers: those of the system. */
int sip_resolver_alloc(struct sip_resolver **out, struct event_base *base, struct wheel *wheel,
		       struct log *log, const struct netaddr *nameserver, size_t nameservers);
/* Queries that run are forgotten. NULL is fine. */
void sip_resolver_free(struct sip_resolver *resolver);
/*
 * 0: `now` holds the answer (numeric, or remembered). -EINPROGRESS: fn is called later, never from
 * inside, unless *later is given to sip_query_cancel before. -EINVAL: not a URI that can be routed.
 * -EHOSTUNREACH, -ENOMEM.
 */
int sip_resolve(struct sip_resolver *resolver, const struct sip_uri *uri, struct sip_targets *now,
		sip_resolve_fn *fn, void *context, struct sip_query **later);
void sip_query_cancel(struct sip_query *query); /* NULL is fine */

#endif
