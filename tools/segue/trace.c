/* SPDX-License-Identifier: BSD-2-Clause */
/* segue trace CALL: the call's story as a ladder, as far as it went or as it goes. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon.h"
#include "ladder.h"

#define WIDTH_DEFAULT 100u
#define FOLLOW_MS 250u

static const struct range width_range = {LADDER_WIDTH_MIN, LADDER_WIDTH_MAX};

struct trace_args {
	bool follow, ascii;
	unsigned width;
};

static const struct option trace_options[] = {
	{"follow", 0, NULL, option_flag, offsetof(struct trace_args, follow), NULL,
	 "goes on with what happens, until the call is over"},
	{"width", 0, "N", option_number, offsetof(struct trace_args, width), &width_range,
	 "columns (the terminal's, else 100)"},
	{"ascii", 0, NULL, option_flag, offsetof(struct trace_args, ascii), NULL,
	 "no other characters than ASCII (where the locale is not UTF-8: by itself)"},
	OPTIONS_END,
};

static unsigned find_width(const struct trace_args *args)
{
	struct winsize size;
	unsigned width = WIDTH_DEFAULT;

	if (args->width)
		return args->width;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	if (width < LADDER_WIDTH_MIN)
		return LADDER_WIDTH_MIN;
	return width > LADDER_WIDTH_MAX ? LADDER_WIDTH_MAX : width;
}

static bool is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static struct ladder ladder_for(const struct cli *cli)
{
	const struct trace_args *args = cli->args;

	return (struct ladder){
		.out = stdout,
		.width = find_width(args),
		.ascii = args->ascii || !is_utf8(),
	};
}

static int ask(const struct cli *cli, json_t **call)
{
	return daemon_ask_for(cli, "call", "show",
			      json_pack("{s:o}", "id", output_string(cli->operand[0])), call);
}

static bool is_over(const json_t *call)
{
	const char *state = json_string_value(json_object_get(call, "state"));

	return state && strcmp(state, "ended") == 0;
}

static int follow(struct cli *cli, struct ladder *ladder, json_t *call)
{
	json_int_t next = 0;
	int code = EXIT_OK;

	cli_hold_signals();
	while (code == EXIT_OK) {
		bool over = is_over(call);

		next = ladder_steps(ladder, call, next);
		json_decref(call);
		/* A full disk or a closed pipe is the end. */
		if (over || fflush(stdout) || cli_stop_requested(FOLLOW_MS))
			return EXIT_OK;
		code = ask(cli, &call);
	}
	return code;
}

static json_t *story_only(json_t *call)
{
	static const char *const keys[] = {"id",      "state", "caller",	  "callee",
					   "parties", "steps", "steps_forgotten", NULL};
	json_t *story = json_object();

	for (size_t i = 0; keys[i]; i++)
		json_object_set(story, keys[i], json_object_get(call, keys[i]));
	json_decref(call);
	return story;
}

static int trace_run(struct cli *cli)
{
	const struct trace_args *args = cli->args;
	struct ladder ladder;
	json_t *call;
	int code = ask(cli, &call);

	if (code != EXIT_OK)
		return code;
	if (cli->out.json) {
		output_data(&cli->out, story_only(call), daemon_record_text);
		return EXIT_OK;
	}
	ladder = ladder_for(cli);
	ladder_head(&ladder, call);
	if (args->follow)
		return follow(cli, &ladder, call);
	ladder_steps(&ladder, call, 0);
	json_decref(call);
	return EXIT_OK;
}

static int trace_check(struct cli *cli)
{
	const struct trace_args *args = cli->args;

	if (args->follow && (cli->globals.json || cli->globals.pretty))
		return cli_usage_error(cli, "--follow draws: for JSON again and again there is "
					    "`segue call show --json --watch N`");
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "CALL",
		.help = "Draws a call as a ladder: what was said between A, Segue and B, with its "
			"time, and what was done about media.",
		.check = trace_check,
		.run = trace_run,
		OPERANDS(1, 1),
		.repeats = true,
		OPTIONS(trace_options, struct trace_args),
	},
};

const struct object trace_object = {
	.name = "trace",
	.help = "a call as a ladder of messages",
	OBJECT_COMMANDS(commands),
};
