/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of each source (an address; IPv6: a /64, which one subscriber has whole): how
 * much it may send, a token bucket; what it did wrong lately; whether it proved to be a subscriber.
 * The table is bounded: who was silent longest makes room, strangers before subscribers. It is
 * asked before anything of a message is looked at, so it costs one hash and no memory.
 */
#ifndef SEGUE_OPS_LIMIT_H
#define SEGUE_OPS_LIMIT_H

#include "base/log.h"
#include "base/netaddr.h"

#define LIMIT_SOURCES 65536u /* remembered at once */

struct limit;

/* Is this source not to be limited (a trunk)? Asked once for each source that is remembered. */
typedef bool limit_exempt_fn(void *context, const struct netaddr *source);

/* `sources` 0: LIMIT_SOURCES. 0 or a negative errno. Nothing is limited before limit_set(). */
int limit_alloc(struct limit **out, struct log *log, size_t sources, limit_exempt_fn *exempt,
		void *context);
void limit_free(struct limit *limit);
/*
 * `per_second` 0: no limit. Buckets keep what they hold, as far as `burst` allows; who is exempt is
 * asked anew.
 */
void limit_set(struct limit *limit, unsigned per_second, unsigned burst);
/* May the source send a message at `now_ms` (of wheel_now_ms)? Takes a token when it may. */
bool limit_admit(struct limit *limit, const struct netaddr *source, uint64_t now_ms);

/*
 * All sources together of which no subscriber is known: so many messages a second (0: no limit),
 * that a flood from forged addresses leaves time for those who are known.
 */
void limit_set_strangers(struct limit *limit, unsigned per_second);
/* For what limit_admit() let through: may it come, or is it one stranger's too many? */
bool limit_admit_stranger(struct limit *limit, const struct netaddr *source, uint64_t now_ms);

/*
 * `most` offences in `window_ms` are too many (0: there is no such number). They fade evenly: half
 * of the window makes half of them forgotten.
 */
void limit_set_offences(struct limit *limit, unsigned most, unsigned window_ms);

enum limit_offence {
	LIMIT_WRONG,   /* each counts */
	LIMIT_OVERRUN, /* refused by limit_admit(): counts once a second */
};
/* True when that was one too many; then its count begins anew. */
bool limit_offend(struct limit *limit, const struct netaddr *source, enum limit_offence offence,
		  uint64_t now_ms);
/* The source showed a subscriber's credentials: its offences are forgotten, and for `for_ms` it is
 * known (whatever it does then is no stranger's). */
void limit_prove(struct limit *limit, const struct netaddr *source, uint64_t now_ms,
		 uint64_t for_ms);
bool limit_is_known(struct limit *limit, const struct netaddr *source, uint64_t now_ms);

struct limit_stats {
	uint64_t refused; /* messages */
	uint64_t crowded; /* messages of strangers, when there were too many of all */
	size_t sources;	  /* remembered */
};
void limit_stats(const struct limit *limit, struct limit_stats *out);

#endif
