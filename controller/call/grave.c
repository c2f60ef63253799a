// SPDX-License-Identifier: BSD-2-Clause
/*
 * Dialogs that are over, remembered by a hash of their identifiers: whoever wants to hand one over
 * is told 603 and not 481 (RFC 3891 3, HH-3). A ring: the oldest makes room.
 */
#include <errno.h>
#include <stdlib.h>

#include "call/handover.h"

#define GRAVES 4096u /* a minute and more at 30 ended calls a second */

struct grave {
	struct hash_node node;
	bool used;
};

struct graves {
	struct hash_seed seed;
	struct hash table;
	unsigned next;
	struct grave grave[GRAVES];
};

int graves_alloc(struct graves **out, const struct hash_seed *seed)
{
	struct graves *graves = calloc(1, sizeof(*graves));
	int ret = graves ? hash_init(&graves->table) : -ENOMEM;

	if (ret) {
		free(graves);
		return ret;
	}
	graves->seed = *seed;
	*out = graves;
	return 0;
}

void graves_free(struct graves *graves)
{
	if (!graves)
		return;
	hash_free(&graves->table);
	free(graves);
}

static uint64_t key_of(const struct graves *graves, struct str call_id, struct str local_tag,
		       struct str remote_tag)
{
	uint64_t key = hash_text(&graves->seed, call_id);

	key = hash_more(&graves->seed, key, local_tag);
	return hash_more(&graves->seed, key, remote_tag);
}

void grave_dig(struct graves *graves, const struct sip_dialog *dialog)
{
	struct grave *grave = &graves->grave[graves->next++ % GRAVES];

	if (grave->used)
		hash_remove(&graves->table, &grave->node);
	grave->used = true;
	hash_add(&graves->table, &grave->node,
		 key_of(graves, str_of(dialog->call_id), str_of(dialog->local_tag),
			str_of(dialog->remote_tag)));
}

bool grave_find(struct graves *graves, struct str call_id, struct str local_tag,
		struct str remote_tag)
{
	return hash_first(&graves->table, key_of(graves, call_id, local_tag, remote_tag)) != NULL;
}
