/* SPDX-License-Identifier: BSD-2-Clause */
/* How a story is written down: story.c has the block, story_sip.c what messages say, story_show.c
 * makes JSON of it. */
#ifndef SEGUE_CALL_STORY_PRIVATE_H
#define SEGUE_CALL_STORY_PRIVATE_H

#include "call/story.h"

#define STORY_LEGS 24u	    /* further ones are not told apart */
#define STORY_TEXT_MAX 232u /* bytes of an entry's text, NULs included */
#define STORY_PARTS 4u	    /* texts of an entry, each with its NUL */

/* Behind it stands its text, filled up with NULs to a multiple of 4. */
struct story_entry {
	uint32_t at_low; /* microseconds after the beginning: 48 bits */
	uint16_t at_high;
	uint8_t size; /* with the text */
	uint8_t kind;
	uint8_t leg;	/* from 1; 0: none, or one too many */
	uint8_t method; /* enum sip_method; of LEG: enum sip_proto */
	uint16_t status;
	uint16_t cseq; /* its lower bits: tells a message from one that is sent again */
	uint8_t count; /* how often it went or came; 255: or more */
	int8_t side;   /* -1: none */
};
_Static_assert(sizeof(struct story_entry) == 16, "16 bytes an entry");

struct story {
	unsigned refs;
	uint32_t used, room; /* bytes of `block` */
	uint32_t forgotten;  /* entries */
	uint8_t legs;
	uint64_t began_ns;    /* CLOCK_REALTIME */
	uint64_t began_at_ns; /* CLOCK_MONOTONIC */
	char *block;
};

/* Of a call that is over. */
struct story_over {
	struct list link; /* stories.list */
	struct hash_node node;
	struct story *story;
	char id[SIP_TOKEN_LEN];
	char *from, *to;
	uint64_t started_ns, answered_ns, ended_ns; /* CLOCK_REALTIME */
	unsigned handovers;
};

struct stories {
	struct hash_seed seed;
	struct hash by_id;
	struct list list; /* the last one at the end */
	size_t count;
};

/*
 * Appends; `entry` without time and size, which are set here. `part`: STORY_PARTS texts, of which
 * the last ones may be empty.
 */
void story_append(struct story *story, uint64_t at_ns, const struct story_entry *entry,
		  const struct str part[STORY_PARTS]);
uint64_t story_clock_ns(void); /* CLOCK_MONOTONIC */

/* The first entry, or the one after it; NULL: no more. */
struct story_entry *story_next(const struct story *story, const struct story_entry *after);
/* The index-th text of the entry; "" where there is none. */
const char *story_part(const struct story_entry *entry, unsigned index);

static inline uint64_t story_at_us(const struct story_entry *entry)
{
	return ((uint64_t)entry->at_high << 32) | entry->at_low;
}

#endif
