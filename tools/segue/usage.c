/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, generated from the tables that parse. */
#include <string.h>

#include "cli.h"

static const char exits[] =
	"\nExit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 not found.\n";

static void print_form(const struct object *object, const struct command *command, FILE *out)
{
	fprintf(out, "segue %s%s%s%s%s%s\n", object->name, command->name ? " " : "",
		command->name ? command->name : "", *command->operands ? " " : "",
		command->operands, command->options ? " [OPTION...]" : "");
}

void usage_all(FILE *out)
{
	fputs("Usage: segue OBJECT COMMAND [OPERAND...] [OPTION...]\n\nObjects:\n", out);
	for (size_t i = 0; objects[i]; i++) {
		const struct object *object = objects[i];

		fprintf(out, "  %-12s %s", object->name, object->help);
		for (size_t c = 0; c < object->command_count && object->commands[c].name; c++)
			fprintf(out, "%s%s", c ? ", " : ": ", object->commands[c].name);
		fputc('\n', out);
	}
	fputs("\nOptions everywhere:\n", out);
	options_print(global_options, out);
	fputs("\n`segue OBJECT --help` and `segue OBJECT COMMAND --help` say more; so does "
	      "segue(1).\n",
	      out);
	fputs(exits, out);
}

void usage_object(const struct object *object, FILE *out)
{
	fprintf(out, "segue %s: %s\n\n", object->name, object->help);
	for (size_t c = 0; c < object->command_count; c++) {
		fputs("  ", out);
		print_form(object, &object->commands[c], out);
		fprintf(out, "        %s\n", object->commands[c].help);
	}
	fputs("\nOptions everywhere:\n", out);
	options_print(global_options, out);
	fputs(exits, out);
}

void usage_command(const struct object *object, const struct command *command, FILE *out)
{
	fputs("Usage: ", out);
	print_form(object, command, out);
	fprintf(out, "\n  %s\n", command->help);
	if (command->options) {
		fputs("\nOptions:\n", out);
		options_print(command->options, out);
	}
	fputs("\nOptions everywhere:\n", out);
	options_print(global_options, out);
	fputs(exits, out);
}

static json_t *options_json(const struct option *options)
{
	json_t *list = json_array();

	for (const struct option *o = options; o && o->parse; o++) {
		const char letter[2] = {o->letter, 0};

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:s}", "name",
						      output_optional(o->name), "letter",
						      output_optional(letter), "value",
						      output_optional(o->value), "help", o->help));
	}
	return list;
}

json_t *usage_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; objects[i]; i++) {
		json_t *commands = json_array();

		for (size_t c = 0; c < objects[i]->command_count; c++) {
			const struct command *command = &objects[i]->commands[c];

			json_array_append_new(commands,
					      json_pack("{s:o, s:s, s:s, s:b, s:o}", "name",
							output_optional(command->name), "operands",
							command->operands, "help", command->help,
							"watch", command->repeats, "options",
							options_json(command->options)));
		}
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:o}", "name", objects[i]->name, "help",
						objects[i]->help, "commands", commands));
	}
	return json_pack("{s:o, s:o}", "objects", list, "options", options_json(global_options));
}
