/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows our networks by netlink: is the address there, has the link a carrier? With --follow, the
 * call (or the registration) is always on the first network that is up, in the order of --via
 * (HH-21).
 */
#ifndef SEGUE_UA_FOLLOW_H
#define SEGUE_UA_FOLLOW_H

#include "ua.h"

struct ua_follow;

int ua_follow_open(struct ua_follow **out, struct ua *ua, struct error *err);
void ua_follow_close(struct ua_follow *follow); /* NULL is fine */

#endif
