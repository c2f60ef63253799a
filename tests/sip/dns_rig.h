/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server on loopback that knows a table of records, and counts what it is asked. */
#ifndef SEGUE_TESTS_DNS_RIG_H
#define SEGUE_TESTS_DNS_RIG_H

#include "base/netaddr.h"

struct event;
struct event_base;

enum { ZONE_A = 1, ZONE_AAAA = 28, ZONE_SRV = 33, ZONE_NAPTR = 35 };

struct zone_record {
	unsigned type;
	const char *name;
	const char *text; /* A, AAAA: address; SRV, NAPTR: target */
	unsigned ttl;
	uint16_t order, preference,
		port;	     /* SRV: priority, weight, port; NAPTR: order, preference */
	const char *service; /* NAPTR */
};

struct dns_rig {
	struct netaddr at;
	int fd;
	struct event *event;
	const struct zone_record *zone;
	size_t records;
	bool silent;
	unsigned queries;
	unsigned of[64]; /* queries by type */
};

/* Its address is known from the first of them on, and it answers from the second on. */
void dns_rig_bind(struct dns_rig *rig, const struct zone_record *zone, size_t records);
void dns_rig_bind_at(struct dns_rig *rig, const char *host, const struct zone_record *zone,
		     size_t records);
void dns_rig_serve(struct dns_rig *rig, struct event_base *base);
void dns_rig_close(struct dns_rig *rig);

#endif
