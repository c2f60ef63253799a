/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet that leaves in several copies: what the egress program makes of each. */
#ifndef SEGUE_TESTS_COPIES_H
#define SEGUE_TESTS_COPIES_H

#include "rig.h"

/* The frame as the ingress program stamped it, to be cloned. Fails if it was not redirected. */
void copies_stamp(struct rig *rig, const struct frame_spec *spec, struct frame *stamped);

/* One clone leaves through `nic`: runs the egress program on it. Returns the XDP action. */
int copies_leave(struct rig *rig, const struct frame *stamped, enum kernel_nic nic,
		 struct frame *out);

/*
 * Sends a packet that came to `side` and lets one copy for each path in `mask` leave through that
 * path's NIC, in the order of the slots; checks every copy byte by byte, and that there is no copy
 * more.
 */
void copies_check(struct rig *rig, const struct frame_spec *spec, unsigned side, uint32_t mask);

#endif
