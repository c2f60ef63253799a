/* SPDX-License-Identifier: BSD-2-Clause */
/* segue stream list|show|set|del; adding is in stream_add.c. */
#include <errno.h>
#include <string.h>

#include "batch.h"
#include "stream_add.h"
#include "values.h"
#include "view.h"

static int stream_list(struct cli *cli)
{
	struct sg_stream_info info;
	uint32_t stream = 0;

	output_list_begin(&cli->out, view_stream_row_columns);
	for (; sg_stream_next(cli->relay, &stream); stream++) {
		if (sg_stream_info(cli->relay, stream, &info) == 0)
			output_list_row(&cli->out, view_stream_row(&info));
	}
	output_list_end(&cli->out);
	return EXIT_OK;
}

static int stream_show(struct cli *cli)
{
	struct sg_stream_info info;
	int code = cli_stream_info(cli, cli->operand[0], &info);

	if (code != EXIT_OK)
		return code;
	output_data(&cli->out, view_stream(&info), view_stream_text);
	return EXIT_OK;
}

struct set_args {
	int direction; /* enum sg_direction + 1, 0: not given */
};

static const struct option set_options[] = {
	{"direction", 0, "both|a-to-b|b-to-a|none", option_choice,
	 offsetof(struct set_args, direction), direction_choices,
	 "which way media is open; none is hold"},
	OPTIONS_END,
};

static int check_set(struct cli *cli)
{
	const struct set_args *args = cli->args;

	if (!args->direction)
		return cli_usage_error(cli, "nothing to set: --direction is missing");
	return EXIT_OK;
}

static int stream_set(struct cli *cli)
{
	const struct set_args *args = cli->args;
	const char *name = cli->operand[0];
	struct sg_error err = {""};
	uint32_t stream;
	int code, rc;

	code = cli_find_stream(cli, name, &stream);
	if (code != EXIT_OK)
		return code;
	rc = sg_stream_set_direction(cli->relay, stream, (enum sg_direction)(args->direction - 1),
				     &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	output_line(&cli->out,
		    json_pack("{s:o, s:s}", "name", output_string(name), "direction",
			      choice_name(direction_choices, args->direction)),
		    "stream %s: direction %s", name,
		    choice_name(direction_choices, args->direction));
	return EXIT_OK;
}

struct del_args {
	const char *batch;
	bool keep_going;
};

static const struct option del_options[] = {
	{"batch", 0, "FILE|-", option_text, offsetof(struct del_args, batch), NULL,
	 "one NAME on each line"},
	{"continue", 0, NULL, option_flag, offsetof(struct del_args, keep_going), NULL,
	 "with --batch: go on after an error"},
	OPTIONS_END,
};

static int remove_named(struct cli *cli, const char *name, struct sg_error *err)
{
	uint32_t stream;
	int rc = sg_stream_find(cli->relay, name, &stream);

	if (rc == -ENOENT) {
		snprintf(err->text, sizeof(err->text), "no stream is named '%.100s'", name);
		return rc;
	}
	return rc < 0 ? rc : sg_stream_remove(cli->relay, stream, err);
}

static int remove_line(struct cli *cli, int argc, char **argv, struct sg_error *err)
{
	if (argc != 1)
		return option_error(err, "a line is one NAME");
	return remove_named(cli, argv[0], err);
}

static int check_del(struct cli *cli)
{
	const struct del_args *args = cli->args;

	if (args->batch && cli->operands)
		return cli_usage_error(cli, "--batch takes the names from its file");
	if (!args->batch && args->keep_going)
		return cli_usage_error(cli, "--continue belongs to --batch");
	if (!args->batch && !cli->operands)
		return cli_usage_error(cli, "missing operand: NAME");
	return EXIT_OK;
}

/* All names are looked up before the first is removed: a wrong one changes nothing. */
static int stream_del(struct cli *cli)
{
	const struct del_args *args = cli->args;
	json_t *removed;
	uint32_t stream;
	int code;

	if (args->batch)
		return batch_run(cli, args->batch, args->keep_going, remove_line, "removed");
	for (int i = 0; i < cli->operands; i++) {
		code = cli_find_stream(cli, cli->operand[i], &stream);
		if (code != EXIT_OK)
			return code;
	}
	removed = json_array();
	for (int i = 0; i < cli->operands; i++) {
		struct sg_error err = {""};
		int rc = remove_named(cli, cli->operand[i], &err);

		if (rc < 0) {
			json_decref(removed);
			return cli_refused(cli, rc, &err);
		}
		json_array_append_new(removed, output_string(cli->operand[i]));
	}
	output_line(&cli->out, json_pack("{s:o}", "removed", removed), "%d stream%s removed",
		    cli->operands, cli->operands == 1 ? "" : "s");
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "add",
		.operands = "NAME -a LOCAL:PORT=REMOTE:PORT -b LOCAL:PORT=REMOTE:PORT",
		.help = "Installs a stream: RTP between side A and side B. Also --batch FILE.",
		.check = stream_add_check,
		.run = stream_add,
		OPERANDS(0, 1),
		.access = ACCESS_WRITE,
		OPTIONS(stream_add_options, struct stream_add_args),
	},
	{
		.name = "list",
		.operands = "",
		.help = "Lists the streams with their totals.",
		.run = stream_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "NAME",
		.help = "Shows a stream, its paths and their counters.",
		.run = stream_show,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "set",
		.operands = "NAME",
		.help = "Opens or closes the directions of a stream (hold and resume).",
		.check = check_set,
		.run = stream_set,
		OPERANDS(1, 1),
		.access = ACCESS_WRITE,
		OPTIONS(set_options, struct set_args),
	},
	{
		.name = "del",
		.operands = "NAME...",
		.help = "Removes streams; their ports rest before they are used again.",
		.check = check_del,
		.run = stream_del,
		OPERANDS(0, 1 << 20),
		.access = ACCESS_WRITE,
		OPTIONS(del_options, struct del_args),
	},
};

const struct object stream_object = {
	.name = "stream",
	.help = "one m= line of a call",
	OBJECT_COMMANDS(commands),
};
