// SPDX-License-Identifier: BSD-2-Clause
#include "registrar/location.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "registrar/location_private.h"

/* ---- entries and users ------------------------------------------------------------------------
 */

static char *place(char **to, struct str text)
{
	char *start = *to;

	if (text.n)
		memcpy(start, text.p, text.n);
	start[text.n] = '\0';
	*to += text.n + 1;
	return start;
}

struct location_entry *location_entry_alloc(const struct location_draft *draft)
{
	size_t size = draft->contact.n + draft->params.n + draft->path.n + draft->call_id.n +
		      draft->instance.n + 5;
	struct location_entry *entry = malloc(sizeof(*entry) + size);
	char *to;

	if (!entry)
		return NULL;
	memset(entry, 0, sizeof(*entry));
	to = entry->text;
	entry->binding = (struct binding){
		.contact = place(&to, draft->contact),
		.params = place(&to, draft->params),
		.path = place(&to, draft->path),
		.call_id = place(&to, draft->call_id),
		.instance = place(&to, draft->instance),
		.cseq = draft->cseq,
		.reg_id = draft->reg_id,
		.q = draft->q,
		.if_q = draft->if_q,
		.has_ua_id = draft->has_ua_id,
		.flow = draft->flow,
		.use_flow = draft->use_flow,
		.flow_only = draft->flow_only,
		.expires_ms = draft->expires_ms,
		.changed_ms = draft->changed_ms,
	};
	return entry;
}

struct location_user *location_user_alloc(struct str aor)
{
	struct location_user *user = malloc(sizeof(*user) + aor.n + 1);

	if (!user)
		return NULL;
	memset(user, 0, sizeof(*user));
	list_init(&user->bindings);
	user->aor_len = aor.n;
	memcpy(user->aor, aor.p, aor.n);
	user->aor[aor.n] = '\0';
	return user;
}

struct location_user *location_user_find(const struct location *location, struct str aor)
{
	uint64_t key = hash_text(&location->seed, aor);

	for (struct hash_node *node = hash_first(&location->users, key); node;
	     node = hash_next(node)) {
		struct location_user *user = container_of(node, struct location_user, node);

		if (str_eq(location_user_aor(user), aor))
			return user;
	}
	return NULL;
}

static void expire(void *context)
{
	struct location_entry *entry = context;
	struct location_user *user = entry->user;
	struct location *location = user->location;
	uint64_t now = wheel_now_ms();

	if (entry->binding.expires_ms > now) { /* longer than a timer can be */
		timer_start(location->wheel, &entry->expiry, entry->binding.expires_ms - now,
			    expire, entry);
		return;
	}
	log_debug(location->log, NULL, "%s: %s expired", user->aor, entry->binding.contact);
	location_detach(location, entry);
	location_settle(location, user);
}

void location_attach(struct location *location, struct location_user *user,
		     struct location_entry *entry)
{
	uint64_t now = wheel_now_ms(), expires = entry->binding.expires_ms;

	if (!user->location) {
		user->location = location;
		hash_add(&location->users, &user->node,
			 hash_text(&location->seed, location_user_aor(user)));
	}
	entry->user = user;
	list_append(&user->bindings, &entry->binding.node);
	user->count++;
	location->count++;
	if (entry->binding.flow.conn)
		hash_add(&location->flows, &entry->by_flow, entry->binding.flow.conn);
	timer_start(location->wheel, &entry->expiry, expires > now ? expires - now : 0, expire,
		    entry);
}

static void forget_flow(struct location *location, struct location_entry *entry)
{
	if (entry->binding.flow.conn)
		hash_remove(&location->flows, &entry->by_flow);
	entry->binding.flow.conn = 0;
}

void location_detach(struct location *location, struct location_entry *entry)
{
	timer_stop(&entry->expiry);
	forget_flow(location, entry);
	list_remove(&entry->binding.node);
	entry->user->count--;
	location->count--;
	free(entry);
}

void location_settle(struct location *location, struct location_user *user)
{
	struct str aor = location_user_aor(user);

	if (user->count) {
		buf_reset(&location->text);
		location_record_write(&location->text, user);
		/* What the store does not take, it counts and says itself: service goes on. */
		if (!buf_error(&location->text))
			store_put(location->store, "binding", aor, buf_str(&location->text));
		return;
	}
	store_delete(location->store, "binding", aor);
	if (user->location)
		hash_remove(&location->users, &user->node);
	free(user);
}

