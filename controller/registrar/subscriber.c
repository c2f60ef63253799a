// SPDX-License-Identifier: BSD-2-Clause
#include "registrar/subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS (2u * DIGEST_ALGORITHMS)

struct subscribers {
	struct store *store;
	struct log *log;
	const char *realm;
	struct hash_seed seed;
	struct hash table;
};

bool subscriber_split(struct str aor, struct str *user, struct str *domain)
{
	size_t at = aor.n;

	while (at && aor.p[at - 1] != '@')
		at--;
	if (at < 2 || at == aor.n)
		return false;
	*user = (struct str){aor.p, at - 1};
	*domain = (struct str){aor.p + at, aor.n - at};
	return true;
}

struct subscriber *subscribers_find(const struct subscribers *subscribers, struct str aor)
{
	uint64_t key = hash_text(&subscribers->seed, aor);

	for (struct hash_node *node = hash_first(&subscribers->table, key); node;
	     node = hash_next(node)) {
		struct subscriber *subscriber = container_of(node, struct subscriber, node);

		if (str_eq(subscriber_aor(subscriber), aor))
			return subscriber;
	}
	return NULL;
}

static struct subscriber *subscriber_alloc(struct str aor)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber) + aor.n + 1);

	if (!subscriber)
		return NULL;
	subscriber->aor_len = aor.n;
	memcpy(subscriber->aor, aor.p, aor.n);
	return subscriber;
}

static void subscriber_free(struct subscriber *subscriber)
{
	if (!subscriber)
		return;
	explicit_bzero(subscriber, sizeof(*subscriber));
	free(subscriber);
}

/* In the place of the one that was there. */
static void enter(struct subscribers *subscribers, struct subscriber *subscriber)
{
	struct str aor = subscriber_aor(subscriber);
	struct subscriber *before = subscribers_find(subscribers, aor);

	if (before)
		hash_remove(&subscribers->table, &before->node);
	subscriber_free(before);
	hash_add(&subscribers->table, &subscriber->node, hash_text(&subscribers->seed, aor));
}

/* ---- the store's record: the realm, then hashes; "-" where there is none ------------------------
 */

static char *field_of(struct subscriber *subscriber, unsigned field)
{
	struct digest_ha1 *ha1 = field < DIGEST_ALGORITHMS ? &subscriber->user : &subscriber->whole;

	return ha1->hex[field % DIGEST_ALGORITHMS];
}

static void write_record(struct buf *out, struct subscriber *subscriber, const char *realm)
{
	buf_add(out, str_of(realm));
	for (unsigned i = 0; i < FIELDS; i++) {
		const char *hex = field_of(subscriber, i);

		buf_add_char(out, ' ');
		buf_add(out, str_of(hex[0] ? hex : "-"));
	}
}

static bool read_record(struct subscriber *subscriber, struct str record)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		struct str hex;

		if (!str_split(&record, ' ', &hex) || hex.n >= DIGEST_HEX_LEN)
			return false;
		if (!str_eq(hex, STR("-")))
			memcpy(field_of(subscriber, i), hex.p, hex.n);
	}
	return true;
}

struct load {
	struct subscribers *subscribers;
	size_t strangers; /* of another realm, or malformed */
	int error;
};

static int load_one(void *context, struct str aor, struct str record)
{
	struct load *load = context;
	struct subscriber *subscriber = subscriber_alloc(aor);
	struct str realm;

	if (!subscriber) {
		load->error = -ENOMEM;
		return 1;
	}
	if (str_split(&record, ' ', &realm) && str_eq(realm, str_of(load->subscribers->realm)) &&
	    read_record(subscriber, record)) {
		enter(load->subscribers, subscriber);
		return 0;
	}
	load->strangers++;
	subscriber_free(subscriber);
	return 0;
}

int subscribers_load(struct subscribers *subscribers, struct error *err)
{
	struct load load = {.subscribers = subscribers};
	int error = store_each(subscribers->store, "subscriber", load_one, &load, err);

	if (!error && load.error)
		error = error_set(err, load.error, "subscribers: out of memory");
	if (load.strangers)
		log_warning(
			subscribers->log, NULL,
			"%zu subscribers cannot log in: their passwords were set while the first "
			"domain was another than %s; set them again",
			load.strangers, subscribers->realm);
	return error;
}

