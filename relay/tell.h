/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the parts of follow.c tell what they saw and did. */
#ifndef SG_RELAY_TELL_H
#define SG_RELAY_TELL_H

#include "internal.h"

struct sg_listener {
	sg_follow_fn *fn;
	void *context;
};

/* Tells it one line. */
__attribute__((format(printf, 3, 4))) void
sg_tell(const struct sg_listener *listener, enum sg_follow_what what, const char *format, ...);

#endif
