/* SPDX-License-Identifier: BSD-2-Clause */
/* segue interface attach|detach|list|show */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "interface.h"
#include "view.h"

static const struct choice mode_choices[] = {
	{"auto", SG_ATTACH_AUTO},
	{"native", SG_ATTACH_NATIVE},
	{"generic", SG_ATTACH_GENERIC},
	{NULL, 0},
};

static const struct range capacity_range = {1, 1u << 24};

static const struct column columns[] = {
	{"NAME", "name", CELL_PLAIN},	    {"NIC", "nic", CELL_PLAIN},
	{"MODE", "mode", CELL_PLAIN},	    {"UP", "up", CELL_PLAIN},
	{"MTU", "mtu", CELL_PLAIN},	    {"DRIVER", "driver", CELL_PLAIN},
	{"PROGRAM", "program", CELL_PLAIN}, {"ID", "program_id", CELL_PLAIN},
	{"OURS", "ours", CELL_PLAIN},	    {NULL, NULL, CELL_PLAIN},
};

static json_t *view_nic(const struct sg_interface *nic)
{
	return json_pack(
		"{s:o, s:I, s:o, s:o, s:b, s:I, s:o, s:o, s:o, s:b}", "name",
		output_string(nic->name), "ifindex", (json_int_t)nic->ifindex, "nic",
		nic->nic < 0 ? json_null() : json_integer(nic->nic), "mode",
		nic->prog_id ? json_string(choice_name(mode_choices, (int)nic->mode)) : json_null(),
		"up", nic->up, "mtu", (json_int_t)nic->mtu, "driver", output_optional(nic->driver),
		"program", output_optional(nic->prog_name), "program_id",
		nic->prog_id ? json_integer(nic->prog_id) : json_null(), "ours", nic->ours);
}

size_t interface_read(struct sg_relay *relay, struct sg_interface **out)
{
	size_t room = SG_NICS;

	for (;;) {
		struct sg_interface *list = cli_alloc(room * sizeof(*list));
		int count = sg_interface_list(relay, list, room);

		if (count >= 0 && (size_t)count <= room) {
			*out = list;
			return (size_t)count;
		}
		free(list);
		if (count < 0) {
			*out = NULL;
			return 0;
		}
		room = (size_t)count;
	}
}

static int interface_list(struct cli *cli)
{
	struct sg_interface *list;
	size_t count = interface_read(cli->relay, &list);

	output_list_begin(&cli->out, columns);
	for (size_t i = 0; i < count; i++)
		output_list_row(&cli->out, view_nic(&list[i]));
	output_list_end(&cli->out);
	free(list);
	return EXIT_OK;
}

static void nic_text(const struct output *out, const json_t *data)
{
	text_fields(out, columns, data);
}

static int interface_show(struct cli *cli)
{
	struct sg_error err = {""};
	struct sg_interface nic;
	int rc = sg_interface_get(cli->relay, cli->operand[0], &nic, &err);

	if (rc == -ENODEV || rc == -ENOENT)
		return output_error(&cli->out, EXIT_NOT_FOUND, "%s",
				    *err.text ? err.text : "there is no such interface");
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	output_data(&cli->out, view_nic(&nic), nic_text);
	return EXIT_OK;
}

struct attach_args {
	int mode; /* enum sg_attach_mode */
	bool force;
	unsigned capacity;
};

static const struct option attach_options[] = {
	{"mode", 0, "auto|native|generic", option_choice, offsetof(struct attach_args, mode),
	 mode_choices, "native where the driver can, else generic (auto)"},
	{"force", 0, NULL, option_flag, offsetof(struct attach_args, force), NULL,
	 "replace somebody else's XDP program"},
	{"capacity", 0, "STREAMS", option_number, offsetof(struct attach_args, capacity),
	 &capacity_range, "streams, when this makes the maps (131072)"},
	OPTIONS_END,
};

