// SPDX-License-Identifier: BSD-2-Clause
#include "registrar/change.h"

#include <errno.h>
#include <stdlib.h>

int location_change_begin(struct location_change *change, struct location *location, struct str aor)
{
	struct location_user *user = location_user_find(location, aor);

	*change = (struct location_change){.location = location};
	change->user = user ? user : location_user_alloc(aor);
	if (!change->user)
		return -ENOMEM;
	for (struct list *node = change->user->bindings.next; node != &change->user->bindings;
	     node = node->next)
		change->after[change->count++] = location_entry_of(node);
	return 0;
}

/* Drops it from the plan; one that was made for the plan is gone with that. */
static void drop(struct location_entry *entry)
{
	if (!entry->user)
		free(entry);
}

int location_change_set(struct location_change *change, size_t at,
			const struct location_draft *draft)
{
	struct location_entry *entry;

	if (at == LOCATION_BINDINGS)
		return -ENOSPC;
	if (at == change->count && change->location->count + change->added >= LOCATION_MOST)
		return -ENOBUFS;
	entry = location_entry_alloc(draft);
	if (!entry)
		return -ENOMEM;
	if (at < change->count) {
		drop(change->after[at]);
	} else {
		change->count++;
		change->added++;
	}
	change->after[at] = entry;
	return 0;
}

void location_change_remove(struct location_change *change, size_t at)
{
	drop(change->after[at]);
	change->count--;
	for (size_t i = at; i < change->count; i++)
		change->after[i] = change->after[i + 1];
}

void location_change_commit(struct location_change *change)
{
	struct location_user *user = change->user;

	for (size_t i = 0; i < change->count; i++)
		change->after[i]->kept = true;
	list_for_each(node, next, &user->bindings)
	{
		if (!location_entry_of(node)->kept)
			location_detach(change->location, location_entry_of(node));
	}
	for (size_t i = 0; i < change->count; i++) {
		change->after[i]->kept = false;
		if (!change->after[i]->user)
			location_attach(change->location, user, change->after[i]);
	}
	location_settle(change->location, user);
}

void location_change_abandon(struct location_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		drop(change->after[i]);
	if (!change->user->location)
		free(change->user);
}
