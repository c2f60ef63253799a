/* SPDX-License-Identifier: BSD-2-Clause */
/* Text as a view of JSON: tables and field lists. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define CELL_LEN 320
#define COLUMNS_MAX 24 /* of any table below; the longest has 15 */

static const json_t *look_up(const json_t *row, const char *key)
{
	char part[32];
	const char *dot = strchr(key, '.');

	if (!dot)
		return json_object_get(row, key);
	snprintf(part, sizeof(part), "%.*s", (int)(dot - key), key);
	return look_up(json_object_get(row, part), dot + 1);
}

static void write_duration(json_int_t ms, char *out, size_t size)
{
	if (ms < 1000)
		snprintf(out, size, "%" JSON_INTEGER_FORMAT " ms", ms);
	else if (ms < 120 * 1000)
		snprintf(out, size, "%.1f s", (double)ms / 1e3);
	else if (ms < 120 * 60 * 1000)
		snprintf(out, size, "%" JSON_INTEGER_FORMAT " min", ms / 60000);
	else
		snprintf(out, size, "%.1f h", (double)ms / 3.6e6);
}

static void write_bytes(json_int_t bytes, char *out, size_t size)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t at = 0;

	while (value >= 1024 && at + 1 < sizeof(unit) / sizeof(unit[0])) {
		value /= 1024;
		at++;
	}
	snprintf(out, size, at ? "%.1f %s" : "%.0f %s", value, unit[at]);
}

static void write_number(const json_t *value, enum cell_format format, char *out, size_t size)
{
	json_int_t number = json_integer_value(value);

	if (format == CELL_DURATION)
		write_duration(number, out, size);
	else if (format == CELL_BYTES)
		write_bytes(number, out, size);
	else if (format == CELL_HEX)
		snprintf(out, size, "0x%08" PRIx32, (uint32_t)number);
	else
		snprintf(out, size, "%" JSON_INTEGER_FORMAT, number);
}

static void write_cell(const json_t *value, enum cell_format format, char *out, size_t size)
{
	if (!value || json_is_null(value))
		snprintf(out, size, "%s", format == CELL_DURATION ? "never" : "-");
	else if (json_is_string(value))
		snprintf(out, size, "%s", json_string_value(value));
	else if (json_is_boolean(value))
		snprintf(out, size, "%s",
			 json_is_true(value)	 ? "yes"
			 : format == CELL_YES_NO ? "-"
						 : "no");
	else if (json_is_real(value))
		snprintf(out, size, "%.2f", json_real_value(value));
	else if (json_is_integer(value))
		write_number(value, format, out, size);
	else
		snprintf(out, size, "-");
}

struct layout {
	int width;
	bool right; /* a column of numbers */
};

static void measure(const struct column *columns, const json_t *rows,
		    struct layout layout[COLUMNS_MAX])
{
	char cell[CELL_LEN];
	const json_t *row;
	size_t i;

	for (size_t c = 0; columns[c].title; c++)
		layout[c] = (struct layout){.width = (int)strlen(columns[c].title)};
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; columns[c].title; c++) {
			const json_t *value = look_up(row, columns[c].key);

			write_cell(value, columns[c].format, cell, sizeof(cell));
			if ((int)strlen(cell) > layout[c].width)
				layout[c].width = (int)strlen(cell);
			layout[c].right |= json_is_number(value);
		}
	}
}

static void print_cell(const struct layout *layout, const char *cell, bool last)
{
	if (layout->right)
		printf("%*s%s", layout->width, cell, last ? "" : "  ");
	else
		printf("%-*s%s", last ? 0 : layout->width, cell, last ? "" : "  ");
}

void text_table(const struct output *out, const struct column *columns, const json_t *rows)
{
	struct layout layout[COLUMNS_MAX];
	char cell[CELL_LEN];
	const json_t *row;
	size_t i;

	measure(columns, rows, layout);
	if (out->colour)
		printf("\033[1m");
	for (size_t c = 0; columns[c].title; c++)
		print_cell(&layout[c], columns[c].title, !columns[c + 1].title);
	printf("%s\n", out->colour ? "\033[0m" : "");
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; columns[c].title; c++) {
			write_cell(look_up(row, columns[c].key), columns[c].format, cell,
				   sizeof(cell));
			print_cell(&layout[c], cell, !columns[c + 1].title);
		}
		putchar('\n');
	}
}

void text_fields(const struct output *out, const struct column *columns, const json_t *record)
{
	char cell[CELL_LEN];
	int width = 0;

	for (const struct column *c = columns; c->title; c++) {
		if ((int)strlen(c->title) > width)
			width = (int)strlen(c->title);
	}
	for (const struct column *c = columns; c->title; c++) {
		write_cell(look_up(record, c->key), c->format, cell, sizeof(cell));
		printf("%s%-*s%s  %s\n", out->colour ? "\033[1m" : "", width, c->title,
		       out->colour ? "\033[0m" : "", cell);
	}
}
