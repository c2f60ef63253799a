/* SPDX-License-Identifier: BSD-2-Clause */
/* Learning a source (DESIGN, section 3): the kernel reports, this decides, stream.c moves the path.
 */
#ifndef SG_RELAY_LEARN_H
#define SG_RELAY_LEARN_H

#include "internal.h"

enum sg_learn {
	SG_LEARN_ACCEPT,
	SG_LEARN_OFF,	   /* the path does not learn */
	SG_LEARN_FAMILY,   /* IPv4 on an IPv6 path or the other way round */
	SG_LEARN_ADDRESS,  /* nothing can be sent to that address or port */
	SG_LEARN_PREFIX,   /* in the window, but outside the signalled prefix */
	SG_LEARN_SILENT,   /* after the window, and nothing was heard whose continuation it could be
			    */
	SG_LEARN_OPAQUE,   /* after the window, and there is no SSRC */
	SG_LEARN_SSRC,	   /* after the window, another SSRC */
	SG_LEARN_SEQUENCE, /* after the window, no continuing sequence */
};

/*
 * May the path's party be at the event's source? Inside the window (until event->time_ns reaches
 * path->until_ns) any source that shares learn_bits with `remote`; afterwards only one that
 * continues what was heard: same SSRC, and ahead by 1 to 2999 (RFC 3550 A.1). `heard`: the path has
 * received media from `remote`.
 */
enum sg_learn sg_learn_decide(const struct sg_path *path, bool heard, const struct sg_event *event);
/* "another SSRC"; NULL for SG_LEARN_ACCEPT. */
const char *sg_learn_text(enum sg_learn verdict);

/*
 * Handles an SG_EVENT_NEW_SOURCE: a stale one does nothing, a good one moves the path. What
 * happened is in `text`: SG_FOLLOW_LEARNED or SG_FOLLOW_REFUSED, or 0 if there is nothing to say.
 */
int sg_learn_source(struct sg_relay *relay, const struct sg_event *event, struct sg_error *text);

#endif
