/* SPDX-License-Identifier: BSD-2-Clause */
/* segue OBJECT COMMAND: finds the command in the tables, parses its options, opens the maps, runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

static const struct range watch_range = {1, 86400};

const struct option global_options[] = {
	{"json", 'j', NULL, option_flag, offsetof(struct globals, json), NULL,
	 "JSON in a versioned envelope; errors too"},
	{"pretty", 'p', NULL, option_flag, offsetof(struct globals, pretty), NULL,
	 "JSON, indented"},
	{"watch", 0, "N", option_number, offsetof(struct globals, watch), &watch_range,
	 "repeat every N seconds (reading commands)"},
	{"pin-dir", 0, "DIR", option_text, offsetof(struct globals, pin_dir), NULL,
	 "where the maps are pinned (" SG_PIN_DIR_DEFAULT ")"},
	{"control", 0, "PATH", option_text, offsetof(struct globals, control), NULL,
	 "segued's control socket (" DAEMON_SOCKET ", or SEGUE_CONTROL)"},
	{"help", 'h', NULL, option_flag, offsetof(struct globals, help), NULL, "this text"},
	{"version", 'V', NULL, option_flag, offsetof(struct globals, version), NULL,
	 "version of the tool and of the maps"},
	OPTIONS_END,
};

const struct object *const objects[] = {
	&call_object,	    &handover_object,
	&cdr_object,	    &registration_object,
	&subscriber_object, &ban_object,
	&status_object,	    &interface_object,
	&stream_object,	    &path_object,
	&port_object,	    &nexthop_object,
	&window_object,	    &drop_object,
	&map_object,	    &event_object,
	&follow_object,	    &doctor_object,
	&top_object,	    &trace_object,
	&capture_object,    NULL,
};

static const struct object *find_object(const char *name)
{
	for (size_t i = 0; objects[i]; i++) {
		if (strcmp(objects[i]->name, name) == 0)
			return objects[i];
	}
	return NULL;
}

static const struct command *find_command(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->command_count; i++) {
		if (strcmp(object->commands[i].name, name) == 0)
			return &object->commands[i];
	}
	return NULL;
}

/* An error in front of --json must already be JSON. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j") ||
		    !strcmp(argv[i], "--pretty") || !strcmp(argv[i], "-p"))
			return true;
	}
	return false;
}

/* The next operand, with the global options before it parsed; NULL at the end or with *rc < 0. */
static const char *next_word(struct cli *cli, int argc, char **argv, int *at, int *rc,
			     struct sg_error *err)
{
	const struct option_set set = {global_options, &cli->globals};

	*rc = 0;
	while (*at < argc && argv[*at][0] == '-' && argv[*at][1]) {
		*rc = options_parse_one(&set, 1, argc, argv, at, err);
		if (*rc < 0)
			return NULL;
	}
	return *at < argc ? argv[(*at)++] : NULL;
}

/* OBJECT and COMMAND into cli; *at is left behind them. An exit code. */
static int parse_words(struct cli *cli, int argc, char **argv, int *at)
{
	struct sg_error err;
	const char *word;
	int rc;

	word = next_word(cli, argc, argv, at, &rc, &err);
	if (word && strcmp(word, "help") == 0) {
		cli->globals.help = true;
		word = next_word(cli, argc, argv, at, &rc, &err);
	}
	if (rc < 0)
		return output_error(&cli->out, EXIT_USAGE, "%s (segue --help)", err.text);
	if (!word)
		return EXIT_OK;
	cli->object = find_object(word);
	if (!cli->object)
		return output_error(&cli->out, EXIT_USAGE,
				    "unknown object '%s': `segue --help` lists them", word);
	cli->out.object = cli->object->name;
	if (!cli->object->commands[0].name) {
		cli->command = &cli->object->commands[0];
		return EXIT_OK;
	}
	word = next_word(cli, argc, argv, at, &rc, &err);
	if (rc < 0)
		return cli_usage_error(cli, "%s", err.text);
	if (!word)
		return EXIT_OK;
	cli->command = find_command(cli->object, word);
	if (!cli->command)
		return cli_usage_error(cli, "unknown command '%s'", word);
	cli->out.command = cli->command->name;
	return EXIT_OK;
}

