// SPDX-License-Identifier: BSD-2-Clause
/* The block that a story is written into, and the stories of calls that are over. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "call/internal.h"
#include "call/story_private.h"

#define ROOM_STEP 256u /* bytes by which the block grows */
#define WHAT_MAX 100u  /* bytes of one text */

uint64_t story_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- one story ------------------------------------------------------------------------------ */

struct story *story_new(void)
{
	struct story *story = calloc(1, sizeof(*story));

	if (!story)
		return NULL;
	story->refs = 1;
	story->began_ns = call_clock_ns();
	story->began_at_ns = story_clock_ns();
	return story;
}

struct story *story_ref(struct story *story)
{
	if (story)
		story->refs++;
	return story;
}

void story_unref(struct story *story)
{
	if (!story || --story->refs)
		return;
	free(story->block);
	free(story);
}

struct story_entry *story_next(const struct story *story, const struct story_entry *after)
{
	char *at = after ? (char *)(uintptr_t)after + after->size : story->block;

	return at && at < story->block + story->used ? (struct story_entry *)(void *)at : NULL;
}

const char *story_part(const struct story_entry *entry, unsigned index)
{
	const char *at = (const char *)(entry + 1), *end = (const char *)entry + entry->size;

	while (index-- && at < end)
		at += strlen(at) + 1;
	return at < end ? at : "";
}

/* ---- appending ------------------------------------------------------------------------------ */

/* Where a leg was, is wanted for as long as there are messages of it. */
static bool still_wanted(const struct story_entry *entry, const struct story_entry *cut)
{
	const struct story_entry *later = entry;

	if (entry->kind != STORY_LEG)
		return false;
	while ((later = (const void *)((const char *)later + later->size)) < cut)
		if (later->kind == STORY_LEG && later->leg == entry->leg)
			return false;
	return true;
}

/* The oldest third goes. */
static void forget_some(struct story *story)
{
	struct story_entry *cut = NULL, *entry = NULL, *next;
	char *to = story->block;

	while ((cut = story_next(story, cut)) && (char *)cut - story->block < STORY_BYTES / 3)
		;
	for (entry = story_next(story, NULL); entry && entry != cut; entry = next) {
		size_t size = entry->size;

		next = story_next(story, entry);
		if (still_wanted(entry, cut)) {
			memmove(to, entry, size);
			to += size;
		} else {
			story->forgotten++;
		}
	}
	if (!cut)
		return;
	memmove(to, cut, (size_t)(story->block + story->used - (char *)cut));
	story->used -= (uint32_t)((char *)cut - to);
}

static bool make_room(struct story *story, size_t size)
{
	uint32_t room = story->room;
	char *block;

	if (story->used + size > STORY_BYTES)
		forget_some(story);
	if (story->used + size <= story->room)
		return true;
	while (room < story->used + size)
		room += ROOM_STEP;
	block = realloc(story->block, room);
	if (!block)
		return false;
	story->block = block;
	story->room = room;
	return true;
}

/* The parts, each with its NUL but for empty ones at the end; returns how many bytes. */
static size_t pack(char text[STORY_TEXT_MAX], const struct str part[STORY_PARTS])
{
	unsigned count = STORY_PARTS;
	size_t used = 0;

	while (count && !part[count - 1].n)
		count--;
	for (unsigned i = 0; i < count; i++) {
		size_t room = STORY_TEXT_MAX - used - (count - i), n = part[i].n;

		n = n > WHAT_MAX ? WHAT_MAX : n;
		n = n > room ? room : n;
		if (n) /* p is NULL of an empty one */
			memcpy(text + used, part[i].p, n);
		text[used + n] = '\0';
		used += n + 1;
	}
	while (used % 4)
		text[used++] = '\0';
	return used;
}

void story_append(struct story *story, uint64_t at_ns, const struct story_entry *entry,
		  const struct str part[STORY_PARTS])
{
	struct story_entry whole = *entry;
	char text[STORY_TEXT_MAX];
	size_t length, size;
	uint64_t at_us;

	if (!story)
		return;
	length = pack(text, part);
	size = sizeof(whole) + length;
	if (!make_room(story, size)) {
		story->forgotten++;
		return;
	}
	at_us = at_ns > story->began_at_ns ? (at_ns - story->began_at_ns) / 1000u : 0;
	whole.at_low = (uint32_t)at_us;
	whole.at_high = (uint16_t)(at_us >> 32);
	whole.size = (uint8_t)size;
	memcpy(story->block + story->used, &whole, sizeof(whole));
	memcpy(story->block + story->used + sizeof(whole), text, length);
	story->used += (uint32_t)size;
}

void story_add_at(struct story *story, uint64_t at_ns, enum story_kind kind, int side,
		  const char *what, const char *more, int status)
{
	const struct story_entry entry = {
		.kind = (uint8_t)kind,
		.status = (uint16_t)status,
		.side = (int8_t)side,
		.count = 1,
	};
	const struct str part[STORY_PARTS] = {str_of(what), str_of(more)};

	story_append(story, at_ns, &entry, part);
}

void story_add(struct story *story, enum story_kind kind, int side, const char *what,
	       const char *more, int status)
{
	story_add_at(story, story_clock_ns(), kind, side, what, more, status);
}

/* ---- calls that are over -------------------------------------------------------------------- */

int stories_alloc(struct stories **out, const struct hash_seed *seed)
{
	struct stories *stories = calloc(1, sizeof(*stories));
	int ret = stories ? hash_init(&stories->by_id) : -ENOMEM;

	if (ret) {
		free(stories);
		return ret;
	}
	list_init(&stories->list);
	stories->seed = *seed;
	*out = stories;
	return 0;
}

static void forget(struct stories *stories, struct story_over *over)
{
	list_remove(&over->link);
	hash_remove(&stories->by_id, &over->node);
	stories->count--;
	story_unref(over->story);
	free(over->from);
	free(over->to);
	free(over);
}

void stories_free(struct stories *stories)
{
	if (!stories)
		return;
	list_for_each(node, after, &stories->list)
		forget(stories, container_of(node, struct story_over, link));
	hash_free(&stories->by_id);
	free(stories);
}

void stories_keep(struct stories *stories, struct call *call)
{
	struct story *story = call->story;
	struct story_over *over = story ? calloc(1, sizeof(*over)) : NULL;

	call->story = NULL;
	if (!over) {
		story_unref(story);
		return;
	}
	*over = (struct story_over){
		.story = story,
		.from = call->from,
		.to = call->to,
		.started_ns = call->started_ns,
		.answered_ns = call->answered_ns,
		.ended_ns = call_now_ns(call),
		.handovers = call->handovers,
	};
	memcpy(over->id, call->id, sizeof(over->id));
	call->from = call->to = NULL;
	list_append(&stories->list, &over->link);
	hash_add(&stories->by_id, &over->node, hash_text(&stories->seed, str_of(over->id)));
	if (++stories->count > STORIES_KEPT)
		forget(stories, container_of(stories->list.next, struct story_over, link));
}
