// SPDX-License-Identifier: BSD-2-Clause
/* A story as JSON. */
#include <stdlib.h>

#include "call/internal.h"
#include "call/story_private.h"

#define NS_PER_US 1000u
#define US_PER_MS 1000.0

static const char *side_name(int side)
{
	return side == SG_SIDE_A ? "a" : "b";
}

/* Text of the network: what is no UTF-8 would be no JSON. */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : json_string("(not UTF-8)");
}

static void add_text(json_t *object, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(object, key, text_of(text));
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* Where legs are, as far as the story was read. */
struct reader {
	const struct story *story;
	uint32_t number; /* of the entry; those that are forgotten had theirs, too */
	const struct story_entry *leg[STORY_LEGS + 1];
};

static void describe_message(json_t *object, const struct reader *reader,
			     const struct story_entry *entry)
{
	const struct story_entry *leg = reader->leg[entry->leg];
	bool sent = entry->kind == STORY_SENT;
	const char *reason = story_part(entry, 0);

	json_object_set_new(object, "kind", json_string("sip"));
	json_object_set_new(object, "direction", json_string(sent ? "out" : "in"));
	if (leg) {
		json_object_set_new(object, "from", text_of(story_part(leg, sent ? 1 : 0)));
		json_object_set_new(object, "to", text_of(story_part(leg, sent ? 0 : 1)));
	}
	json_object_set_new(object, "cseq", json_integer(entry->cseq));
	if (entry->status)
		json_object_set_new(object, "reason",
				    text_of(*reason ? reason : sip_reason(entry->status)));
	add_text(object, "why", story_part(entry, 1));
	add_text(object, "sdp", story_part(entry, 2));
	if (entry->count > 1)
		json_object_set_new(object, "times", json_integer(entry->count));
}

static json_t *what_of(const struct story_entry *entry)
{
	struct str method;

	if (entry->kind != STORY_SENT && entry->kind != STORY_RECEIVED)
		return text_of(story_part(entry, 0));
	method = sip_method_name((enum sip_method)entry->method);
	return json_stringn(method.p, method.n);
}

static json_t *describe_step(const struct reader *reader, const struct story_entry *entry)
{
	uint64_t after_us = story_at_us(entry);
	uint64_t at_us = reader->story->began_ns / NS_PER_US + after_us;
	json_t *object = json_object();

	json_object_set_new(object, "number", json_integer(reader->number));
	json_object_set_new(object, "at_us", json_integer((json_int_t)at_us));
	json_object_set_new(object, "after_ms", json_real((double)after_us / US_PER_MS));
	json_object_set_new(object, "what", what_of(entry));
	if (entry->side >= 0)
		json_object_set_new(object, "side", json_string(side_name(entry->side)));
	if (entry->leg)
		json_object_set_new(object, "leg", json_integer(entry->leg));
	if (entry->status)
		json_object_set_new(object, "status", json_integer(entry->status));
	if (entry->kind == STORY_SENT || entry->kind == STORY_RECEIVED) {
		describe_message(object, reader, entry);
		return object;
	}
	json_object_set_new(object, "kind",
			    json_string(entry->kind == STORY_MEDIA ? "media" : "call"));
	add_text(object, "more", story_part(entry, 1));
	return object;
}

/* What the kernel reports comes a little later than it was. */
static void insert_by_time(json_t *list, json_t *step)
{
	double at = json_real_value(json_object_get(step, "after_ms"));
	size_t i = json_array_size(list);

	while (i && json_real_value(json_object_get(json_array_get(list, i - 1), "after_ms")) > at)
		i--;
	json_array_insert_new(list, i, step);
}

static json_t *describe_leg(const struct story_entry *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "leg", json_integer(entry->leg));
	json_object_set_new(object, "side", json_string(side_name(entry->side)));
	json_object_set_new(object, "proto",
			    json_string(sip_proto_name((enum sip_proto)entry->method)));
	json_object_set_new(object, "remote", text_of(story_part(entry, 0)));
	json_object_set_new(object, "local", text_of(story_part(entry, 1)));
	json_object_set_new(object, "call_id", text_of(story_part(entry, 2)));
	return object;
}

void story_describe(const struct story *story, json_t *object)
{
	const struct story_entry *entry = NULL;
	struct reader reader = {.story = story, .number = story ? story->forgotten : 0};
	json_t *steps = json_array(), *parties = json_array();

	for (; story && (entry = story_next(story, entry)); reader.number++) {
		if (entry->kind == STORY_LEG)
			reader.leg[entry->leg] = entry;
		else
			insert_by_time(steps, describe_step(&reader, entry));
	}
	for (unsigned i = 1; i <= STORY_LEGS; i++)
		if (reader.leg[i])
			json_array_append_new(parties, describe_leg(reader.leg[i]));
	json_object_set_new(object, "parties", parties);
	json_object_set_new(object, "steps", steps);
	json_object_set_new(object, "steps_forgotten",
			    json_integer(story ? (json_int_t)story->forgotten : 0));
}

/* ---- calls that are over -------------------------------------------------------------------- */

static json_int_t us_of(uint64_t ns)
{
	return (json_int_t)(ns / NS_PER_US);
}

static json_t *describe_over(const struct story_over *over)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", json_string(over->id));
	json_object_set_new(object, "state", json_string("ended"));
	json_object_set_new(object, "caller", text_of(over->from));
	json_object_set_new(object, "callee", text_of(over->to));
	json_object_set_new(object, "age_ms",
			    json_integer(us_of(call_clock_ns() - over->started_ns) / 1000));
	json_object_set_new(object, "started_us", json_integer(us_of(over->started_ns)));
	json_object_set_new(object, "answered_us", json_integer(us_of(over->answered_ns)));
	json_object_set_new(object, "ended_us", json_integer(us_of(over->ended_ns)));
	json_object_set_new(object, "handovers", json_integer(over->handovers));
	return object;
}

json_t *stories_list(const struct stories *stories, size_t most)
{
	const struct list *at = stories->list.prev;
	json_t *list = json_array();

	for (; at != &stories->list && (!most || json_array_size(list) < most); at = at->prev)
		json_array_append_new(list,
				      describe_over(container_of(at, struct story_over, link)));
	return list;
}

json_t *stories_show(const struct stories *stories, struct str id)
{
	struct hash_node *node = hash_first(&stories->by_id, hash_text(&stories->seed, id));

	for (; node; node = hash_next(node)) {
		const struct story_over *over = container_of(node, struct story_over, node);
		json_t *object;

		if (!str_eq(str_of(over->id), id))
			continue;
		object = describe_over(over);
		story_describe(over->story, object);
		return object;
	}
	return NULL;
}
