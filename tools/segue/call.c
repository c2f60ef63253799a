/* SPDX-License-Identifier: BSD-2-Clause */
/* segue call list|show|end: the calls of a running segued. */
#include "daemon.h"
#include "story.h"

static const struct column columns[] = {
	{"ID", "id", CELL_PLAIN},	  {"STATE", "state", CELL_PLAIN},
	{"CALLER", "caller", CELL_PLAIN}, {"CALLEE", "callee", CELL_PLAIN},
	{"AGE", "age_ms", CELL_DURATION}, {NULL, NULL, CELL_PLAIN},
};

struct list_args {
	bool ended;
};

static const struct option list_options[] = {
	{"ended", 0, NULL, option_flag, offsetof(struct list_args, ended), NULL,
	 "calls that are over and whose story is still there, the last one first"},
	OPTIONS_END,
};

static int call_list(struct cli *cli)
{
	const struct list_args *args = cli->args;
	json_t *data;
	int code = daemon_ask(cli, json_pack("{s:b}", "ended", args->ended), &data);

	if (code == EXIT_OK)
		daemon_print_rows(cli, columns, data);
	return code;
}

static const struct column story_columns[] = {
	{"AFTER MS", "after_ms", CELL_PLAIN}, {"SIDE", "side", CELL_PLAIN},
	{"LEG", "leg", CELL_PLAIN},	      {"STEP", "step", CELL_PLAIN},
	{"FROM", "from", CELL_PLAIN},	      {"TO", "to", CELL_PLAIN},
	{"MORE", "remark", CELL_PLAIN},	      {NULL, NULL, CELL_PLAIN},
};

/* The story has a table of its own: its steps are of several kinds. */
static void show_text(const struct output *out, const json_t *data)
{
	json_t *rest = json_copy((json_t *)(uintptr_t)data), *rows = json_array(), *step;
	size_t i;

	json_object_del(rest, "steps");
	json_object_del(rest, "parties");
	daemon_record_text(out, rest);
	json_array_foreach(json_object_get(data, "steps"), i, step)
	{
		json_array_append_new(rows, story_row(step));
	}
	printf("\n%sstory%s\n", out->colour ? "\033[1m" : "", out->colour ? "\033[0m" : "");
	text_table(out, story_columns, rows);
	json_decref(rows);
	json_decref(rest);
}

static int call_show(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, json_pack("{s:o}", "id", output_string(cli->operand[0])), &data);

	if (code == EXIT_OK)
		output_data(&cli->out, data, show_text);
	return code;
}

struct end_args {
	const char *reason;
};

static const struct option end_options[] = {
	{"reason", 0, "TEXT", option_text, offsetof(struct end_args, reason), NULL,
	 "what the parties are told in the Reason header"},
	OPTIONS_END,
};

static int call_end(struct cli *cli)
{
	const struct end_args *args = cli->args;
	const char *id = cli->operand[0];
	json_t *request = json_pack("{s:o}", "id", output_string(id)), *data;
	int code;

	if (args->reason)
		json_object_set_new(request, "reason", output_string(args->reason));
	code = daemon_ask(cli, request, &data);
	if (code == EXIT_OK)
		output_line(&cli->out, data, "call %s ended", id);
	return code;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the calls.",
		.run = call_list,
		.repeats = true,
		OPTIONS(list_options, struct list_args),
	},
	{
		.name = "show",
		.operands = "ID",
		.help = "Shows a call: its sides, legs, streams, and its story: each SIP message "
			"and "
			"step. Of one that is over, its story.",
		.run = call_show,
		OPERANDS(1, 1),
		.repeats = true,
	},
	{
		.name = "end",
		.operands = "ID",
		.help = "Ends a call: both parties are sent a BYE.",
		.run = call_end,
		OPERANDS(1, 1),
		OPTIONS(end_options, struct end_args),
	},
};

const struct object call_object = {
	.name = "call",
	.help = "the calls of a running segued",
	OBJECT_COMMANDS(commands),
};
