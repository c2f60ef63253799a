/* SPDX-License-Identifier: BSD-2-Clause */
/* The place of the event ring's one consumer. */
#ifndef SG_RELAY_EVENTS_H
#define SG_RELAY_EVENTS_H

#include "internal.h"

/*
 * Takes the consumer's place until sg_events_leave() or the end of the process. -EBUSY while
 * another process (or handle) has it. A place is a lock on a file of /run/segue named after the pin
 * directory's device and inode: pins themselves cannot be opened, and the directory's own lock is
 * the writers'.
 */
int sg_events_place(const struct sg_relay *relay, struct sg_error *err);
/* Lets a user take it, who may not write in /run. */
int sg_events_share(const struct sg_relay *relay, uid_t user, gid_t group, struct sg_error *err);
/* Leaves it: the file goes too. A negative `place` is fine. */
void sg_events_leave(int place);

#endif
