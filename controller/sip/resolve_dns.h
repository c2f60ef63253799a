/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in the DNS, remembered as long as their records say, within bounds; who asks what is
 * being asked already waits with the first. Private to sip/.
 */
#ifndef SEGUE_SIP_RESOLVE_DNS_H
#define SEGUE_SIP_RESOLVE_DNS_H

#include "base/hash.h"
#include "base/list.h"
#include "sip/resolve.h"

enum dns_type { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };

#define DNS_RECORDS 8u /* of one answer; further ones are left out */

struct dns_record {
	struct netaddr address;	 /* A, AAAA */
	uint16_t order;		 /* SRV: priority; NAPTR: order */
	uint16_t preference;	 /* SRV: weight; NAPTR: preference */
	uint16_t port;		 /* SRV */
	enum sip_proto proto;	 /* NAPTR: of its service */
	char name[SIP_NAME_MAX]; /* SRV: target; NAPTR: replacement */
};

struct dns_answer {
	int error; /* 0; -ENOENT: no such records; -ETIMEDOUT, -EHOSTUNREACH, -ENOMEM */
	size_t count;
	struct dns_record record[];
};

struct dns;
struct dns_waiter;

/* The answer is lent for the call. */
typedef void dns_fn(struct dns_waiter *waiter, const struct dns_answer *answer);

struct dns_waiter {
	struct list node;
	dns_fn *fn;
};

int dns_alloc(struct dns **out, struct event_base *base, struct wheel *wheel,
	      const struct netaddr *nameserver, size_t nameservers);
/* Waiters are forgotten. NULL is fine. */
void dns_free(struct dns *dns);
/* The answer, lent until the next call here, if it is known already; else NULL, and the waiter is
 * called once, unless dns_forget() comes before. */
const struct dns_answer *dns_lookup(struct dns *dns, enum dns_type type, const char *name,
				    struct dns_waiter *waiter);
void dns_forget(struct dns_waiter *waiter);

/* resolve_record.c: what came off the wire, as records. NULL: no memory. */
struct dns_answer *dns_read(enum dns_type type, int status, const unsigned char *data, int len);
/* The shortest time that a record of it may be remembered. */
uint32_t dns_read_ttl(const unsigned char *data, int len);

/* resolve_srv.c: the order of RFC 2782, weights by chance; `random` is the state of the dice. */
void srv_order(struct dns_record *record, size_t count, uint64_t *random);

#endif
