/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells that links, addresses or routes of this machine have changed; what changed one looks up. */
#ifndef SEGUE_CALL_MEDIA_LINKS_H
#define SEGUE_CALL_MEDIA_LINKS_H

#include "base/error.h"
#include "base/timer.h"

struct media_links;

/* fn is called from the loop, a moment after the last of a burst of changes. */
int media_links_alloc(struct media_links **out, struct event_base *base, struct wheel *wheel,
		      timer_fn *fn, void *context, struct error *err);
void media_links_free(struct media_links *links);

#endif
