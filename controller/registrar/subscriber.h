/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may use us: subscribers by address-of-record, in memory, written through to the store. */
#ifndef SEGUE_REGISTRAR_SUBSCRIBER_H
#define SEGUE_REGISTRAR_SUBSCRIBER_H

#include "registrar/registrar.h"

struct subscribers;

/*
 * Phones give as user name what stands before the '@' of their address, or all of it; the name is
 * part of the hash, so there are two.
 */
struct subscriber {
	struct hash_node node;
	struct digest_ha1 user, whole;
	size_t aor_len;
	char aor[];
};

int subscribers_alloc(struct subscribers **out, struct store *store, struct log *log,
		      const char *realm);
void subscribers_free(struct subscribers *subscribers);
int subscribers_load(struct subscribers *subscribers, struct error *err);
struct subscriber *subscribers_find(const struct subscribers *subscribers, struct str aor);
/* -EEXIST, -EINVAL (no user@domain, or an empty password), -ENOMEM. */
int subscribers_add(struct subscribers *subscribers, struct str aor, struct str password,
		    bool replace, struct error *err);
int subscribers_delete(struct subscribers *subscribers, struct str aor, struct error *err);
void subscribers_each(struct subscribers *subscribers, registrar_subscriber_fn *fn, void *context);

static inline struct str subscriber_aor(const struct subscriber *subscriber)
{
	return (struct str){subscriber->aor, subscriber->aor_len};
}

/* Splits "user@domain" at its last '@': the user may hold others (VO-9). False: there is none. */
bool subscriber_split(struct str aor, struct str *user, struct str *domain);

#endif
