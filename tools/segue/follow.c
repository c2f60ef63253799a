/* SPDX-License-Identifier: BSD-2-Clause */
/* segue follow: keeps next hops, NICs and learned sources true until it is told to end. */
#include <errno.h>
#include <string.h>

#include "cli.h"

#define POLL_MS 200 /* how soon a signal is noticed */

static const char *what_name(enum sg_follow_what what)
{
	static const struct choice names[] = {
		{"neighbour", SG_FOLLOW_NEIGHBOUR}, {"route", SG_FOLLOW_ROUTE},
		{"link", SG_FOLLOW_LINK},	    {"learned", SG_FOLLOW_LEARNED},
		{"refused", SG_FOLLOW_REFUSED},	    {"mtu", SG_FOLLOW_MTU},
		{"resync", SG_FOLLOW_RESYNC},	    {NULL, 0},
	};

	return choice_name(names, (int)what);
}

static void print_deed(enum sg_follow_what what, const char *text, void *context)
{
	const struct cli *cli = context;

	output_line(&cli->out,
		    json_pack("{s:I, s:s, s:o}", "time_ns", (json_int_t)cli_now_ns(), "what",
			      what_name(what), "text", output_string(text)),
		    "%s: %s", what_name(what), text);
}

static int follow_run(struct cli *cli)
{
	struct sg_follow *follow;
	struct sg_error err = {""};
	int rc;

	cli_hold_signals();
	rc = sg_follow_open(&follow, cli->relay, print_deed, cli, &err);
	if (rc < 0)
		return output_error(&cli->out, EXIT_FAILED, "%s",
				    *err.text ? err.text : strerror(-rc));
	while (rc >= 0 && !cli_stop_requested(0)) {
		rc = sg_follow_poll(follow, POLL_MS);
		if (rc >= 0)
			sg_relay_tick(cli->relay);
	}
	sg_follow_close(follow);
	if (rc == -ESTALE)
		return output_error(&cli->out, EXIT_FAILED,
				    "following ended: the maps were removed (interface detach); "
				    "attach an interface and follow again");
	if (rc < 0)
		return output_error(&cli->out, EXIT_FAILED, "following ended: %s", strerror(-rc));
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "",
		.help = "Runs in the foreground: next hops follow the kernel, sources are learned.",
		.run = follow_run,
		.access = ACCESS_WRITE,
	},
};

const struct object follow_object = {
	.name = "follow",
	.help = "keeps next hops and sources true (foreground)",
	OBJECT_COMMANDS(commands),
};
