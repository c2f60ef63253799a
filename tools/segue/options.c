/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

int option_error(struct sg_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -EINVAL;
}

int option_flag(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	(void)option;
	(void)text;
	(void)err;
	*(bool *)field = true;
	return 0;
}

int option_text(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	(void)option;
	if (!*text)
		return option_error(err, "the value is empty");
	*(const char **)field = text;
	return 0;
}

int parse_number(const char *text, struct range range, unsigned *out, struct sg_error *err)
{
	char *end = NULL;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < range.min ||
	    value > range.max)
		return option_error(err, "'%s' is not a number from %u to %u", text, range.min,
				    range.max);
	*out = (unsigned)value;
	return 0;
}

int option_number(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	return parse_number(text, *(const struct range *)option->param, field, err);
}

static void join_choices(const struct choice *choices, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (const struct choice *c = choices; c->name && used < size; c++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", c == choices ? "" : ", ",
					 c->name);
}

int option_choice(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	const struct choice *choices = option->param;
	char all[128];

	for (const struct choice *c = choices; c->name; c++) {
		if (strcmp(c->name, text) == 0) {
			*(int *)field = c->value;
			return 0;
		}
	}
	join_choices(choices, all, sizeof(all));
	return option_error(err, "'%s' is not one of: %s", text, all);
}

const char *choice_name(const struct choice *choices, int value)
{
	for (const struct choice *c = choices; c->name; c++) {
		if (c->value == value)
			return c->name;
	}
	return "?";
}

static bool matches(const struct option *option, const char *word, size_t length)
{
	if (length == 2 && word[0] == '-' && word[1] != '-')
		return option->letter == word[1];
	return option->name && length == strlen(option->name) + 2 && strncmp(word, "--", 2) == 0 &&
	       strncmp(word + 2, option->name, length - 2) == 0;
}

static const struct option *find_option(const struct option_set *sets, size_t count,
					const char *word, size_t length, void **base)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *option = sets[i].options;

		for (; option && option->parse; option++) {
			if (matches(option, word, length)) {
				*base = sets[i].base;
				return option;
			}
		}
	}
	return NULL;
}

int options_parse_one(const struct option_set *sets, size_t count, int argc, char **argv, int *at,
		      struct sg_error *err)
{
	const char *word = argv[(*at)++];
	const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const char *text = equals ? equals + 1 : NULL;
	const struct option *option;
	struct sg_error why;
	void *base = NULL;

	option = find_option(sets, count, word, length, &base);
	if (!option)
		return option_error(err, "unknown option '%.*s'", (int)length, word);
	if (!option->value && text)
		return option_error(err, "option '%.*s' takes no value", (int)length, word);
	if (option->value && !text) {
		if (*at >= argc)
			return option_error(err, "option '%s' needs a value: %s", word,
					    option->value);
		text = argv[(*at)++];
	}
	if (option->parse(option, text, (char *)base + option->offset, &why) == 0)
		return 0;
	return option_error(err, "option '%.*s': %.250s", (int)length, word, why.text);
}

int options_parse(const struct option_set *sets, size_t count, int argc, char **argv,
		  struct sg_error *err)
{
	int operands = 0;
	int at = 0;

	while (at < argc) {
		if (strcmp(argv[at], "--") == 0) {
			for (at++; at < argc; at++)
				argv[operands++] = argv[at];
			break;
		}
		/* "-" alone is an operand: standard input. */
		if (argv[at][0] != '-' || !argv[at][1]) {
			argv[operands++] = argv[at++];
			continue;
		}
		if (options_parse_one(sets, count, argc, argv, &at, err) < 0)
			return -EINVAL;
	}
	return operands;
}

void options_print(const struct option *options, FILE *out)
{
	for (const struct option *o = options; o && o->parse; o++) {
		char form[96];
		int used = 0;

		if (o->letter)
			used = snprintf(form, sizeof(form), "-%c%s", o->letter,
					o->name ? ", " : "");
		if (o->name)
			used += snprintf(form + used, sizeof(form) - (size_t)used, "--%s", o->name);
		if (o->value)
			snprintf(form + used, sizeof(form) - (size_t)used, " %s", o->value);
		if (strlen(form) > 28)
			fprintf(out, "  %s\n  %-28s  %s\n", form, "", o->help);
		else
			fprintf(out, "  %-28s  %s\n", form, o->help);
	}
}
