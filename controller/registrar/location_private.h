/* SPDX-License-Identifier: BSD-2-Clause */
/* What location.c, change.c and record.c share. */
#ifndef SEGUE_LOCATION_PRIVATE_H
#define SEGUE_LOCATION_PRIVATE_H

#include "base/buf.h"
#include "registrar/location.h"

struct location {
	struct wheel *wheel;
	struct store *store;
	struct log *log;
	struct hash_seed seed;
	struct hash users; /* by address-of-record */
	struct hash flows; /* entries that came over a connection, by its number */
	size_t count;	   /* entries */
	struct buf text;   /* for records */
};

/* An address-of-record that has bindings. */
struct location_user {
	struct hash_node node;
	struct location *location; /* NULL: not in its table yet */
	struct list bindings;	   /* struct location_entry, in the order of their coming */
	size_t count;
	size_t aor_len;
	char aor[];
};

struct location_entry {
	struct binding binding;
	struct location_user *user; /* NULL until committed */
	struct timer expiry;
	struct hash_node by_flow;
	bool kept; /* while a change is committed */
	char text[];
};

/* A binding before it has memory of its own: all texts are copied by location_entry_alloc(). */
struct location_draft {
	struct str contact, params, path, call_id, instance;
	uint32_t cseq, reg_id;
	unsigned q, if_q;
	bool has_ua_id, use_flow, flow_only;
	struct sip_flow flow;
	uint64_t expires_ms, changed_ms;
};

static inline struct location_entry *location_entry_of(struct list *node)
{
	return container_of(node, struct location_entry, binding.node);
}

static inline struct str location_user_aor(const struct location_user *user)
{
	return (struct str){user->aor, user->aor_len};
}

/* NULL: out of memory. */
struct location_entry *location_entry_alloc(const struct location_draft *draft);
struct location_user *location_user_alloc(struct str aor);
struct location_user *location_user_find(const struct location *location, struct str aor);
/* Into the user's list, the tables, and under its timer. The user is added with its first. */
void location_attach(struct location *location, struct location_user *user,
		     struct location_entry *entry);
/* Out of all that, and freed; the user stays, perhaps empty. */
void location_detach(struct location *location, struct location_entry *entry);
/* After changes: writes the user's record, or deletes it (and frees the user) where it is empty. */
void location_settle(struct location *location, struct location_user *user);

/* ---- record.c: a user's bindings as one text ----------------------------------------------------
 */

void location_record_write(struct buf *out, const struct location_user *user);
/*
 * Takes the first binding off `record`; its texts point into it. False at the end, or when it is
 * malformed (then record->n is not 0).
 */
bool location_record_read(struct str *record, struct location_draft *out);

#endif
