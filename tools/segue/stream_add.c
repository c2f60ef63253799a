/* SPDX-License-Identifier: BSD-2-Clause */
/* segue stream add: one stream from the command line, or one for each line of a batch. */
#include <errno.h>

#include "batch.h"
#include "stream_add.h"

#define FIELD(member) offsetof(struct stream_add_args, member)

const struct option stream_add_options[] = {
	{NULL, 'a', "LOCAL:PORT=REMOTE:PORT", option_endpoints, FIELD(side[SG_SIDE_A]), NULL,
	 "side A: our address and theirs; IPv6 in brackets"},
	{NULL, 'b', "LOCAL:PORT=REMOTE:PORT", option_endpoints, FIELD(side[SG_SIDE_B]), NULL,
	 "side B"},
	{"rtcp-mux", 0, NULL, option_flag, FIELD(rtcp_mux), NULL,
	 "RTCP on RTP's port (RFC 5761); else on the port after it"},
	{"opaque", 0, NULL, option_flag, FIELD(opaque), NULL,
	 "no RTP: any datagram passes (T.38, BFCP)"},
	{"clock", 0, "HZ", option_number, FIELD(clock_hz), &clock_range,
	 "of the RTP timestamp, for jitter (8000)"},
	{"direction", 0, "both|a-to-b|b-to-a|none", option_choice, FIELD(direction),
	 direction_choices, "which way media is open (both)"},
	{"dscp", 0, "N|keep", option_dscp, FIELD(path.dscp), NULL,
	 "DSCP of what we send, 0 to 63 (keep)"},
	{"learn", 0, "a|b|both[=BITS]", option_learn, FIELD(path.learn), NULL,
	 "a party behind NAT: learn its source, within the prefix"},
	{"learn-window", 0, "SECONDS", option_number, FIELD(path.learn_seconds), &learn_range,
	 "how long a source may be learned (5)"},
	{"resolve", 0, "MS", option_number, FIELD(path.resolve_ms), &resolve_range,
	 "how long a next hop may take to resolve (2500)"},
	{"batch", 0, "FILE|-", option_text, FIELD(batch), NULL,
	 "one stream on each line: NAME and the options above"},
	{"continue", 0, NULL, option_flag, FIELD(keep_going), NULL,
	 "with --batch: go on after an error"},
	OPTIONS_END,
};

static int check_sides(const struct stream_add_args *args, struct sg_error *err)
{
	for (unsigned i = 0; i < SG_SIDES; i++) {
		if (!args->side[i].set)
			return option_error(err, "-%c LOCAL:PORT=REMOTE:PORT is missing", "ab"[i]);
	}
	return 0;
}

static int add_one(struct cli *cli, const struct stream_add_args *args, const char *name,
		   uint32_t *stream, struct sg_error *err)
{
	struct sg_stream_spec spec = {
		.name = name,
		.rtcp_mux = args->rtcp_mux,
		.opaque = args->opaque,
		.clock_hz = args->clock_hz,
		.direction = args->direction ? (enum sg_direction)(args->direction - 1)
					     : SG_DIRECTION_BOTH,
		.resolve_ms = args->path.resolve_ms,
	};

	for (unsigned i = 0; i < SG_SIDES; i++)
		path_args_apply(&args->path, (enum sg_side)i, &args->side[i], &spec.side[i]);
	return sg_stream_add(cli->relay, &spec, stream, err);
}

static int add_line(struct cli *cli, int argc, char **argv, struct sg_error *err)
{
	struct stream_add_args args = {0};
	const struct option_set set = {stream_add_options, &args};
	int operands = options_parse(&set, 1, argc, argv, err);
	uint32_t stream;

	if (operands < 0)
		return operands;
	if (operands != 1 || args.batch || args.keep_going)
		return option_error(err, "a line is NAME -a LOCAL:PORT=REMOTE:PORT "
					 "-b LOCAL:PORT=REMOTE:PORT and options of the stream");
	if (check_sides(&args, err) < 0)
		return -EINVAL;
	return add_one(cli, &args, argv[0], &stream, err);
}

int stream_add_check(struct cli *cli)
{
	const struct stream_add_args *args = cli->args;
	struct sg_error err;

	if (args->batch && (cli->operands || args->side[0].set || args->side[1].set))
		return cli_usage_error(cli, "--batch takes names and sides from its file");
	if (args->batch)
		return EXIT_OK;
	if (args->keep_going)
		return cli_usage_error(cli, "--continue belongs to --batch");
	if (!cli->operands)
		return cli_usage_error(cli, "missing operand: NAME");
	if (check_sides(args, &err) < 0)
		return cli_usage_error(cli, "%s", err.text);
	return EXIT_OK;
}

int stream_add(struct cli *cli)
{
	const struct stream_add_args *args = cli->args;
	struct sg_error err = {""};
	uint32_t stream = 0;
	int rc;

	if (args->batch)
		return batch_run(cli, args->batch, args->keep_going, add_line, "added");
	rc = add_one(cli, args, cli->operand[0], &stream, &err);
	if (rc < 0)
		return cli_refused(cli, rc, &err);
	output_line(&cli->out,
		    json_pack("{s:o, s:I}", "name", output_string(cli->operand[0]), "id",
			      (json_int_t)stream),
		    "stream %s added: id %u", cli->operand[0], stream);
	return EXIT_OK;
}
