/* SPDX-License-Identifier: BSD-2-Clause */
/* segue path add|del|set|move|list: the legs of one side, joining and leaving. */
#include <errno.h>
#include <string.h>

#include "values.h"
#include "view.h"

#define DRAIN_SLACK_MS 2000u /* beyond the drain time: somebody else may hold the lock */

/* Where NAME SIDE [INDEX] leads. */
struct target {
	const char *name;
	uint32_t stream;
	enum sg_side side;
	unsigned slot;
};

/* add and move */
struct join_args {
	struct path_args path;
	struct target target;
	struct endpoints endpoints;
};

static const struct option join_options[] = {
	{"dscp", 0, "N|keep", option_dscp, offsetof(struct join_args, path.dscp), NULL,
	 "DSCP of what we send, 0 to 63 (keep)"},
	{"learn", 0, "any|BITS", option_learn_path, offsetof(struct join_args, path.learn), NULL,
	 "a party behind NAT: learn its source, any or of that prefix"},
	{"learn-window", 0, "SECONDS", option_number,
	 offsetof(struct join_args, path.learn_seconds), &learn_range,
	 "how long a source may be learned (5)"},
	{"resolve", 0, "MS", option_number, offsetof(struct join_args, path.resolve_ms),
	 &resolve_range, "how long a next hop may take to resolve (2500)"},
	OPTIONS_END,
};

/* ---- operands ----------------------------------------------------------------------------- */

static int read_endpoints(const struct cli *cli, const char *text, struct endpoints *out)
{
	struct sg_error err;

	if (parse_endpoints(text, out, &err) < 0)
		return cli_usage_error(cli, "%s", err.text);
	return EXIT_OK;
}

static int read_target(const struct cli *cli, bool indexed, struct target *target)
{
	int code = operand_side(cli, cli->operand[1], &target->side);

	target->name = cli->operand[0];
	if (code == EXIT_OK && indexed)
		code = operand_slot(cli, cli->operand[2], &target->slot);
	return code;
}

static int check_add(struct cli *cli)
{
	struct join_args *args = cli->args;
	int code = read_target(cli, false, &args->target);

	return code == EXIT_OK ? read_endpoints(cli, cli->operand[2], &args->endpoints) : code;
}

static int check_move(struct cli *cli)
{
	struct join_args *args = cli->args;
	int code = read_target(cli, true, &args->target);

	return code == EXIT_OK ? read_endpoints(cli, cli->operand[3], &args->endpoints) : code;
}

/* ---- look-ups ----------------------------------------------------------------------------- */

static int find_path(const struct sg_stream_info *info, const struct target *target,
		     const struct sg_path_info **out)
{
	for (size_t i = 0; i < info->paths; i++) {
		if (info->path[i].side == target->side && info->path[i].slot == target->slot) {
			*out = &info->path[i];
			return 0;
		}
	}
	return -ENOENT;
}

static int find_target(const struct cli *cli, struct target *target)
{
	const struct sg_path_info *path;
	struct sg_stream_info info;
	int code = cli_find_stream(cli, target->name, &target->stream);

	if (code != EXIT_OK)
		return code;
	if (sg_stream_info(cli->relay, target->stream, &info) < 0 ||
	    find_path(&info, target, &path) < 0)
		return output_error(&cli->out, EXIT_NOT_FOUND,
				    "stream '%s' has no path %s %u: `segue path list %s` shows "
				    "them",
				    target->name, side_name(target->side), target->slot,
				    target->name);
	return EXIT_OK;
}

static json_t *target_json(const struct target *target)
{
	return json_pack("{s:o, s:s, s:i}", "name", output_string(target->name), "side",
			 side_name(target->side), "index", (int)target->slot);
}

/* ---- add ---------------------------------------------------------------------------------- */

