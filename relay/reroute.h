/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After a change of routes: every path is looked up again, and moves to another next hop where the
 * kernel would now send another way. Done in steps, so that neighbours are followed meanwhile.
 */
#ifndef SG_RELAY_REROUTE_H
#define SG_RELAY_REROUTE_H

#include "internal.h"
#include "tell.h"

struct sg_reroute;

enum sg_reroute_state {
	SG_REROUTE_IDLE,
	SG_REROUTE_BUSY,  /* call sg_reroute_step again */
	SG_REROUTE_RETRY, /* done, but some next hops did not resolve: begin again later */
};

struct sg_reroute *sg_reroute_open(struct sg_relay *relay, const struct sg_listener *listener);
void sg_reroute_close(struct sg_reroute *reroute);
/*
 * `attempt`: 0, or how often SG_REROUTE_RETRY was the only reason since. Next hops are never waited
 * for: the first attempt has them asked, the next ones find the answers. Refusals are told once,
 * silence when it has lasted.
 */
void sg_reroute_begin(struct sg_reroute *reroute, unsigned attempt);
/* Some milliseconds of work. A negative errno if the lock cannot be had. */
int sg_reroute_step(struct sg_reroute *reroute);
/*
 * Device maps for every stream as if next hop `index` were on NIC slot `nic` already: before the
 * entry itself says so. The caller holds the lock.
 */
int sg_reroute_prepare(struct sg_relay *relay, uint16_t index, uint8_t nic, struct sg_error *err);

#endif
