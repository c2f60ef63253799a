/* SPDX-License-Identifier: BSD-2-Clause */
/* segue window list|show: what the de-duplication of each side stands at. */
#include "values.h"
#include "view.h"

static const struct column columns[] = {
	{"STREAM", "stream", CELL_PLAIN},   {"SIDE", "side", CELL_PLAIN},
	{"SSRC", "ssrc", CELL_HEX},	    {"HIGHEST", "highest", CELL_PLAIN},
	{"LAST", "last_ms", CELL_DURATION}, {NULL, NULL, CELL_PLAIN},
};

static void list_side(struct cli *cli, uint32_t stream, const char *name, enum sg_side side)
{
	struct sg_window_info window[SG_SSRCS];
	int count = sg_window_read(cli->relay, stream, side, window);

	for (int i = 0; i < count; i++)
		output_list_row(&cli->out, json_pack("{s:o, s:s, s:I, s:i, s:o}", "stream",
						     output_string(name), "side", side_name(side),
						     "ssrc", (json_int_t)window[i].ssrc, "highest",
						     (int)window[i].highest, "last_ms",
						     cli_since_ms(window[i].last_ns)));
}

static void list_stream(struct cli *cli, uint32_t stream, const char *name)
{
	list_side(cli, stream, name, SG_SIDE_A);
	list_side(cli, stream, name, SG_SIDE_B);
}

static int window_list(struct cli *cli)
{
	char name[SG_NAME_LEN];
	uint32_t stream = 0;

	output_list_begin(&cli->out, columns);
	for (; sg_stream_next(cli->relay, &stream); stream++) {
		cli_stream_name(cli, stream, name);
		list_stream(cli, stream, name);
	}
	output_list_end(&cli->out);
	return EXIT_OK;
}

static int window_show(struct cli *cli)
{
	uint32_t stream;
	int code = cli_find_stream(cli, cli->operand[0], &stream);

	if (code != EXIT_OK)
		return code;
	output_list_begin(&cli->out, columns);
	list_stream(cli, stream, cli->operand[0]);
	output_list_end(&cli->out);
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the windows of all streams.",
		.run = window_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "NAME",
		.help = "Shows the windows of a stream: one for each side and SSRC.",
		.run = window_show,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object window_object = {
	.name = "window",
	.help = "de-duplication history",
	OBJECT_COMMANDS(commands),
};
