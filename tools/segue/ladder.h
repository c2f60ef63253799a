/* SPDX-License-Identifier: BSD-2-Clause */
/* A call's story as a ladder: A, Segue and B as lines down the page, messages as arrows. */
#ifndef SEGUE_TOOL_LADDER_H
#define SEGUE_TOOL_LADDER_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#define LADDER_WIDTH_MIN 44u
#define LADDER_WIDTH_MAX 200u

struct ladder {
	FILE *out;
	unsigned width;	 /* LADDER_WIDTH_MIN ... LADDER_WIDTH_MAX */
	bool ascii;	 /* nothing but ASCII */
	bool several[2]; /* side a, b has had several legs: its messages say which */
};

/* `call`: segued's answer to `call show`. Who the parties are, above the ladder. */
void ladder_head(struct ladder *ladder, const json_t *call);
/* The steps from that number on; returns the number that is next. */
json_int_t ladder_steps(struct ladder *ladder, const json_t *call, json_int_t from);

#endif