/* ---- the location -----------------------------------------------------------------------------
 */

int location_alloc(struct location **out, struct wheel *wheel, struct store *store, struct log *log)
{
	struct location *location = calloc(1, sizeof(*location));
	int error = location ? hash_seed_make(&location->seed) : -ENOMEM;

	if (!error)
		error = hash_init(&location->users);
	if (!error)
		error = hash_init(&location->flows);
	if (error) {
		location_free(location);
		return error;
	}
	location->wheel = wheel;
	location->store = store;
	location->log = log;
	*out = location;
	return 0;
}

static void user_free(struct location *location, struct location_user *user)
{
	list_for_each(node, after, &user->bindings)
		location_detach(location, location_entry_of(node));
	hash_remove(&location->users, &user->node);
	free(user);
}

void location_free(struct location *location)
{
	struct hash_node *node, *next;
	size_t cursor = 0;

	if (!location)
		return;
	for (node = location->users.bucket ? hash_walk(&location->users, &cursor, NULL) : NULL;
	     node; node = hash_walk(&location->users, &cursor, next)) {
		next = node->next;
		user_free(location, container_of(node, struct location_user, node));
	}
	hash_free(&location->users);
	hash_free(&location->flows);
	buf_free(&location->text);
	free(location);
}

size_t location_count(const struct location *location)
{
	return location->count;
}

void location_each(struct location *location, location_fn *fn, void *context)
{
	struct hash_node *node, *next;
	size_t cursor = 0;

	for (node = hash_walk(&location->users, &cursor, NULL); node;
	     node = hash_walk(&location->users, &cursor, next)) {
		struct location_user *user = container_of(node, struct location_user, node);

		next = node->next;
		list_for_each(at, after, &user->bindings)
		{
			if (fn(context, location_user_aor(user), &location_entry_of(at)->binding))
				return;
		}
	}
}

size_t location_remove(struct location *location, struct str aor, struct str contact)
{
	struct location_user *user = location_user_find(location, aor);
	size_t removed = 0;

	if (!user)
		return 0;
	list_for_each(node, after, &user->bindings)
	{
		struct location_entry *entry = location_entry_of(node);

		if (contact.n && !str_eq(contact, str_of(entry->binding.contact)))
			continue;
		location_detach(location, entry);
		removed++;
	}
	if (removed)
		location_settle(location, user);
	return removed;
}

void location_closed(struct location *location, const struct sip_flow *flow)
{
	struct hash_node *node = flow->conn ? hash_first(&location->flows, flow->conn) : NULL;

	for (struct hash_node *next; node; node = next) {
		struct location_entry *entry = container_of(node, struct location_entry, by_flow);
		struct location_user *user = entry->user;

		next = hash_next(node);
		if (entry->binding.flow_only) {
			log_debug(location->log, NULL, "%s: %s left with its connection", user->aor,
				  entry->binding.contact);
			location_detach(location, entry);
		} else { /* its Contact says where else it can be reached */
			forget_flow(location, entry);
			entry->binding.use_flow = false;
		}
		location_settle(location, user);
	}
}

/* ---- order to try them in ---------------------------------------------------------------------
 */

bool binding_same_instance(const struct binding *a, const struct binding *b)
{
	return a->instance[0] && !strcasecmp(a->instance, b->instance);
}

/* Within one instance (PH-3): < 0 when `a` goes first. */
static int compare_interfaces(const struct binding *a, const struct binding *b)
{
	if (a->if_q != b->if_q)
		return a->if_q > b->if_q ? -1 : 1;
	if (a->changed_ms != b->changed_ms)
		return a->changed_ms > b->changed_ms ? -1 : 1;
	return 0;
}

/* Whole instances, by the best of each. */
static int compare_instances(const struct binding *a, const struct binding *b)
{
	if (a->q != b->q)
		return a->q > b->q ? -1 : 1;
	if (a->changed_ms != b->changed_ms)
		return a->changed_ms > b->changed_ms ? -1 : 1;
	return 0;
}

