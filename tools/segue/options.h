/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as declarative tables: the same table parses the command line and generates its help.
 */
#ifndef SEGUE_TOOL_OPTIONS_H
#define SEGUE_TOOL_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include <segue/relay.h>

struct option;

/* Reads `text` (NULL for a flag) into `field`; 0, or -EINVAL with the reason in `err`. */
typedef int option_parse_fn(const struct option *option, const char *text, void *field,
			    struct sg_error *err);

struct option {
	const char *name;  /* long form without its dashes; NULL: only a letter */
	char letter;	   /* short form, 0: none */
	const char *value; /* what the help calls the value; NULL: a flag */
	option_parse_fn *parse;
	size_t offset;	   /* of the field in the structure that the table fills */
	const void *param; /* for `parse`: struct range or struct choice[] */
	const char *help;
};

#define OPTIONS_END                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* A table and the structure that it fills. */
struct option_set {
	const struct option *options;
	void *base;
};

struct range {
	unsigned min, max;
};

struct choice {
	const char *name; /* NULL ends the array */
	int value;
};

option_parse_fn option_flag;   /* bool */
option_parse_fn option_text;   /* const char *, pointing into argv */
option_parse_fn option_number; /* unsigned; param: struct range */
option_parse_fn option_choice; /* int; param: struct choice[] */

/* Writes a sentence into err and returns -EINVAL, for parse functions. */
__attribute__((format(printf, 2, 3))) int option_error(struct sg_error *err, const char *format,
						       ...);
/* Decimal digits only, min..max; -EINVAL with the reason. */
int parse_number(const char *text, struct range range, unsigned *out, struct sg_error *err);
/* The name of `value` among the choices; "?" if there is none. */
const char *choice_name(const struct choice *choices, int value);

/* Parses the option at argv[*at] (and its value) and moves *at behind it. */
int options_parse_one(const struct option_set *sets, size_t count, int argc, char **argv, int *at,
		      struct sg_error *err);
/*
 * Parses argv[0..argc): options anywhere, "--" ends them. Operands are moved to the front of argv
 * in their order; returns how many, or -EINVAL.
 */
int options_parse(const struct option_set *sets, size_t count, int argc, char **argv,
		  struct sg_error *err);
/* One line for each option. */
void options_print(const struct option *options, FILE *out);

#endif
