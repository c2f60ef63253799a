/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel said about routes, links and neighbours, remembered until it says that it may
 * have changed: a handle that is held for long asks about the same gateways thousands of times a
 * second. A handle without such a memory (relay->answers is NULL) asks each time.
 *
 * Whoever is about to use answers first reads the notifications that have come (catches up), so
 * that none is older than that, except by what the kernel does not notify (an ICMP redirect, say):
 * for that reason an answer is asked for again after a second.
 */
#ifndef SG_RELAY_ANSWERS_H
#define SG_RELAY_ANSWERS_H

#include "netlink.h"

struct sg_answers;

int sg_answers_open(struct sg_answers **out, struct sg_error *err);
void sg_answers_close(struct sg_answers *answers); /* NULL is fine */

void sg_answers_catch_up(struct sg_answers *answers); /* NULL is fine, here and below */
/* For who was told elsewhere that something changed: that may not have been said here yet. */
void sg_answers_forget(struct sg_answers *answers);

/* Like sg_netlink_route(), sg_netlink_link() and sg_netlink_neighbour(). */
int sg_answer_route(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		    struct sg_route *out);
int sg_answer_link(struct sg_relay *relay, uint32_t ifindex, struct sg_link *out);
int sg_answer_neighbour(struct sg_relay *relay, uint32_t ifindex, const uint8_t addr[16],
			struct sg_neighbour *out);

#endif