static int path_add(struct cli *cli)
{
	struct join_args *args = cli->args;
	struct target *target = &args->target;
	struct sg_error err = {""};
	struct sg_path_spec spec;
	int rc;
	int code = cli_find_stream(cli, target->name, &target->stream);

	if (code != EXIT_OK)
		return code;
	path_args_apply(&args->path, target->side, &args->endpoints, &spec);
	rc = sg_path_add(cli->relay, target->stream, target->side, &spec, args->path.resolve_ms,
			 &target->slot, &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	output_line(&cli->out, target_json(target), "path %s %s %u joined: sent to, listened to",
		    target->name, side_name(target->side), target->slot);
	return EXIT_OK;
}

/* ---- del ---------------------------------------------------------------------------------- */

struct del_args {
	struct target target;
	bool no_wait;
};

static const struct option del_options[] = {
	{"no-wait", 0, NULL, option_flag, offsetof(struct del_args, no_wait), NULL,
	 "do not wait until the drain ends"},
	OPTIONS_END,
};

static int check_del(struct cli *cli)
{
	return read_target(cli, true, &((struct del_args *)cli->args)->target);
}

static bool is_draining(const struct cli *cli, const struct target *target)
{
	const struct sg_path_info *path;
	struct sg_stream_info info;

	return sg_stream_info(cli->relay, target->stream, &info) == 0 &&
	       find_path(&info, target, &path) == 0 && path->state == SG_PATH_DRAINING;
}

/* Ends the drain when it is due; false if that took far longer than the drain time. */
static bool wait_for_drain(const struct cli *cli, const struct target *target)
{
	struct sg_meta meta;
	uint64_t end = cli_now_ns() + DRAIN_SLACK_MS * 1000000ull;

	if (sg_relay_meta(cli->relay, &meta) == 0)
		end += meta.drain_ns;
	while (cli_now_ns() < end) {
		int due = sg_relay_tick(cli->relay);

		if (!is_draining(cli, target))
			return true;
		if (due < 1 || due > 50)
			due = 50;
		cli_stop_requested((unsigned)due);
	}
	return false;
}

static int report_drained(struct cli *cli, const struct target *target, uint64_t since_ns,
			  bool drained)
{
	json_t *data = target_json(target);
	json_int_t ms = (json_int_t)((cli_now_ns() - since_ns) / 1000000u);

	json_object_set_new(data, "drained", json_boolean(drained));
	json_object_set_new(data, "waited_ms", json_integer(ms));
	if (drained)
		output_line(&cli->out, data,
			    "path %s %s %u drained after %" JSON_INTEGER_FORMAT
			    " ms; its ports rest",
			    target->name, side_name(target->side), target->slot, ms);
	else
		output_line(&cli->out, data,
			    "path %s %s %u drains; the next change or `segue follow` ends it",
			    target->name, side_name(target->side), target->slot);
	return EXIT_OK;
}

static int path_del(struct cli *cli)
{
	struct del_args *args = cli->args;
	struct target *target = &args->target;
	struct sg_error err = {""};
	uint64_t since;
	int rc;
	int code = find_target(cli, target);

	if (code != EXIT_OK)
		return code;
	rc = sg_path_remove(cli->relay, target->stream, target->side, target->slot, &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	since = cli_now_ns();
	if (args->no_wait)
		return report_drained(cli, target, since, false);
	if (!cli->out.json) {
		printf("path %s %s %u left: not sent to; listened to until it is drained\n",
		       target->name, side_name(target->side), target->slot);
		fflush(stdout);
	}
	if (!wait_for_drain(cli, target))
		return output_error(&cli->out, EXIT_FAILED,
				    "path %s %s %u left the route, but its drain did not end in "
				    "time: `segue doctor`",
				    target->name, side_name(target->side), target->slot);
	return report_drained(cli, target, since, true);
}

/* ---- set ---------------------------------------------------------------------------------- */

struct set_args {
	struct target target;
	int send, listen; /* enum sg_toggle */
	bool active;
};

static const struct option set_options[] = {
	{"send", 0, "on|off", option_choice, offsetof(struct set_args, send), toggle_choices,
	 "send a copy to this path"},
	{"listen", 0, "on|off", option_choice, offsetof(struct set_args, listen), toggle_choices,
	 "admit what arrives on this path"},
	{"active", 0, NULL, option_flag, offsetof(struct set_args, active), NULL,
	 "RTCP leaves on this path"},
	OPTIONS_END,
};

static int check_set(struct cli *cli)
{
	struct set_args *args = cli->args;

	if (!args->send && !args->listen && !args->active)
		return cli_usage_error(cli, "nothing to set: --send, --listen or --active");
	return read_target(cli, true, &args->target);
}

static int show_path(struct cli *cli, const struct target *target)
{
	const struct sg_path_info *path;
	struct sg_stream_info info;

	if (sg_stream_info(cli->relay, target->stream, &info) < 0 ||
	    find_path(&info, target, &path) < 0)
		return output_error(&cli->out, EXIT_FAILED, "path %s %s %u was removed meanwhile",
				    target->name, side_name(target->side), target->slot);
	output_line(&cli->out, view_path(path), "path %s %s %u: send %s, listen %s%s", target->name,
		    side_name(target->side), target->slot, path->send ? "on" : "off",
		    path->listen ? "on" : "off", path->active ? ", active" : "");
	return EXIT_OK;
}

static int path_set(struct cli *cli)
{
	struct set_args *args = cli->args;
	struct target *target = &args->target;
	const struct sg_path_change change = {
		.send = (enum sg_toggle)args->send,
		.listen = (enum sg_toggle)args->listen,
		.active = args->active,
	};
	struct sg_error err = {""};
	int rc;
	int code = find_target(cli, target);

	if (code != EXIT_OK)
		return code;
	rc = sg_path_set(cli->relay, target->stream, target->side, target->slot, &change, &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	return show_path(cli, target);
}

/* ---- move --------------------------------------------------------------------------------- */

static int path_move(struct cli *cli)
{
	struct join_args *args = cli->args;
	struct target *target = &args->target;
	struct sg_error err = {""};
	struct sg_path_spec spec;
	unsigned new_slot = 0;
	json_t *data;
	int rc;
	int code = find_target(cli, target);

	if (code != EXIT_OK)
		return code;
	path_args_apply(&args->path, target->side, &args->endpoints, &spec);
	rc = sg_path_move(cli->relay, target->stream, target->side, target->slot, &spec,
			  args->path.resolve_ms, &new_slot, &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	data = target_json(target);
	json_object_set_new(data, "new_index", json_integer(new_slot));
	output_line(&cli->out, data, "path %s %s %u moved: it is %u now; the old one drains",
		    target->name, side_name(target->side), target->slot, new_slot);
	return EXIT_OK;
}

/* ---- list --------------------------------------------------------------------------------- */

static int path_list(struct cli *cli)
{
	struct sg_stream_info info;
	int code = cli_stream_info(cli, cli->operand[0], &info);

	if (code != EXIT_OK)
		return code;
	output_list_begin(&cli->out, view_path_columns);
	for (size_t i = 0; i < info.paths; i++)
		output_list_row(&cli->out, view_path(&info.path[i]));
	output_list_end(&cli->out);
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "add",
		.operands = "NAME a|b LOCAL:PORT=REMOTE:PORT",
		.help = "A path joins a side: it is sent to and listened to.",
		.check = check_add,
		.run = path_add,
		OPERANDS(3, 3),
		.access = ACCESS_WRITE,
		OPTIONS(join_options, struct join_args),
	},
	{
		.name = "del",
		.operands = "NAME a|b INDEX",
		.help = "A path leaves: no longer sent to, listened to until it is drained.",
		.check = check_del,
		.run = path_del,
		OPERANDS(3, 3),
		.access = ACCESS_WRITE,
		OPTIONS(del_options, struct del_args),
	},
	{
		.name = "set",
		.operands = "NAME a|b INDEX",
		.help = "Changes what a path does in the route.",
		.check = check_set,
		.run = path_set,
		OPERANDS(3, 3),
		.access = ACCESS_WRITE,
		OPTIONS(set_options, struct set_args),
	},
	{
		.name = "move",
		.operands = "NAME a|b INDEX LOCAL:PORT=REMOTE:PORT",
		.help = "The party's address changed: switches to it in one store.",
		.check = check_move,
		.run = path_move,
		OPERANDS(4, 4),
		.access = ACCESS_WRITE,
		OPTIONS(join_options, struct join_args),
	},
	{
		.name = "list",
		.operands = "NAME",
		.help = "Lists the paths of a stream.",
		.run = path_list,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object path_object = {
	.name = "path",
	.help = "one leg of a stream",
	OBJECT_COMMANDS(commands),
};
