/* SPDX-License-Identifier: BSD-2-Clause */
/* A line for each packet, as the tools that draw and count packets read them. */
#ifndef SEGUE_UA_PACKETLOG_H
#define SEGUE_UA_PACKETLOG_H

#include "base/error.h"
#include "rtp.h"

struct ua_packetlog;

/* `path` NULL: a log that keeps nothing. */
int ua_packetlog_open(struct ua_packetlog **out, const char *path, struct error *err);
void ua_packetlog_close(struct ua_packetlog *log);
/* `network`: its number; -1: sent to nobody. */
void ua_packetlog_sent(struct ua_packetlog *log, uint64_t now_us, int network,
		       const struct rtp *rtp);
void ua_packetlog_received(struct ua_packetlog *log, uint64_t now_us, int network,
			   const struct rtp *rtp);
/* What happened meanwhile: one line of text, no comma in it. */
void ua_packetlog_note(struct ua_packetlog *log, uint64_t now_us, const char *note);

#endif
