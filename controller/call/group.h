/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which contacts of one user are tried together, and what their answers come to: the same rules for
 * calls, transfers, and requests outside dialogs (RFC 3261 16.6, 16.7; SG-21, SG-22, PH-3).
 */
#ifndef SEGUE_CALL_GROUP_H
#define SEGUE_CALL_GROUP_H

#include "call/internal.h"

/*
 * Those of the highest q of all that are still to be tried; they count as tried from here on. The
 * indexes go to `index`. Returns how many; 0: nobody is left.
 */
size_t group_next(struct target *target, size_t count, size_t index[CALL_TARGETS]);
bool group_has_more(const struct target *target, size_t count);
/* The contact answered with that status, or did not (408, 503). */
void group_refused(struct target *target, int status);

/* A final answer that is no 2xx. `message` may be NULL. */
void group_judge(struct group_best *best, int status, struct sip_message *message);

#endif
