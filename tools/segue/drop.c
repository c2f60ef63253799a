/* SPDX-License-Identifier: BSD-2-Clause */
/* segue drop list|show: why packets were not simply forwarded. */
#include <errno.h>
#include <string.h>

#include "view.h"

static const struct column columns[] = {
	{"REASON", "name", CELL_PLAIN}, {"FATE", "fate", CELL_PLAIN},
	{"COUNT", "count", CELL_PLAIN}, {"EXPLANATION", "explanation", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static json_t *view_reason(enum sg_reason reason, uint64_t count)
{
	return json_pack("{s:s, s:s, s:I, s:s}", "name", sg_reason_name(reason), "fate",
			 sg_reason_fate(reason), "count", (json_int_t)count, "explanation",
			 sg_reason_text(reason));
}

static int read_drops(struct cli *cli, uint64_t count[SG_REASON_COUNT])
{
	int rc = sg_drop_read(cli->relay, count);

	if (rc < 0)
		return output_error(&cli->out, EXIT_FAILED, "counters: %s", strerror(-rc));
	return EXIT_OK;
}

static int drop_list(struct cli *cli)
{
	uint64_t count[SG_REASON_COUNT];
	int code = read_drops(cli, count);

	if (code != EXIT_OK)
		return code;
	output_list_begin(&cli->out, columns);
	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++)
		output_list_row(&cli->out, view_reason((enum sg_reason)i, count[i]));
	output_list_end(&cli->out);
	return EXIT_OK;
}

static void drop_text(const struct output *out, const json_t *data)
{
	text_fields(out, columns, data);
}

static int drop_show(struct cli *cli)
{
	uint64_t count[SG_REASON_COUNT];
	int code = read_drops(cli, count);

	if (code != EXIT_OK)
		return code;
	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++) {
		if (strcmp(sg_reason_name((enum sg_reason)i), cli->operand[0]) != 0)
			continue;
		output_data(&cli->out, view_reason((enum sg_reason)i, count[i]), drop_text);
		return EXIT_OK;
	}
	return output_error(&cli->out, EXIT_NOT_FOUND,
			    "no reason is named '%s': `segue drop list` shows them",
			    cli->operand[0]);
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists every reason and how often it was met, over all CPUs.",
		.run = drop_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "REASON",
		.help = "Shows one reason.",
		.run = drop_show,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object drop_object = {
	.name = "drop",
	.help = "why packets were dropped",
	OBJECT_COMMANDS(commands),
};
