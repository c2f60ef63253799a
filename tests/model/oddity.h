/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What admission meets: the packets as they are built, forged and broken ones among them, and the
 * changes of route and next hops. Private to the generator.
 */
#ifndef SEGUE_TESTS_ODDITY_H
#define SEGUE_TESTS_ODDITY_H

#include "generator.h"

/* Both paths of each side sent to and listened to, media open both ways. */
uint64_t oddity_first_route(void);
/* Now and then a change instead of a packet: fills *item and returns true. */
bool oddity_change(struct generator *generator, struct generator_item *item);
/* The packet that this copy is on arrival; with `admission`, now and then a bad one. */
void oddity_packet(struct generator *generator, const struct generator_flight *copy,
		   struct generator_item *item);

#endif
