/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tool prints. Every reading command makes JSON; text is a view of the same JSON, through
 * a table of columns, so that the two cannot differ.
 */
#ifndef SEGUE_TOOL_OUTPUT_H
#define SEGUE_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#define OUTPUT_VERSION 1 /* of the envelope and of the names in it */

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
};

enum cell_format {
	CELL_PLAIN,
	CELL_YES_NO,   /* a boolean as "yes", or "-" */
	CELL_DURATION, /* milliseconds; null = "never" */
	CELL_HEX,      /* 32 bits */
	CELL_BYTES,
};

struct column {
	const char *title; /* NULL ends the array */
	const char *key;   /* of the row; a dot leads into an inner object */
	enum cell_format format;
};

struct output {
	bool json, pretty;
	bool colour;	     /* standard output is a terminal and NO_COLOR is not set */
	const char *object;  /* for the envelope and the error prefix; NULL before it is known */
	const char *command; /* NULL: the object has only one */
	size_t rows;	     /* of the list that is open */
	const struct column *columns;
	json_t *pending; /* text mode: rows kept until the widths are known */
};

void output_init(struct output *out, bool json, bool pretty);

/* ---- errors ------------------------------------------------------------------------------- */

/* The one funnel: a line on standard error, JSON where JSON was asked. Returns `code`. */
__attribute__((format(printf, 3, 4))) int
output_error(const struct output *out, enum exit_code code, const char *format, ...);
/* Standard output is flushed; a full disk or a closed pipe is an error, not silence. */
int output_finish(const struct output *out, int code);

/* ---- data: `data`, `row` are stolen --------------------------------------------------------- */

/* One answer: the envelope with `data`, or what `text` prints of it. */
typedef void output_text_fn(const struct output *out, const json_t *data);
void output_data(const struct output *out, json_t *data, output_text_fn *text);
/* One answer that is a line for a person: `line` in text mode. */
__attribute__((format(printf, 3, 4))) void output_line(const struct output *out, json_t *data,
						       const char *line, ...);

/* A list, row by row: 100 000 rows never stand in memory as JSON when JSON is printed. */
void output_list_begin(struct output *out, const struct column *columns);
void output_list_row(struct output *out, json_t *row);
void output_list_end(struct output *out);

/* ---- text (table.c) ------------------------------------------------------------------------- */

void text_table(const struct output *out, const struct column *columns, const json_t *rows);
/* "title: value" lines of one object. */
void text_fields(const struct output *out, const struct column *columns, const json_t *record);

/* A string for JSON from bytes that may not be UTF-8. */
json_t *output_string(const char *bytes);
/* A string, or null when `text` is NULL or empty. */
json_t *output_optional(const char *text);

#endif
