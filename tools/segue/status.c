/* SPDX-License-Identifier: BSD-2-Clause */
/* segue status: how a running segued is. */
#include "daemon.h"

static int status_show(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, NULL, &data);

	if (code == EXIT_OK)
		output_data(&cli->out, data, daemon_record_text);
	return code;
}

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "",
		.help = "Shows how a running segued is: listeners, calls, SIP counters, the store.",
		.run = status_show,
		.repeats = true,
	},
};

const struct object status_object = {
	.name = "status",
	.help = "how a running segued is",
	OBJECT_COMMANDS(commands),
};
