/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SIP of one call, as it passes the stack: a packet socket that hears our SIP addresses alone,
 * of which what names one of the call's Call-IDs is kept. Of TCP and TLS, which cannot be read
 * packet by packet, all of the connections of the call's parties.
 */
#ifndef SEGUE_TOOL_CAPTURE_SIP_H
#define SEGUE_TOOL_CAPTURE_SIP_H

#include <jansson.h>

#include "pcapng.h"

struct capture_sip;

/* 0 or a negative errno (-EPERM: it takes CAP_NET_RAW). */
int capture_sip_open(struct capture_sip **out);
/* A member of the "parties" of `segue call show`; once more does no harm. */
void capture_sip_add(struct capture_sip *sip, const json_t *party);
/* The next frame of the call that has come by now, lent until the next call. False: there is none.
 */
bool capture_sip_next(struct capture_sip *sip, struct pcapng_frame *out);
/* What the socket had no room for. */
uint64_t capture_sip_lost(struct capture_sip *sip);
void capture_sip_close(struct capture_sip *sip);

#endif
