/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes in, each packet once: the first copy of it is taken (by the window that the relay
 * uses), counted and recorded at its place.
 */
#ifndef SEGUE_UA_RECEIVER_H
#define SEGUE_UA_RECEIVER_H

#include <jansson.h>

#include "base/error.h"
#include "g711.h"
#include "rtp.h"

struct ua_receiver;

/* `record` NULL: nothing is recorded. */
int ua_receiver_alloc(struct ua_receiver **out, const char *record, struct error *err);
/* Completes the recording. */
void ua_receiver_free(struct ua_receiver *receiver);
/* True: the first of its kind. `law` is what the payload is coded by. */
bool ua_receiver_take(struct ua_receiver *receiver, const struct rtp *rtp, enum g711_law law,
		      uint64_t now_us);
/* Is it of the source that is being listened to? */
bool ua_receiver_knows(const struct ua_receiver *receiver, uint32_t ssrc);
/* A new object; NULL: out of memory. */
json_t *ua_receiver_report(const struct ua_receiver *receiver);

#endif
