/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops kept true: links and neighbours followed, neighbours that fail tried again. */
#ifndef SG_RELAY_HOPWATCH_H
#define SG_RELAY_HOPWATCH_H

#include "internal.h"
#include "tell.h"

struct sg_hopwatch;

struct sg_hopwatch *sg_hopwatch_open(struct sg_relay *relay, const struct sg_listener *listener);
void sg_hopwatch_close(struct sg_hopwatch *watch);

/* A neighbour may have changed: its entries follow at once. */
void sg_hopwatch_neighbour(struct sg_hopwatch *watch, uint32_t ifindex, const uint8_t addr[16]);
/* A link may have changed: the entries that leave through it follow. 0: any link. */
void sg_hopwatch_link(struct sg_hopwatch *watch, uint32_t ifindex);
/* Packets find next hops of this stream unusable: try them now. */
void sg_hopwatch_stream(struct sg_hopwatch *watch, uint32_t stream);
/* Tries what is due. Returns when something is due again, 0 if nothing is. */
uint64_t sg_hopwatch_run(struct sg_hopwatch *watch);

#endif
