// SPDX-License-Identifier: BSD-2-Clause
#include "ops/limit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"

#define OVERRUN_MS 1000u /* so often at most is too much an offence */
#define TOKEN 1000u	 /* a token in the unit of the buckets: a second's rate is a ms's refill */
#define COMPLAINT_MS 10000u /* a source is named at most so often */
#define COMPLAINTS_MS 1000u /* and any source at most so often */

struct source {
	struct hash_node node;
	struct list recent; /* in `unknown` or `known` */
	struct netaddr key;
	uint64_t tokens; /* thousandths */
	uint64_t heard_ms;
	uint64_t complained_ms; /* 0: never */
	uint32_t refused;	/* since the last complaint */
	uint64_t offences;	/* thousandths, at offended_ms */
	uint64_t offended_ms;
	uint64_t overrun_ms; /* the last offence of that kind; 0: never */
	uint64_t known_ms;   /* a subscriber is there until then; 0: never was */
	uint32_t epoch;	     /* of `exempt` */
	bool exempt;
};

struct limit {
	struct log *log;
	struct hash hash;
	struct hash_seed seed;
	struct list unknown, known; /* least recently heard first */
	size_t most, count;
	limit_exempt_fn *exempt;
	void *context;
	uint32_t epoch;
	unsigned per_second;
	uint64_t burst;		       /* thousandths */
	unsigned strangers_per_second; /* 0: no limit */
	uint64_t strangers_tokens;     /* thousandths, at strangers_ms; a second's at most */
	uint64_t strangers_ms;
	uint64_t crowded, crowded_told_ms;
	unsigned offences, window_ms; /* 0: none are too many */
	uint64_t refused;
	uint64_t complained_ms;
};

int limit_alloc(struct limit **out, struct log *log, size_t sources, limit_exempt_fn *exempt,
		void *context)
{
	struct limit *limit = calloc(1, sizeof(*limit));
	int ret;

	if (!limit)
		return -ENOMEM;
	ret = hash_seed_make(&limit->seed);
	if (!ret)
		ret = hash_init(&limit->hash);
	if (ret) {
		free(limit);
		return ret;
	}
	list_init(&limit->unknown);
	list_init(&limit->known);
	limit->log = log;
	limit->most = sources ? sources : LIMIT_SOURCES;
	limit->exempt = exempt;
	limit->context = context;
	*out = limit;
	return 0;
}

static void free_all(struct list *sources)
{
	list_for_each(node, after, sources) free(container_of(node, struct source, recent));
}

void limit_free(struct limit *limit)
{
	if (!limit)
		return;
	free_all(&limit->unknown);
	free_all(&limit->known);
	hash_free(&limit->hash);
	free(limit);
}

void limit_set(struct limit *limit, unsigned per_second, unsigned burst)
{
	limit->per_second = per_second;
	/* A bucket that holds less than one message would never let one through. */
	limit->burst = (uint64_t)(burst ? burst : 1) * TOKEN;
	limit->epoch++;
}

static struct netaddr key_of(const struct netaddr *source)
{
	struct netaddr key = *source;

	key.port = 0;
	if (!netaddr_is_ipv4(source))
		memset(key.addr + 8, 0, 8);
	return key;
}

static uint64_t hash_of(const struct limit *limit, const struct netaddr *key)
{
	return hash_text(&limit->seed, (struct str){(const char *)key->addr, sizeof(key->addr)});
}

static struct source *find(struct limit *limit, const struct netaddr *key, uint64_t hash)
{
	for (struct hash_node *node = hash_first(&limit->hash, hash); node;
	     node = hash_next(node)) {
		struct source *source = container_of(node, struct source, node);

		if (netaddr_same_host(&source->key, key))
			return source;
	}
	return NULL;
}

/* A new one, or the one that was silent longest: a flood from forged addresses must not make us
 * forget who our subscribers are. */
static struct source *make_room(struct limit *limit)
{
	struct source *source;

	if (limit->count < limit->most) {
		source = calloc(1, sizeof(*source));
		limit->count += source != NULL;
		return source;
	}
	source = container_of(list_empty(&limit->unknown) ? limit->known.next : limit->unknown.next,
			      struct source, recent);
	hash_remove(&limit->hash, &source->node);
	list_remove(&source->recent);
	*source = (struct source){0};
	return source;
}

static struct source *remember(struct limit *limit, const struct netaddr *key, uint64_t hash,
			       uint64_t now_ms)
{
	struct source *source = make_room(limit);

	if (!source)
		return NULL;
	source->key = *key;
	source->tokens = limit->burst;
	source->heard_ms = now_ms;
	hash_add(&limit->hash, &source->node, hash);
	list_append(&limit->unknown, &source->recent);
	return source;
}

/* It was heard of just now. */
static void touch(struct limit *limit, struct source *source, uint64_t now_ms)
{
	list_remove(&source->recent);
	list_append(source->known_ms > now_ms ? &limit->known : &limit->unknown, &source->recent);
}

/* NULL: no memory for it. */
static struct source *find_or_remember(struct limit *limit, const struct netaddr *from,
				       uint64_t now_ms)
{
	struct netaddr key = key_of(from);
	uint64_t hash = hash_of(limit, &key);
	struct source *source = find(limit, &key, hash);

	return source ? source : remember(limit, &key, hash, now_ms);
}

static void refill(const struct limit *limit, struct source *source, uint64_t now_ms)
{
	uint64_t passed = now_ms - source->heard_ms;
	uint64_t missing = limit->burst > source->tokens ? limit->burst - source->tokens : 0;

	source->heard_ms = now_ms;
	/* Divided, not multiplied: a long silence must not overflow. */
	if (passed > missing / limit->per_second)
		source->tokens = limit->burst;
	else
		source->tokens += passed * limit->per_second;
}

