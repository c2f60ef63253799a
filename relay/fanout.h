/* SPDX-License-Identifier: BSD-2-Clause */
/* What reroute.c needs of fanout.c beyond internal.h. */
#ifndef SG_RELAY_FANOUT_H
#define SG_RELAY_FANOUT_H

#include "internal.h"

/*
 * As sg_fanout_ensure(), for NIC slots: a next hop that will move to another NIC is not there yet.
 * Slots without a NIC are passed over: no copy leaves through them.
 */
int sg_fanout_ensure_nics(struct sg_relay *relay, const uint8_t *nic, unsigned count,
			  struct sg_error *err);

#endif
