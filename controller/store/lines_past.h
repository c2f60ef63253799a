/* SPDX-License-Identifier: BSD-2-Clause */
/* The last lines of a file of CDRs: which records have reached it. */
#ifndef SEGUE_STORE_LINES_PAST_H
#define SEGUE_STORE_LINES_PAST_H

#include <stdbool.h>

#include "base/log.h"
#include "base/str.h"

struct lines_past {
	char *text;
	size_t n;
};

/*
 * Of that file, or, if it is empty, of the newest one that was set aside (FILE.*). Half a line at
 * its end, which a crash left, is taken back. What cannot be read is empty.
 */
void lines_past_read(struct lines_past *out, const char *file, struct log *log);
void lines_past_free(struct lines_past *past);
/* Whether a line for the same call is there. */
bool lines_past_has(const struct lines_past *past, struct str line);

#endif
