// SPDX-License-Identifier: BSD-2-Clause
/* What a dialog is and how it is found. What it learns: dialog_learn.c; what it sends:
 * dialog_send.c. */
#include "sip/dialog_private.h"

#include <errno.h>
#include <stdlib.h>

struct sip_dialogs {
	struct hash table;
	struct hash_seed seed;
};

int sip_dialogs_alloc(struct sip_dialogs **out)
{
	struct sip_dialogs *dialogs = calloc(1, sizeof(*dialogs));
	int ret;

	if (!dialogs)
		return -ENOMEM;
	ret = hash_seed_make(&dialogs->seed);
	if (!ret)
		ret = hash_init(&dialogs->table);
	if (ret)
		free(dialogs);
	else
		*out = dialogs;
	return ret;
}

void sip_dialogs_free(struct sip_dialogs *dialogs)
{
	if (!dialogs)
		return;
	hash_free(&dialogs->table);
	free(dialogs);
}

size_t sip_dialogs_count(const struct sip_dialogs *dialogs)
{
	return dialogs->table.count;
}

/* The remote tag is no part of it: it comes later, and forks differ in nothing else. */
static uint64_t key_of(const struct sip_dialogs *dialogs, struct str call_id, struct str local_tag)
{
	return hash_more(&dialogs->seed, hash_text(&dialogs->seed, call_id), local_tag);
}

struct sip_dialog *dialog_new(struct sip_dialogs *dialogs)
{
	struct sip_dialog *dialog = calloc(1, sizeof(*dialog));

	if (dialog)
		dialog->dialogs = dialogs;
	return dialog;
}

int dialog_set(char **text, struct str value)
{
	char *copy = str_dup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

void dialog_enter(struct sip_dialog *dialog)
{
	hash_add(&dialog->dialogs->table, &dialog->node,
		 key_of(dialog->dialogs, str_of(dialog->call_id), str_of(dialog->local_tag)));
}

int sip_dialog_create(struct sip_dialog **out, struct sip_dialogs *dialogs, struct str call_id,
		      struct str local_tag, struct str local_uri, struct str remote_uri,
		      struct str target)
{
	struct sip_dialog *dialog = dialog_new(dialogs);

	if (!dialog)
		return -ENOMEM;
	if (dialog_set(&dialog->call_id, call_id) || dialog_set(&dialog->local_tag, local_tag) ||
	    dialog_set(&dialog->local_uri, local_uri) ||
	    dialog_set(&dialog->remote_uri, remote_uri) || dialog_set(&dialog->target, target) ||
	    dialog_set(&dialog->remote_tag, STR("")) || dialog_set(&dialog->routes, STR(""))) {
		sip_dialog_free(dialog);
		return -ENOMEM;
	}
	dialog_enter(dialog);
	*out = dialog;
	return 0;
}

void sip_dialog_free(struct sip_dialog *dialog)
{
	if (!dialog)
		return;
	hash_remove(&dialog->dialogs->table, &dialog->node);
	free(dialog->call_id);
	free(dialog->local_tag);
	free(dialog->remote_tag);
	free(dialog->local_uri);
	free(dialog->remote_uri);
	free(dialog->target);
	free(dialog->routes);
	free(dialog);
}

static struct sip_dialog *find(const struct sip_dialogs *dialogs, struct str call_id,
			       struct str local_tag, struct str remote_tag, bool any)
{
	struct hash_node *node = hash_first(&dialogs->table, key_of(dialogs, call_id, local_tag));

	for (; node; node = hash_next(node)) {
		struct sip_dialog *dialog = container_of(node, struct sip_dialog, node);

		if (str_eq(str_of(dialog->call_id), call_id) &&
		    str_eq(str_of(dialog->local_tag), local_tag) &&
		    (any || str_eq(str_of(dialog->remote_tag), remote_tag)))
			return dialog;
	}
	return NULL;
}

struct sip_dialog *sip_dialog_find(const struct sip_dialogs *dialogs, struct str call_id,
				   struct str local_tag, struct str remote_tag)
{
	return find(dialogs, call_id, local_tag, remote_tag, !remote_tag.n);
}

struct sip_dialog *sip_dialog_of(const struct sip_dialogs *dialogs,
				 const struct sip_message *message)
{
	struct str local = message->status ? message->from_tag : message->to_tag;
	struct str remote = message->status ? message->to_tag : message->from_tag;
	struct sip_dialog *dialog;

	if (!local.n)
		return NULL;
	dialog = find(dialogs, message->call_id, local, remote, false);
	/* One that has not heard of its peer yet: a NOTIFY may be faster than the 2xx (RFC 6665
	 * 4.4.1). */
	return dialog ? dialog : find(dialogs, message->call_id, local, STR(""), false);
}
