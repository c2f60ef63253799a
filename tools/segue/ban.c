/* SPDX-License-Identifier: BSD-2-Clause */
/* segue ban list|add|del: sources that a running segued does not hear. */
#include "daemon.h"

static const struct column columns[] = {
	{"SOURCE", "source", CELL_PLAIN},	  {"CAUSE", "cause", CELL_PLAIN},
	{"EXPIRES", "expires_ms", CELL_DURATION}, {"SINCE", "since_ms", CELL_DURATION},
	{"DROPPED", "dropped", CELL_PLAIN},	  {NULL, NULL, CELL_PLAIN},
};

static int ban_list(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, NULL, &data);

	if (code != EXIT_OK)
		return code;
	daemon_print_rows(cli, columns, json_incref(json_object_get(data, "bans")));
	json_decref(data);
	return EXIT_OK;
}

#define DEFAULT_SECONDS 3600u

struct ban_add_args {
	unsigned seconds;
	bool for_ever;
};

static const struct range seconds_range = {1, 3650u * 86400u};

static const struct option ban_add_options[] = {
	{"for", 0, "SECONDS", option_number, offsetof(struct ban_add_args, seconds), &seconds_range,
	 "how long (3600)"},
	{"for-ever", 0, NULL, option_flag, offsetof(struct ban_add_args, for_ever), NULL,
	 "until it is removed"},
	OPTIONS_END,
};

static int ban_add_check(struct cli *cli)
{
	const struct ban_add_args *args = cli->args;

	if (args->seconds && args->for_ever)
		return cli_usage_error(cli, "--for or --for-ever, not both");
	return EXIT_OK;
}

static int ban_add(struct cli *cli)
{
	const struct ban_add_args *args = cli->args;
	json_t *request = json_pack("{s:o}", "source", output_string(cli->operand[0])), *data;
	int code;

	if (!args->for_ever)
		json_object_set_new(request, "seconds",
				    json_integer(args->seconds ? args->seconds : DEFAULT_SECONDS));
	code = daemon_ask(cli, request, &data);
	if (code == EXIT_OK)
		output_line(&cli->out, data, "%s is banned", cli->operand[0]);
	return code;
}

static int ban_del(struct cli *cli)
{
	json_t *request = json_pack("{s:o}", "source", output_string(cli->operand[0])), *data;
	int code = daemon_ask(cli, request, &data);

	if (code == EXIT_OK)
		output_line(&cli->out, data, "%s is heard again", cli->operand[0]);
	return code;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the sources that are banned, why, how long they still are, and how "
			"many of their packets were dropped.",
		.run = ban_list,
		.repeats = true,
	},
	{
		.name = "add",
		.operands = "ADDRESS",
		.help = "Bans an IPv4 address, or the /64 of an IPv6 one: what it sends to SIP "
			"ports is dropped.",
		.run = ban_add,
		.check = ban_add_check,
		.options = ban_add_options,
		.args_size = sizeof(struct ban_add_args),
		OPERANDS(1, 1),
	},
	{
		.name = "del",
		.operands = "ADDRESS",
		.help = "Ends the ban of a source.",
		.run = ban_del,
		OPERANDS(1, 1),
	},
};

const struct object ban_object = {
	.name = "ban",
	.help = "sources that a running segued does not hear",
	OBJECT_COMMANDS(commands),
};
