/* SPDX-License-Identifier: BSD-2-Clause */
/* The arrays for who may read the maps but not map them into memory. */
#ifndef SG_RELAY_SNAPSHOT_H
#define SG_RELAY_SNAPSHOT_H

#include "internal.h"

/* Bytes of one array in memory, in whole pages. */
size_t sg_maps_bytes(const struct sg_relay *relay, enum sg_map map);
/*
 * Fills the handle's arrays with copies, as sg_maps_mmap() maps them: of streams that there are,
 * and of ports of addresses that are in use. They stay as they were at this moment. 0 or a negative
 * errno; sg_maps_close() lets them go either way.
 */
int sg_snapshot_take(struct sg_relay *relay);

#endif
