/* SPDX-License-Identifier: BSD-2-Clause */
/* segue handover list|show|start|finish|abort: parties that move, in a running segued. */
#include "daemon.h"

static const struct column columns[] = {
	{"CALL", "call", CELL_PLAIN},
	{"SIDE", "side", CELL_PLAIN},
	{"SCHEME", "scheme", CELL_PLAIN},
	{"STATE", "state", CELL_PLAIN},
	{"MAP US", "changed_us", CELL_PLAIN},
	{"LOST", "lost", CELL_PLAIN},
	{"DOUBLED", "doubled", CELL_PLAIN},
	{"REMOVED", "copies_removed", CELL_PLAIN},
	{"REORDERED", "reordered", CELL_PLAIN},
	{"SKEW MS", "skew_ms", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static int handover_list(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, NULL, &data);

	if (code == EXIT_OK)
		daemon_print_rows(cli, columns, data);
	return code;
}

static json_t *of_call(const struct cli *cli)
{
	return json_pack("{s:o}", "id", output_string(cli->operand[0]));
}

static int handover_show(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, of_call(cli), &data);

	if (code == EXIT_OK)
		output_data(&cli->out, json_pack("{s:o}", "handovers", data), daemon_record_text);
	return code;
}

static int handover_end(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, of_call(cli), &data);

	if (code == EXIT_OK)
		output_line(&cli->out, data, "the handover of call %s is over", cli->operand[0]);
	return code;
}

static int handover_start(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, of_call(cli), &data);

	if (code == EXIT_OK)
		output_line(&cli->out, data, "call %s: the other network is asked",
			    cli->operand[0]);
	return code;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the handovers that run, and the last ones of each call.",
		.run = handover_list,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "CALL",
		.help = "Shows the reports of a call: when each step happened, in microseconds "
			"after "
			"the request; packets lost, copies removed, skew of the paths.",
		.run = handover_show,
		OPERANDS(1, 1),
		.repeats = true,
	},
	{
		.name = "start",
		.operands = "CALL",
		.help = "Moves a party to its other network: the contact that it has registered "
			"there is sent an INVITE with Replaces.",
		.run = handover_start,
		OPERANDS(1, 1),
	},
	{
		.name = "finish",
		.operands = "CALL",
		.help = "Lets the old leg go now: the new one carries the call.",
		.run = handover_end,
		OPERANDS(1, 1),
	},
	{
		.name = "abort",
		.operands = "CALL",
		.help = "Lets the new leg go: the old one carries the call.",
		.run = handover_end,
		OPERANDS(1, 1),
	},
};

const struct object handover_object = {
	.name = "handover",
	.help = "parties that move from one network to another",
	OBJECT_COMMANDS(commands),
};
