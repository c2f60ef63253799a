/* SPDX-License-Identifier: BSD-2-Clause */
/* A binding of ours at the registrar: made, kept, moved to another network, removed. */
#ifndef SEGUE_UA_REGISTRATION_H
#define SEGUE_UA_REGISTRATION_H

#include "ua.h"

/* 200, or what it failed with. */
typedef void ua_registered_fn(void *context, int status);

/*
 * Registers by that network, and again before it expires. `quality` in thousandths: with ua_id and
 * if_q (PH-1); 0: without. `fn` (may be NULL) hears of the first result.
 */
int ua_registration_start(struct ua_registration **out, struct ua *ua, struct ua_network *network,
			  unsigned quality, ua_registered_fn *fn, void *context);
/* From now on by that network; the former binding goes in the same request (VO-1). */
int ua_registration_move(struct ua_registration *registration, struct ua_network *network,
			 ua_registered_fn *fn, void *context);
/* One REGISTER by `registration` tells that both have swapped their qualities (PH-11). */
int ua_registration_swap(struct ua_registration *registration, struct ua_registration *other);
/* Removes the binding. 0: a request is under way, `fn` will be called. */
int ua_registration_stop(struct ua_registration *registration, ua_registered_fn *fn, void *context);
/* Once more, when its connection is gone; nothing if it was not up, or a request is under way. */
void ua_registration_renew(struct ua_registration *registration);
bool ua_registration_is_up(const struct ua_registration *registration);
struct ua_network *ua_registration_network(const struct ua_registration *registration);
void ua_registration_free(struct ua_registration *registration); /* NULL is fine */

#endif
