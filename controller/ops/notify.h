/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd is told of us (sd_notify(3)): ready, reloading, stopping, and that the event loop
 * still turns. Where nobody asked ($NOTIFY_SOCKET is missing) all of it does nothing.
 */
#ifndef SEGUE_OPS_NOTIFY_H
#define SEGUE_OPS_NOTIFY_H

#include "base/error.h"
#include "base/log.h"
#include "base/timer.h"

struct notify;

/* With $WATCHDOG_USEC, tells twice in that time that the wheel turns. */
int notify_alloc(struct notify **out, struct wheel *wheel, struct log *log, struct error *err);
void notify_free(struct notify *notify); /* NULL is fine */

/* Also the end of a reload. The sentence is what `systemctl status` shows. */
void notify_ready(struct notify *notify, const char *sentence);
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify, const char *sentence);

#endif
