/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The story of a call: what was said in SIP, message by message and leg by leg, and what was done
 * about its media, each with its time. `segue call show` and `segue trace` are views of it.
 *
 * It is made for memory: 16 bytes and a short text for each entry, in one block that grows with the
 * call up to STORY_BYTES; then the oldest entries go. Stories of the last STORIES_KEPT calls that
 * are over are kept. None of it survives the process.
 */
#ifndef SEGUE_CALL_STORY_H
#define SEGUE_CALL_STORY_H

#include <jansson.h>

#include "base/hash.h"
#include "base/list.h"
#include "sip/stack.h"

#define STORY_BYTES 3072u  /* of entries, for one call */
#define STORIES_KEPT 1024u /* of calls that are over */

enum story_kind {
	STORY_LEG,  /* a leg is first heard of, or speaks from elsewhere */
	STORY_SENT, /* a SIP message of ours */
	STORY_RECEIVED,
	STORY_MEDIA, /* something about paths in the relay */
	STORY_CALL,  /* whatever else we did */
};

struct call;
struct calls;
struct leg;
struct story;
struct stories; /* of calls that are over */

int stories_alloc(struct stories **out, const struct hash_seed *seed);
void stories_free(struct stories *stories);

/* With one reference; NULL: no memory, and everything below takes that. */
struct story *story_new(void);
struct story *story_ref(struct story *story);
void story_unref(struct story *story);

/* The call is over: its story takes over who spoke with whom, and is kept for a while. */
void stories_keep(struct stories *stories, struct call *call);
/* An array of at most so many (0: all) short objects, the last one first. NULL: out of memory. */
json_t *stories_list(const struct stories *stories, size_t most);
/* NULL: there is none of that id. */
json_t *stories_show(const struct stories *stories, struct str id);

/* side -1: of none; `more` may be NULL, status 0. Both texts are copied, and cut when long. */
void story_add(struct story *story, enum story_kind kind, int side, const char *what,
	       const char *more, int status);
/* ... that happened then (CLOCK_MONOTONIC). */
void story_add_at(struct story *story, uint64_t at_ns, enum story_kind kind, int side,
		  const char *what, const char *more, int status);

/* What the stack showed (sip_stack_handlers.seen). The leg that it is of; NULL: of none yet. */
struct leg *story_seen(struct calls *calls, const struct sip_seen *seen);
/* Only the leg. */
struct leg *story_leg_of(const struct calls *calls, const struct sip_seen *seen);
/* The leg has its dialog: the request that made it came just before. */
void story_leg_begins(struct leg *leg);

/* Into `object`: "parties", "steps" (in the order of their time), "steps_forgotten". */
void story_describe(const struct story *story, json_t *object);

#endif
