/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of the signalling for Homer, sngrep and their like: HEP version 3 over UDP
 * (github.com/sipcapture/HEP: HEP3_rev12). The id of the call is the correlation id, so that both
 * sides and all legs of a call are found together. Copies never wait: what the socket does not take
 * is counted, and said once.
 */
#ifndef SEGUE_OPS_HEP_H
#define SEGUE_OPS_HEP_H

#include "call/call.h"

struct hep;
struct event_base;

/* To `to`, as the capture agent `agent`. The calls must outlive *out. */
int hep_alloc(struct hep **out, struct event_base *base, struct log *log, struct calls *calls,
	      const struct netaddr *to, unsigned agent, struct error *err);
void hep_free(struct hep *hep); /* NULL is fine */

/* `call`: the id of its call, empty where there is none yet. `hep` NULL: nothing. */
void hep_copy(struct hep *hep, const struct sip_seen *seen, struct str call);

struct hep_stats {
	uint64_t sent, lost;
};
void hep_stats(const struct hep *hep, struct hep_stats *out); /* NULL: zeros */

#endif