/* ---- the operator's verbs ---------------------------------------------------------------------
 */

static bool is_good_user(struct str user)
{
	for (size_t i = 0; i < user.n; i++) {
		/* A colon would end the name inside the hash (RFC 7616 3.4.2). */
		if ((unsigned char)user.p[i] <= ' ' || strchr("\x7f:\"\\<>", user.p[i]))
			return false;
	}
	return user.n;
}

int subscribers_add(struct subscribers *subscribers, struct str aor, struct str password,
		    bool replace, struct error *err)
{
	struct str user, domain, realm = str_of(subscribers->realm);
	struct subscriber *subscriber;
	struct buf record = BUF_EMPTY;
	int error;

	if (!subscriber_split(aor, &user, &domain) || !is_good_user(user))
		return error_set(err, -EINVAL, "subscriber \"%.*s\": write user@domain",
				 STR_ARG(aor));
	if (!password.n)
		return error_set(err, -EINVAL, "subscriber %.*s: an empty password is none",
				 STR_ARG(aor));
	if (!replace && subscribers_find(subscribers, aor))
		return error_set(err, -EEXIST, "subscriber %.*s: exists already", STR_ARG(aor));
	subscriber = subscriber_alloc(aor);
	error = subscriber ? digest_ha1(&subscriber->user, user, realm, password) : -ENOMEM;
	if (!error)
		error = digest_ha1(&subscriber->whole, aor, realm, password);
	if (!error)
		write_record(&record, subscriber, subscribers->realm);
	if (!error)
		error = buf_error(&record);
	if (!error)
		error = store_put(subscribers->store, "subscriber", aor, buf_str(&record));
	if (error) {
		subscriber_free(subscriber);
		error_set(err, error, "subscriber %.*s: cannot be stored: %s", STR_ARG(aor),
			  strerror(-error));
	} else {
		enter(subscribers, subscriber);
	}
	buf_free(&record);
	return error;
}

int subscribers_delete(struct subscribers *subscribers, struct str aor, struct error *err)
{
	struct subscriber *subscriber = subscribers_find(subscribers, aor);
	int error;

	if (!subscriber)
		return error_set(err, -ENOENT, "subscriber %.*s: there is none", STR_ARG(aor));
	error = store_delete(subscribers->store, "subscriber", aor);
	if (error)
		return error_set(err, error,
				 "subscriber %.*s: cannot be deleted from the store: %s",
				 STR_ARG(aor), strerror(-error));
	hash_remove(&subscribers->table, &subscriber->node);
	subscriber_free(subscriber);
	return 0;
}

void subscribers_each(struct subscribers *subscribers, registrar_subscriber_fn *fn, void *context)
{
	struct hash_node *node, *next;
	size_t cursor = 0;

	for (node = hash_walk(&subscribers->table, &cursor, NULL); node;
	     node = hash_walk(&subscribers->table, &cursor, next)) {
		next = node->next;
		if (fn(context, subscriber_aor(container_of(node, struct subscriber, node))))
			return;
	}
}

/* ---- all of them ------------------------------------------------------------------------------
 */

int subscribers_alloc(struct subscribers **out, struct store *store, struct log *log,
		      const char *realm)
{
	struct subscribers *subscribers = calloc(1, sizeof(*subscribers));
	int error = subscribers ? hash_seed_make(&subscribers->seed) : -ENOMEM;

	if (!error)
		error = hash_init(&subscribers->table);
	if (error) {
		free(subscribers);
		return error;
	}
	subscribers->store = store;
	subscribers->log = log;
	subscribers->realm = realm;
	*out = subscribers;
	return 0;
}

void subscribers_free(struct subscribers *subscribers)
{
	struct hash_node *node, *next;
	size_t cursor = 0;

	if (!subscribers)
		return;
	for (node = hash_walk(&subscribers->table, &cursor, NULL); node;
	     node = hash_walk(&subscribers->table, &cursor, next)) {
		next = node->next;
		subscriber_free(container_of(node, struct subscriber, node));
	}
	hash_free(&subscribers->table);
	free(subscribers);
}
