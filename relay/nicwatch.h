/* SPDX-License-Identifier: BSD-2-Clause */
/* The NICs with our program: which went down, which vanished, and which returned. */
#ifndef SG_RELAY_NICWATCH_H
#define SG_RELAY_NICWATCH_H

#include "internal.h"
#include "tell.h"

struct sg_nicwatch;

struct sg_nicwatch *sg_nicwatch_open(struct sg_relay *relay, const struct sg_listener *listener);
void sg_nicwatch_close(struct sg_nicwatch *watch);
/* Remembers the NICs as they are attached now, beside those that vanished before. */
void sg_nicwatch_learn(struct sg_nicwatch *watch);
/* Finds out what became of those that are remembered, then learns. */
void sg_nicwatch_check(struct sg_nicwatch *watch);
/*
 * A link changed or appeared. One that vanished with our program on it and is back under its name
 * is attached again; true if so.
 */
bool sg_nicwatch_changed(struct sg_nicwatch *watch, uint32_t ifindex, const char *name);
/* A link is gone: its NIC slot is free. */
void sg_nicwatch_gone(struct sg_nicwatch *watch, uint32_t ifindex);

#endif
