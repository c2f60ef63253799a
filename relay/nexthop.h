/* SPDX-License-Identifier: BSD-2-Clause */
/* What follow.c and reroute.c need of nexthop.c beyond internal.h. */
#ifndef SG_RELAY_NEXTHOP_H
#define SG_RELAY_NEXTHOP_H

#include "internal.h"
#include "netlink.h"

/* Room for "fe80::1234:... on eth0.100". */
#define SG_NEXTHOP_STRLEN 96

/* Entries for one neighbour: the first after `after` (0: from the start), 0 at the end. */
uint16_t sg_nexthop_find(const struct sg_relay *relay, uint32_t l3_ifindex,
			 const uint8_t gateway[16], uint16_t after);

/* Does a path with this route belong to entry `index`? */
bool sg_nexthop_is(const struct sg_relay *relay, uint16_t index, const struct sg_route *route);

/*
 * What the entry should say now, by asking the kernel for its link and its neighbour. The entry is
 * not changed; `hop` is without SG_NEXTHOP_USABLE if packets cannot leave that way.
 */
void sg_nexthop_look(struct sg_relay *relay, uint16_t index, struct sg_hop *hop);

/* Makes `hop` the half that the kernel reads; false if it was already. The caller holds the lock.
 */
bool sg_nexthop_publish(struct sg_nexthop *entry, const struct sg_hop *hop);

/*
 * Has the kernel try again to resolve the entry's neighbour, or keep fresh one that it forgot to.
 * Does nothing for neighbours that are fixed by hand. The caller holds the lock.
 */
void sg_nexthop_urge(struct sg_relay *relay, uint16_t index);

/* "192.0.2.1 on eth0". */
char *sg_nexthop_name(struct sg_relay *relay, uint16_t index, char out[SG_NEXTHOP_STRLEN]);

#endif