static int parse_rest(struct cli *cli, int argc, char **argv)
{
	const struct option_set sets[] = {
		{global_options, &cli->globals},
		{cli->command->options, cli->args},
	};
	struct sg_error err;

	cli->operand = argv;
	cli->operands = options_parse(sets, 2, argc, argv, &err);
	if (cli->operands < 0)
		return cli_usage_error(cli, "%s", err.text);
	return EXIT_OK;
}

static int check_operands(struct cli *cli)
{
	const struct command *command = cli->command;

	if (cli->operands < command->min_operands)
		return cli_usage_error(cli, "missing operand: %s", command->operands);
	if (cli->operands > command->max_operands)
		return cli_usage_error(cli, "operand '%s' is one too many",
				       cli->operand[command->max_operands]);
	if (cli->globals.watch && !command->repeats)
		return cli_usage_error(cli, "--watch is for reading commands");
	return command->check ? command->check(cli) : EXIT_OK;
}

static int run_once(struct cli *cli)
{
	int code = EXIT_OK;

	if (cli->command->access != ACCESS_NONE)
		code = cli_open(cli, cli->command->access == ACCESS_READ ? SG_OPEN_READ_ONLY : 0,
				0);
	if (code == EXIT_OK)
		code = cli->command->run(cli);
	if (cli->relay)
		sg_relay_close(cli->relay);
	cli->relay = NULL;
	return output_finish(&cli->out, code);
}

/* The maps are opened anew each time: they may have been made again meanwhile. */
static int run_watched(struct cli *cli)
{
	int code;

	cli_hold_signals();
	do {
		if (cli->out.colour)
			fputs("\033[H\033[2J", stdout);
		code = run_once(cli);
		if (!cli->out.json)
			putchar('\n');
	} while ((code == EXIT_OK || cli->object == &doctor_object) &&
		 !cli_stop_requested(cli->globals.watch * 1000));
	return code;
}

static int print_version(const struct cli *cli)
{
	output_line(&cli->out,
		    json_pack("{s:s, s:i, s:s}", "segue", SEGUE_VERSION, "abi", (int)SG_ABI_VERSION,
			      "maps", SG_MAP_VERSION),
		    "segue %s, maps %s (ABI %u)", SEGUE_VERSION, SG_MAP_VERSION, SG_ABI_VERSION);
	return output_finish(&cli->out, EXIT_OK);
}

static void all_text(const struct output *out, const json_t *data)
{
	(void)out;
	(void)data;
	usage_all(stdout);
}

static int print_help(const struct cli *cli)
{
	if (cli->command)
		usage_command(cli->object, cli->command, stdout);
	else if (cli->object)
		usage_object(cli->object, stdout);
	else
		output_data(&cli->out, usage_json(), all_text);
	return output_finish(&cli->out, EXIT_OK);
}

static int dispatch(struct cli *cli)
{
	int code;

	if (cli->globals.help)
		return print_help(cli);
	if (cli->globals.version)
		return print_version(cli);
	if (!cli->object) {
		if (!cli->out.json)
			usage_all(stderr);
		return output_error(&cli->out, EXIT_USAGE, "no object given");
	}
	if (!cli->command)
		return cli_usage_error(cli, "no command given");
	code = check_operands(cli);
	if (code != EXIT_OK)
		return code;
	return cli->globals.watch ? run_watched(cli) : run_once(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	int at = 1;
	int code;

	json_set_alloc_funcs(cli_alloc, free);
	output_init(&cli.out, asks_for_json(argc, argv), false);
	code = parse_words(&cli, argc, argv, &at);
	if (code != EXIT_OK)
		return code;
	if (cli.command) {
		cli.args = cli_alloc(cli.command->args_size);
		code = parse_rest(&cli, argc - at, argv + at);
	}
	cli.out.json = cli.globals.json || cli.globals.pretty;
	cli.out.pretty = cli.globals.pretty;
	if (code == EXIT_OK)
		code = dispatch(&cli);
	free(cli.args);
	return code;
}
