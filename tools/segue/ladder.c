// SPDX-License-Identifier: BSD-2-Clause
#include "ladder.h"

#include <string.h>

#include "story.h"

#define TIME_WIDTH 11u /* "  12345.678" */
#define REMARK_ROWS 4u

enum glyph { LINE_DOWN, LINE_ACROSS, HEAD_RIGHT, HEAD_LEFT, DOT };

/* One row of the page; a cell is an ASCII character or one of the glyphs below. */
struct row {
	unsigned char cell[LADDER_WIDTH_MAX];
	unsigned width;
};
#define CELL_OF(glyph) ((unsigned char)(0x80 + (glyph)))

/* ---- rows ----------------------------------------------------------------------------------- */

static unsigned line_at(const struct ladder *ladder, unsigned which)
{
	unsigned first = TIME_WIDTH + 1, last = ladder->width - 1;

	return which == 0 ? first : which == 1 ? (first + last) / 2 : last;
}

static void put(struct row *row, unsigned at, const char *text, unsigned most)
{
	for (unsigned i = 0; i < most && text[i] && at + i < row->width; i++) {
		unsigned char c = (unsigned char)text[i];

		/* It may be a party's text: nothing that a terminal would obey. */
		row->cell[at + i] = c < ' ' || c >= 0x7f ? '?' : c;
	}
}

static void begin(struct row *row, const struct ladder *ladder)
{
	row->width = ladder->width;
	memset(row->cell, ' ', sizeof(row->cell));
	for (unsigned i = 0; i < 3; i++)
		row->cell[line_at(ladder, i)] = CELL_OF(LINE_DOWN);
}

static void print(const struct ladder *ladder, const struct row *row)
{
	static const char *const drawn[] = {"│", "─", "▶", "◀", "●"};
	static const char plain[] = "|-><*";
	unsigned end = row->width;

	while (end && row->cell[end - 1] == ' ')
		end--;
	for (unsigned i = 0; i < end; i++) {
		unsigned char c = row->cell[i];

		if (c < 0x80)
			fputc(c, ladder->out);
		else if (ladder->ascii)
			fputc(plain[c - 0x80], ladder->out);
		else
			fputs(drawn[c - 0x80], ladder->out);
	}
	fputc('\n', ladder->out);
}

/* How much of the text fits into `room`: at a blank, if there is one. */
static unsigned fitting(const char *text, unsigned room)
{
	size_t length = strlen(text);
	unsigned at = room;

	if (length <= room)
		return (unsigned)length;
	while (at && text[at] != ' ')
		at--;
	return at ? at : room;
}

/* Text between two of the lines, over as many rows as it needs. The first row may begin with a
 * dot and bear a time. */
static void write_lane(const struct ladder *ladder, unsigned lane, const char *text,
		       const char *time, bool dot)
{
	unsigned from = line_at(ladder, lane) + 2, to = line_at(ladder, lane + 1) - 1;
	struct row row;

	from += dot ? 2 : 0;
	for (unsigned i = 0; i < REMARK_ROWS && *text; i++) {
		unsigned count = fitting(text, to - from);

		begin(&row, ladder);
		if (!i)
			put(&row, 0, time, TIME_WIDTH);
		if (!i && dot)
			row.cell[from - 2] = CELL_OF(DOT);
		put(&row, from, text, count);
		print(ladder, &row);
		text += count;
		text += *text == ' ';
	}
}

