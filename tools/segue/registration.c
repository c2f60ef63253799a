/* SPDX-License-Identifier: BSD-2-Clause */
/* segue registration list|del: where a running segued finds its subscribers. */
#include "daemon.h"

static const struct column columns[] = {
	{"USER", "aor", CELL_PLAIN},
	{"CONTACT", "contact", CELL_PLAIN},
	{"FROM", "from", CELL_PLAIN},
	{"Q", "q", CELL_PLAIN},
	{"EXPIRES", "expires_ms", CELL_DURATION},
	{NULL, NULL, CELL_PLAIN},
};

static int registration_list(struct cli *cli)
{
	json_t *request = json_object(), *data;
	int code;

	if (cli->operands)
		json_object_set_new(request, "aor", output_string(cli->operand[0]));
	code = daemon_ask(cli, request, &data);
	if (code != EXIT_OK)
		return code;
	daemon_print_rows(cli, columns, json_incref(json_object_get(data, "registrations")));
	json_decref(data);
	return EXIT_OK;
}

static int registration_del(struct cli *cli)
{
	json_t *request = json_pack("{s:o}", "aor", output_string(cli->operand[0])), *data;
	int code;

	if (cli->operands > 1)
		json_object_set_new(request, "contact", output_string(cli->operand[1]));
	code = daemon_ask(cli, request, &data);
	if (code == EXIT_OK) {
		long long removed = json_integer_value(json_object_get(data, "removed"));

		output_line(&cli->out, data, "%lld registration%s of %s removed", removed,
			    removed == 1 ? "" : "s", cli->operand[0]);
	}
	return code;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "[USER@DOMAIN]",
		.help = "Lists where subscribers are registered; of one of them, in the order in "
			"which they are tried.",
		.run = registration_list,
		OPERANDS(0, 1),
		.repeats = true,
	},
	{
		.name = "del",
		.operands = "USER@DOMAIN [CONTACT]",
		.help = "Removes the registration of a contact, or all of the subscriber's.",
		.run = registration_del,
		OPERANDS(1, 2),
	},
};

const struct object registration_object = {
	.name = "registration",
	.help = "where a running segued finds its subscribers",
	OBJECT_COMMANDS(commands),
};
