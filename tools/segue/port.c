/* SPDX-License-Identifier: BSD-2-Clause */
/* segue port list|show */
#include <string.h>

#include "values.h"
#include "view.h"

static const struct column columns[] = {
	{"LOCAL", "local", CELL_PLAIN},		 {"STATE", "state", CELL_PLAIN},
	{"STREAM", "stream", CELL_PLAIN},	 {"SIDE", "side", CELL_PLAIN},
	{"INDEX", "index", CELL_PLAIN},		 {"CARRIES", "component", CELL_PLAIN},
	{"REST ms", "rest_left_ms", CELL_PLAIN}, {NULL, NULL, CELL_PLAIN},
};

/* Neighbouring ports mostly belong to one stream: its name is read once. */
struct names {
	bool known;
	uint32_t stream;
	char name[SG_NAME_LEN];
};

static const char *stream_name(struct cli *cli, struct names *names, uint32_t stream)
{
	if (!names->known || names->stream != stream) {
		names->known = true;
		names->stream = stream;
		cli_stream_name(cli, stream, names->name);
	}
	return names->name;
}

static json_t *view_port(struct cli *cli, const struct sg_port_info *port, struct names *names)
{
	static const char *const component[] = {"rtp", "rtcp", "rtp+rtcp", "opaque"};

	if (port->resting)
		return json_pack("{s:o, s:s, s:I, s:n, s:n, s:n, s:n}", "local",
				 view_endpoint(&port->local), "state", "resting", "rest_left_ms",
				 (json_int_t)port->rest_left_ms, "stream", "side", "index",
				 "component");
	return json_pack("{s:o, s:s, s:n, s:o, s:s, s:i, s:s}", "local",
			 view_endpoint(&port->local), "state", "live", "rest_left_ms", "stream",
			 output_optional(stream_name(cli, names, port->stream)), "side",
			 side_name(port->side), "index", (int)port->slot, "component",
			 port->component <= SG_OPAQUE ? component[port->component] : "?");
}

struct list_args {
	const char *stream;
};

static const struct option list_options[] = {
	{"stream", 0, "NAME", option_text, offsetof(struct list_args, stream), NULL,
	 "only the ports of this stream"},
	OPTIONS_END,
};

static int port_list(struct cli *cli)
{
	const struct list_args *args = cli->args;
	struct names names = {0};
	struct sg_port_info port;
	uint32_t cursor = 0, stream = 0;
	int code = args->stream ? cli_find_stream(cli, args->stream, &stream) : EXIT_OK;

	if (code != EXIT_OK)
		return code;
	output_list_begin(&cli->out, columns);
	while (sg_port_next(cli->relay, &cursor, &port)) {
		if (!args->stream || (!port.resting && port.stream == stream))
			output_list_row(&cli->out, view_port(cli, &port, &names));
	}
	output_list_end(&cli->out);
	return EXIT_OK;
}

static void port_text(const struct output *out, const json_t *data)
{
	text_fields(out, columns, data);
}

struct show_args {
	struct sg_endpoint wanted;
};

static int check_show(struct cli *cli)
{
	struct show_args *args = cli->args;
	struct sg_error err = {""};

	if (sg_endpoint_parse(&args->wanted, cli->operand[0], &err) < 0)
		return cli_usage_error(cli, "%s", err.text);
	return EXIT_OK;
}

static int port_show(struct cli *cli)
{
	const struct sg_endpoint *wanted = &((const struct show_args *)cli->args)->wanted;
	struct names names = {0};
	struct sg_port_info port;
	uint32_t cursor = 0;

	while (sg_port_next(cli->relay, &cursor, &port)) {
		if (port.local.port != wanted->port ||
		    memcmp(port.local.addr, wanted->addr, sizeof(wanted->addr)) != 0)
			continue;
		output_data(&cli->out, view_port(cli, &port, &names), port_text);
		return EXIT_OK;
	}
	return output_error(&cli->out, EXIT_NOT_FOUND,
			    "port %s is neither live nor resting: packets to it go to the stack",
			    cli->operand[0]);
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the ports in use and the ones that rest.",
		.run = port_list,
		.access = ACCESS_READ,
		.repeats = true,
		OPTIONS(list_options, struct list_args),
	},
	{
		.name = "show",
		.operands = "LOCAL:PORT",
		.help = "Shows whose a port is.",
		.check = check_show,
		.run = port_show,
		.args_size = sizeof(struct show_args),
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object port_object = {
	.name = "port",
	.help = "a port of ours",
	OBJECT_COMMANDS(commands),
};
