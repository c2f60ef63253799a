/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of the pins. */
#ifndef SG_RELAY_PINS_H
#define SG_RELAY_PINS_H

#include "internal.h"

/* What a user without the rights to load it puts on a NIC that returns (share.c). */
#define SG_ENTRY_PIN "sg_entry_" SG_MAP_VERSION
#define SG_EGRESS_PIN "sg_egress_" SG_MAP_VERSION

/* Path of a pin: pin_dir/NAME. */
void sg_pin_path(const struct sg_relay *relay, const char *name, char *out, size_t size);
/*
 * Makes pin_dir where it is missing, the default one with the hierarchy that `ip link` makes too
 * (FACTS: tc is the directory, xdp a link to it). -ENODEV if no bpffs is mounted there.
 */
int sg_pins_make(const struct sg_relay *relay, struct sg_error *err);
/* 0 if pin_dir exists on a bpffs; -ENOENT, -ENODEV, -EPERM. */
int sg_pins_check(const struct sg_relay *relay, struct sg_error *err);
/* Removes the pins of the maps and of the egress program, and what directories that leaves empty.
 */
int sg_pins_remove(const struct sg_relay *relay, struct sg_error *err);
/* Removes pin_dir and the hierarchy above it as far as they are empty. */
void sg_pins_tidy(const struct sg_relay *relay);

#endif
