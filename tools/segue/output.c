/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

void output_init(struct output *out, bool json, bool pretty)
{
	*out = (struct output){
		.json = json,
		.pretty = pretty,
		.colour = !json && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
}

static size_t dump_flags(const struct output *out)
{
	return JSON_PRESERVE_ORDER | (out->pretty ? JSON_INDENT(2) : JSON_COMPACT) |
	       JSON_ENCODE_ANY | JSON_REAL_PRECISION(12);
}

json_t *output_string(const char *bytes)
{
	json_t *string = json_string(bytes);
	char *copy;

	if (string)
		return string;
	copy = strdup(bytes);
	if (!copy)
		return json_string("?");
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	string = json_string(copy);
	free(copy);
	return string;
}

json_t *output_optional(const char *text)
{
	return text && *text ? output_string(text) : json_null();
}

/* What the caller typed may hold escape sequences: a terminal must not see them. */
static void disarm(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static void error_text(const struct output *out, const char *text)
{
	const char *red = isatty(STDERR_FILENO) && !getenv("NO_COLOR") ? "\033[31m" : "";

	fprintf(stderr, "%ssegue:%s ", red, *red ? "\033[0m" : "");
	if (out->object)
		fprintf(stderr, "%s%s%s: ", out->object, out->command ? " " : "",
			out->command ? out->command : "");
	fprintf(stderr, "%s\n", text);
}

static void error_json(const struct output *out, enum exit_code code, const char *text)
{
	static const char *const kind[] = {"ok", "failed", "usage", "not-found"};
	json_t *error = json_pack("{s:i, s:o, s:o, s:{s:i, s:s, s:o}}", "version", OUTPUT_VERSION,
				  "object", output_optional(out->object), "command",
				  output_optional(out->command), "error", "exit", (int)code, "kind",
				  kind[code], "text", output_string(text));

	json_dumpf(error, stderr, dump_flags(out));
	fputc('\n', stderr);
	json_decref(error);
}

int output_error(const struct output *out, enum exit_code code, const char *format, ...)
{
	char text[640];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	disarm(text);
	/* In order with what was already said, when both go to one place. */
	fflush(stdout);
	if (out->json)
		error_json(out, code, text);
	else
		error_text(out, text);
	return (int)code;
}

int output_finish(const struct output *out, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return output_error(out, EXIT_FAILED, "standard output: %s", strerror(errno));
}

static json_t *envelope(const struct output *out, json_t *data)
{
	return json_pack("{s:i, s:o, s:o, s:o}", "version", OUTPUT_VERSION, "object",
			 output_optional(out->object), "command", output_optional(out->command),
			 "data", data);
}

static void print_envelope(const struct output *out, json_t *data)
{
	json_t *whole = envelope(out, data);

	json_dumpf(whole, stdout, dump_flags(out));
	putchar('\n');
	json_decref(whole);
}

void output_data(const struct output *out, json_t *data, output_text_fn *text)
{
	if (out->json) {
		print_envelope(out, data);
	} else {
		text(out, data);
		json_decref(data);
	}
	fflush(stdout);
}

void output_line(const struct output *out, json_t *data, const char *line, ...)
{
	va_list args;

	if (out->json) {
		print_envelope(out, data);
	} else {
		va_start(args, line);
		vprintf(line, args);
		va_end(args);
		putchar('\n');
		json_decref(data);
	}
	fflush(stdout);
}

void output_list_begin(struct output *out, const struct column *columns)
{
	out->rows = 0;
	out->columns = columns;
	if (!out->json) {
		out->pending = json_array();
		return;
	}
	printf("{\"version\":%d,\"object\":\"%s\",\"command\":", OUTPUT_VERSION, out->object);
	if (out->command)
		printf("\"%s\"", out->command);
	else
		printf("null");
	printf(",\"data\":[");
}

void output_list_row(struct output *out, json_t *row)
{
	out->rows++;
	if (!out->json) {
		json_array_append_new(out->pending, row);
		return;
	}
	printf("%s\n", out->rows > 1 ? "," : "");
	json_dumpf(row, stdout, dump_flags(out));
	json_decref(row);
}

void output_list_end(struct output *out)
{
	if (out->json) {
		printf("%s]}\n", out->rows ? "\n" : "");
	} else {
		text_table(out, out->columns, out->pending);
		json_decref(out->pending);
		out->pending = NULL;
	}
	fflush(stdout);
}
