/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of a call's story (segued's `call show`), in words: for the table and the ladder. */
#ifndef SEGUE_TOOL_STORY_H
#define SEGUE_TOOL_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define STORY_TEXT 320u

bool story_is_message(const json_t *step);
/* "INVITE", "200 OK (INVITE)", "path joins". */
void story_label(const json_t *step, char out[STORY_TEXT]);
/* What else there is to say: SDP, why, how often; "" for nothing. */
void story_remark(const json_t *step, char out[STORY_TEXT]);
/* The step with "step" and "remark" in words, for a table; the caller's reference. */
json_t *story_row(const json_t *step);

#endif