/* The best of the instance of all[member], among all[done..count). */
static size_t best_of_instance(const struct binding *const all[], size_t done, size_t count,
			       size_t member)
{
	size_t best = member;

	for (size_t i = done; i < count; i++) {
		if (binding_same_instance(all[member], all[i]) &&
		    compare_interfaces(all[i], all[best]) < 0)
			best = i;
	}
	return best;
}

/* all[from] moves forward to all[to]; those between keep their order. */
static void move_forward(const struct binding *all[], size_t to, size_t from)
{
	const struct binding *moved = all[from];

	memmove(&all[to + 1], &all[to], (from - to) * sizeof(all[0]));
	all[to] = moved;
}

/* The next of the instance that stands last in front of `done`; `count` when it has no more. */
static size_t next_interface(const struct binding *const all[], size_t done, size_t count)
{
	size_t next = count;

	for (size_t i = done; i < count && done; i++) {
		if (binding_same_instance(all[done - 1], all[i]) &&
		    (next == count || compare_interfaces(all[i], all[next]) < 0))
			next = i;
	}
	return next;
}

static size_t next_instance(const struct binding *const all[], size_t done, size_t count)
{
	size_t next = best_of_instance(all, done, count, done);

	for (size_t i = done + 1; i < count; i++) {
		size_t best = best_of_instance(all, done, count, i);

		if (compare_instances(all[best], all[next]) < 0)
			next = best;
	}
	return next;
}

/* A selection sort: there are at most LOCATION_BINDINGS, and mostly one. */
static void put_in_order(const struct binding *all[], size_t count)
{
	for (size_t done = 0; done < count; done++) {
		size_t next = next_interface(all, done, count);

		move_forward(all, done, next < count ? next : next_instance(all, done, count));
	}
}

size_t location_lookup(struct location *location, struct str aor, const struct binding *out[],
		       size_t room)
{
	const struct location_user *user = location_user_find(location, aor);
	const struct binding *all[LOCATION_BINDINGS];
	size_t count = 0;

	if (!user)
		return 0;
	/* The latest first: that decides between those of one millisecond. */
	for (struct list *node = user->bindings.prev; node != &user->bindings; node = node->prev)
		all[count++] = &location_entry_of(node)->binding;
	put_in_order(all, count);
	if (count > room)
		count = room;
	memcpy(out, all, count * sizeof(out[0]));
	return count;
}

/* ---- after a start ----------------------------------------------------------------------------
 */

struct load {
	struct location *location;
	size_t malformed;
	int error;
};

/* Attaches the bindings of a record that are still good; `changed`: others were left out. */
static int load_record(struct location *location, struct location_user *user, struct str *record,
		       bool *changed)
{
	const uint64_t now = wheel_now_ms();
	struct location_draft draft;
	struct location_entry *entry;

	while (location_record_read(record, &draft)) {
		if (draft.expires_ms <= now || user->count == LOCATION_BINDINGS ||
		    location->count == LOCATION_MOST) {
			*changed = true;
			continue;
		}
		entry = location_entry_alloc(&draft);
		if (!entry)
			return -ENOMEM;
		location_attach(location, user, entry);
	}
	return 0;
}

static int load_user(void *context, struct str aor, struct str record)
{
	struct load *load = context;
	struct location_user *user = location_user_find(load->location, aor);
	bool changed = false;

	if (user) /* loaded already */
		return 0;
	user = location_user_alloc(aor);
	load->error = user ? load_record(load->location, user, &record, &changed) : -ENOMEM;
	if (load->error && user && !user->count)
		free(user);
	if (load->error)
		return 1;
	load->malformed += record.n > 0;
	if (changed || record.n || !user->count)
		location_settle(load->location, user);
	return 0;
}

int location_load(struct location *location, struct error *err)
{
	struct load load = {.location = location};
	int error = store_each(location->store, "binding", load_user, &load, err);

	if (!error && load.error)
		error = error_set(err, load.error, "bindings: out of memory");
	if (load.malformed)
		log_warning(location->log, NULL,
			    "store: %zu records of bindings make no sense; "
			    "what they held is forgotten",
			    load.malformed);
	return error;
}
