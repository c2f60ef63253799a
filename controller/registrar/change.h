/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One change of a user's bindings, all or nothing (RFC 3261 10.3, step 7): what will stand after it
 * is put together beside what stands, and then takes its place without a way to fail.
 */
#ifndef SEGUE_LOCATION_CHANGE_H
#define SEGUE_LOCATION_CHANGE_H

#include "registrar/location_private.h"

struct location_change {
	struct location *location;
	struct location_user *user;
	size_t count, added;
	struct location_entry *after[LOCATION_BINDINGS];
};

/* Starts with the bindings as they are. 0 or -ENOMEM. */
int location_change_begin(struct location_change *change, struct location *location,
			  struct str aor);
/*
 * Puts a new binding in the place of after[at]; at == count: beside them. -ENOSPC when the user has
 * LOCATION_BINDINGS, -ENOBUFS when all have LOCATION_MOST, -ENOMEM.
 */
int location_change_set(struct location_change *change, size_t at,
			const struct location_draft *draft);
void location_change_remove(struct location_change *change, size_t at);
/* Each change ends with one of these. */
void location_change_commit(struct location_change *change);
void location_change_abandon(struct location_change *change);

#endif