static void complain(struct limit *limit, struct source *source, uint64_t now_ms)
{
	char text[NETADDR_STRLEN];

	source->refused++;
	limit->refused++;
	if (source->complained_ms && now_ms - source->complained_ms < COMPLAINT_MS)
		return;
	if (limit->complained_ms && now_ms - limit->complained_ms < COMPLAINTS_MS)
		return;
	log_warning(limit->log, NULL,
		    "%s sends more than %u messages a second: %u dropped (sip.limit)",
		    netaddr_format_host(&source->key, text), limit->per_second, source->refused);
	source->complained_ms = limit->complained_ms = now_ms;
	source->refused = 0;
}

static bool take(struct limit *limit, struct source *source, uint64_t now_ms)
{
	refill(limit, source, now_ms);
	if (source->tokens < TOKEN) {
		complain(limit, source, now_ms);
		return false;
	}
	source->tokens -= TOKEN;
	return true;
}

static bool is_exempt(struct limit *limit, struct source *source, const struct netaddr *from)
{
	if (source->epoch != limit->epoch) {
		source->exempt = limit->exempt && limit->exempt(limit->context, from);
		source->epoch = limit->epoch;
	}
	return source->exempt;
}

bool limit_admit(struct limit *limit, const struct netaddr *from, uint64_t now_ms)
{
	struct source *source;

	if (!limit->per_second)
		return true;
	source = find_or_remember(limit, from, now_ms);
	/* Without memory for a bucket nobody is refused for it: the stack has bounds of its own. */
	if (!source)
		return true;
	touch(limit, source, now_ms);
	return is_exempt(limit, source, from) || take(limit, source, now_ms);
}

/* ---- strangers, all together ------------------------------------------------------------------
 */

void limit_set_strangers(struct limit *limit, unsigned per_second)
{
	limit->strangers_per_second = per_second;
	limit->strangers_tokens = (uint64_t)per_second * TOKEN;
}

static void tell_crowded(struct limit *limit, uint64_t now_ms)
{
	limit->crowded++;
	if (limit->crowded_told_ms && now_ms - limit->crowded_told_ms < COMPLAINT_MS)
		return;
	limit->crowded_told_ms = now_ms;
	log_warning(limit->log, NULL,
		    "strangers send more than %u messages a second: some are dropped "
		    "(sip.limit.strangers)",
		    limit->strangers_per_second);
}

static bool take_of_all(struct limit *limit, uint64_t now_ms)
{
	uint64_t most = (uint64_t)limit->strangers_per_second * TOKEN;
	uint64_t passed = now_ms > limit->strangers_ms ? now_ms - limit->strangers_ms : 0;

	limit->strangers_ms += passed;
	/* A second's rate is a millisecond's refill, and a second fills it. */
	limit->strangers_tokens += (passed < 1000 ? passed : 1000) * limit->strangers_per_second;
	if (limit->strangers_tokens > most)
		limit->strangers_tokens = most;
	if (limit->strangers_tokens < TOKEN) {
		tell_crowded(limit, now_ms);
		return false;
	}
	limit->strangers_tokens -= TOKEN;
	return true;
}

bool limit_admit_stranger(struct limit *limit, const struct netaddr *from, uint64_t now_ms)
{
	struct source *source;

	if (!limit->strangers_per_second)
		return true;
	source = find_or_remember(limit, from, now_ms);
	if (source && (source->known_ms > now_ms || is_exempt(limit, source, from)))
		return true;
	return take_of_all(limit, now_ms);
}

/* ---- offences -------------------------------------------------------------------------------- */

void limit_set_offences(struct limit *limit, unsigned most, unsigned window_ms)
{
	limit->offences = most;
	limit->window_ms = window_ms ? window_ms : 1;
}

static void fade(const struct limit *limit, struct source *source, uint64_t now_ms)
{
	uint64_t passed = now_ms - source->offended_ms;
	uint64_t faded = passed < limit->window_ms
				 ? passed * limit->offences * TOKEN / limit->window_ms
				 : source->offences;

	source->offences -= faded < source->offences ? faded : source->offences;
	source->offended_ms = now_ms;
}

bool limit_offend(struct limit *limit, const struct netaddr *from, enum limit_offence offence,
		  uint64_t now_ms)
{
	struct source *source = limit->offences ? find_or_remember(limit, from, now_ms) : NULL;

	if (!source)
		return false;
	if (offence == LIMIT_OVERRUN) {
		if (source->overrun_ms && now_ms - source->overrun_ms < OVERRUN_MS)
			return false;
		source->overrun_ms = now_ms;
	}
	touch(limit, source, now_ms);
	fade(limit, source, now_ms);
	source->offences += TOKEN;
	if (source->offences <= (limit->offences - 1) * (uint64_t)TOKEN)
		return false;
	source->offences = 0;
	return true;
}

void limit_prove(struct limit *limit, const struct netaddr *from, uint64_t now_ms, uint64_t for_ms)
{
	struct source *source = find_or_remember(limit, from, now_ms);

	if (!source)
		return;
	source->known_ms = now_ms + for_ms;
	source->offences = 0;
	touch(limit, source, now_ms);
}

bool limit_is_known(struct limit *limit, const struct netaddr *from, uint64_t now_ms)
{
	struct netaddr key = key_of(from);
	const struct source *source = find(limit, &key, hash_of(limit, &key));

	return source && source->known_ms > now_ms;
}

void limit_stats(const struct limit *limit, struct limit_stats *out)
{
	*out = (struct limit_stats){
		.refused = limit->refused, .crowded = limit->crowded, .sources = limit->count};
}