/* Opens the maps, or makes them; *made says which, so that a refusal can take them away again. */
static int open_or_make(struct cli *cli, unsigned capacity, bool *made)
{
	struct sg_error err;
	struct sg_meta meta;
	int rc = cli_try_open(cli, 0, 0, &err);

	*made = rc == -ENOENT;
	if (rc < 0) {
		cli->relay = NULL;
		return cli_open(cli, SG_OPEN_CREATE, capacity);
	}
	if (capacity && sg_relay_meta(cli->relay, &meta) == 0 && meta.capacity != capacity)
		return output_error(&cli->out, EXIT_FAILED,
				    "--capacity %u: the maps are there already, for %u streams; "
				    "`segue interface detach --all` removes them",
				    capacity, meta.capacity);
	return EXIT_OK;
}

static int interface_attach(struct cli *cli)
{
	const struct attach_args *args = cli->args;
	const char *name = cli->operand[0];
	struct sg_interface nic = {.name = ""};
	struct sg_error err = {""};
	bool made = false;
	int code, rc;

	if (!if_nametoindex(name))
		return output_error(&cli->out, EXIT_FAILED,
				    "there is no interface '%s' in this network namespace: "
				    "`ip link` shows them",
				    name);
	code = open_or_make(cli, args->capacity, &made);
	if (code != EXIT_OK)
		return code;
	rc = sg_interface_attach(cli->relay, name, (enum sg_attach_mode)args->mode, args->force,
				 &err);
	if (rc < 0) {
		code = cli_refused(cli, rc == -EINVAL ? -EIO : rc, &err);
		if (made)
			sg_interface_detach_all(cli->relay, false, &err);
		return code == EXIT_NOT_FOUND ? EXIT_FAILED : code;
	}
	sg_interface_get(cli->relay, name, &nic, &err);
	output_line(&cli->out, view_nic(&nic), "%s attached: %s mode, program %u", name,
		    choice_name(mode_choices, (int)nic.mode), nic.prog_id);
	return EXIT_OK;
}

struct detach_args {
	bool all, force;
};

static const struct option detach_options[] = {
	{"all", 0, NULL, option_flag, offsetof(struct detach_args, all), NULL,
	 "every NIC, and every pin"},
	{"force", 0, NULL, option_flag, offsetof(struct detach_args, force), NULL,
	 "although streams use it"},
	OPTIONS_END,
};

static int interface_detach(struct cli *cli)
{
	const struct detach_args *args = cli->args;
	const char *name = cli->operands ? cli->operand[0] : NULL;
	struct sg_error err = {""};
	int code, rc;

	if (args->all == (name != NULL))
		return cli_usage_error(cli, "NIC or --all, one of them");
	code = cli_open(cli, 0, 0);
	if (code != EXIT_OK)
		return code;
	rc = args->all ? sg_interface_detach_all(cli->relay, args->force, &err)
		       : sg_interface_detach(cli->relay, name, args->force, &err);
	if (rc < 0) {
		code = cli_refused(cli, rc, &err);
		return code == EXIT_NOT_FOUND ? EXIT_FAILED : code;
	}
	output_line(&cli->out,
		    json_pack("{s:o}", "detached",
			      args->all ? json_string("all") : output_string(name)),
		    "%s detached", args->all ? "every NIC" : name);
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "attach",
		.operands = "NIC",
		.help = "Puts the program on a NIC; the first one makes the maps.",
		.run = interface_attach,
		OPERANDS(1, 1),
		OPTIONS(attach_options, struct attach_args),
	},
	{
		.name = "detach",
		.operands = "NIC|--all",
		.help = "Takes the program off; the last one takes the maps with it.",
		.run = interface_detach,
		OPERANDS(0, 1),
		OPTIONS(detach_options, struct detach_args),
	},
	{
		.name = "list",
		.operands = "",
		.help = "Lists the NICs that run the program or have a slot.",
		.run = interface_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "NIC",
		.help = "Shows one NIC, whatever runs on it.",
		.run = interface_show,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object interface_object = {
	.name = "interface",
	.help = "a NIC with the program",
	OBJECT_COMMANDS(commands),
};
