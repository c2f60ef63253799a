/* SPDX-License-Identifier: BSD-2-Clause */
/* segue cdr list|show: the records of calls that are over. */
#include "daemon.h"

static const struct column columns[] = {
	{"ID", "id", CELL_PLAIN},	  {"CALLER", "caller", CELL_PLAIN},
	{"CALLEE", "callee", CELL_PLAIN}, {"ENDED US", "ended_us", CELL_PLAIN},
	{"STATUS", "status", CELL_PLAIN}, {"HANDOVERS", "handovers", CELL_PLAIN},
	{"REASON", "reason", CELL_PLAIN}, {NULL, NULL, CELL_PLAIN},
};

struct list_args {
	unsigned last;
};

static const struct range last_range = {1, 1000};

static const struct option list_options[] = {
	{"last", 0, "N", option_number, offsetof(struct list_args, last), &last_range,
	 "so many (20), the newest one first"},
	OPTIONS_END,
};

static int cdr_list(struct cli *cli)
{
	const struct list_args *args = cli->args;
	int most = args->last ? (int)args->last : 20;
	json_t *data;
	int code = daemon_ask(cli, json_pack("{s:i}", "most", most), &data);

	if (code == EXIT_OK)
		daemon_print_rows(cli, columns, data);
	return code;
}

static int cdr_show(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, json_pack("{s:o}", "id", output_string(cli->operand[0])), &data);

	if (code == EXIT_OK)
		output_data(&cli->out, data, daemon_record_text);
	return code;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the newest call records of segued's store.",
		.run = cdr_list,
		.repeats = true,
		OPTIONS(list_options, struct list_args),
	},
	{
		.name = "show",
		.operands = "ID",
		.help = "Shows the record of a call: who, when, why it ended, what each path "
			"carried, its handovers. Looks at the newest 20000.",
		.run = cdr_show,
		OPERANDS(1, 1),
	},
};

const struct object cdr_object = {
	.name = "cdr",
	.help = "the records of calls that are over",
	OBJECT_COMMANDS(commands),
};
