// SPDX-License-Identifier: BSD-2-Clause
#include "story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *step, const char *key)
{
	const char *text = json_string_value(json_object_get(step, key));

	return text ? text : "";
}

bool story_is_message(const json_t *step)
{
	return strcmp(text_of(step, "kind"), "sip") == 0;
}

void story_label(const json_t *step, char out[STORY_TEXT])
{
	json_int_t status = json_integer_value(json_object_get(step, "status"));

	if (!status)
		snprintf(out, STORY_TEXT, "%s", text_of(step, "what"));
	else if (!story_is_message(step))
		snprintf(out, STORY_TEXT, "%s %" JSON_INTEGER_FORMAT, text_of(step, "what"),
			 status);
	else
		snprintf(out, STORY_TEXT, "%" JSON_INTEGER_FORMAT " %s (%s)", status,
			 text_of(step, "reason"), text_of(step, "what"));
}

static void add(char out[STORY_TEXT], const char *text)
{
	size_t used = strlen(out);

	if (*text)
		snprintf(out + used, STORY_TEXT - used, "%s%s", used ? "; " : "", text);
}

void story_remark(const json_t *step, char out[STORY_TEXT])
{
	json_int_t times = json_integer_value(json_object_get(step, "times"));
	char count[32] = "";

	out[0] = '\0';
	add(out, text_of(step, "sdp"));
	add(out, text_of(step, "why"));
	add(out, text_of(step, "more"));
	if (times > 1)
		snprintf(count, sizeof(count), "%" JSON_INTEGER_FORMAT " times", times);
	add(out, count);
}

json_t *story_row(const json_t *step)
{
	json_t *row = json_copy((json_t *)(uintptr_t)step);
	char text[STORY_TEXT], label[STORY_TEXT + 8];

	story_label(step, text);
	snprintf(label, sizeof(label), "%s%s%s", text_of(step, "direction"),
		 story_is_message(step) ? " " : "", text);
	json_object_set_new(row, "step", json_string(label));
	story_remark(step, text);
	json_object_set_new(row, "remark", *text ? json_string(text) : json_null());
	return row;
}