/* ---- steps ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *step, const char *key)
{
	const char *text = json_string_value(json_object_get(step, key));

	return text ? text : "";
}

static unsigned side_of(const json_t *step)
{
	return strcmp(text_of(step, "side"), "b") == 0;
}

static void write_label(const struct ladder *ladder, const json_t *step, char out[STORY_TEXT])
{
	char label[STORY_TEXT];

	story_label(step, label);
	if (ladder->several[side_of(step)])
		snprintf(out, STORY_TEXT, "leg %" JSON_INTEGER_FORMAT ": %.280s",
			 json_integer_value(json_object_get(step, "leg")), label);
	else
		snprintf(out, STORY_TEXT, "%s", label);
}

static void draw_arrow(const struct ladder *ladder, const json_t *step, const char *time)
{
	unsigned lane = side_of(step), from = line_at(ladder, lane) + 1,
		 to = line_at(ladder, lane + 1) - 1, room = to - from - 4, length;
	bool in = strcmp(text_of(step, "direction"), "in") == 0, right = in == (lane == 0);
	char label[STORY_TEXT];
	struct row row;

	write_label(ladder, step, label);
	length = (unsigned)strlen(label);
	if (length > room) {
		length = room;
		label[length - 2] = label[length - 1] = '.';
	}
	begin(&row, ladder);
	put(&row, 0, time, TIME_WIDTH);
	memset(row.cell + from, CELL_OF(LINE_ACROSS), to - from + 1);
	row.cell[right ? to : from] = CELL_OF(right ? HEAD_RIGHT : HEAD_LEFT);
	from += (to - from + 1 - length) / 2;
	row.cell[from - 1] = row.cell[from + length] = ' ';
	put(&row, from, label, length);
	print(ladder, &row);
}

/* Across the line of Segue: it is ours alone. */
static void draw_own(const struct ladder *ladder, const char *text, const char *time)
{
	unsigned middle = line_at(ladder, 1), room = ladder->width - TIME_WIDTH - 8,
		 length = fitting(text, room), from = middle - (length + 2) / 2;
	struct row row;

	begin(&row, ladder);
	put(&row, 0, time, TIME_WIDTH);
	row.cell[from - 1] = row.cell[from + length + 2] = ' ';
	row.cell[from] = '[';
	put(&row, from + 1, text, length);
	row.cell[from + 1 + length] = ']';
	print(ladder, &row);
}

static void draw_step(const struct ladder *ladder, const json_t *step)
{
	char time[32], label[STORY_TEXT], remark[STORY_TEXT], whole[2 * STORY_TEXT + 2];

	snprintf(time, sizeof(time), "%11.3f", json_real_value(json_object_get(step, "after_ms")));
	story_remark(step, remark);
	if (story_is_message(step)) {
		draw_arrow(ladder, step, time);
		write_lane(ladder, side_of(step), remark, "", false);
		return;
	}
	story_label(step, label);
	snprintf(whole, sizeof(whole), "%s%s%s", label, *remark ? ": " : "", remark);
	if (*text_of(step, "side"))
		write_lane(ladder, side_of(step), whole, time, true);
	else
		draw_own(ladder, whole, time);
}

json_int_t ladder_steps(struct ladder *ladder, const json_t *call, json_int_t from)
{
	json_int_t next = from;
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(call, "steps"), i, step)
	{
		json_int_t number = json_integer_value(json_object_get(step, "number"));

		if (number < from)
			continue;
		draw_step(ladder, step);
		if (number >= next)
			next = number + 1;
	}
	return next;
}

/* ---- head ----------------------------------------------------------------------------------- */

static void print_clean(const struct ladder *ladder, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, ladder->out);
}

static void draw_names(const struct ladder *ladder)
{
	struct row row = {.width = ladder->width};

	memset(row.cell, ' ', sizeof(row.cell));
	put(&row, TIME_WIDTH - 2, "ms", 2);
	put(&row, line_at(ladder, 0), "A", 1);
	put(&row, line_at(ladder, 1) - 2, "Segue", 5);
	put(&row, line_at(ladder, 2), "B", 1);
	if (line_at(ladder, 0) == TIME_WIDTH + 1) /* the unit must not run into the name */
		row.cell[TIME_WIDTH] = ' ';
	print(ladder, &row);
}

void ladder_head(struct ladder *ladder, const json_t *call)
{
	json_int_t forgotten = json_integer_value(json_object_get(call, "steps_forgotten"));
	unsigned legs[2] = {0, 0};
	json_t *party;
	size_t i;

	fprintf(ladder->out, "call %s (%s): ", text_of(call, "id"), text_of(call, "state"));
	print_clean(ladder, text_of(call, "caller"));
	fputs(" calls ", ladder->out);
	print_clean(ladder, text_of(call, "callee"));
	fputc('\n', ladder->out);
	json_array_foreach(json_object_get(call, "parties"), i, party)
	{
		fprintf(ladder->out, "  leg %" JSON_INTEGER_FORMAT " (%s): %s %s, ours %s\n",
			json_integer_value(json_object_get(party, "leg")),
			side_of(party) ? "B" : "A", text_of(party, "proto"),
			text_of(party, "remote"), text_of(party, "local"));
		ladder->several[side_of(party)] = ++legs[side_of(party)] > 1;
	}
	if (forgotten)
		fprintf(ladder->out, "  %" JSON_INTEGER_FORMAT " earlier steps are forgotten\n",
			forgotten);
	fputc('\n', ladder->out);
	draw_names(ladder);
}
