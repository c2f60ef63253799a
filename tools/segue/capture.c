/* SPDX-License-Identifier: BSD-2-Clause */
/* segue capture CALL: the call's frames, media and SIP, into a pcapng file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture_sip.h"
#include "daemon.h"

#define POLL_MS 20
#define REFRESH_MS 250 /* how often segued is asked for new streams and legs */
#define LINGER_MS 1000 /* after the call's end: answers to its BYEs */
#define MB 1000000u
#define SECONDS_DEFAULT 300u
#define SIZE_DEFAULT 100u

static const struct range seconds_range = {1, 86400};
static const struct range packets_range = {1, 1000000000};
static const struct range size_range = {1, 100000};

struct capture_args {
	const char *file;
	unsigned seconds, packets, size;
};

static const struct option capture_options[] = {
	{"write", 'w', "FILE", option_text, offsetof(struct capture_args, file), NULL,
	 "the file (CALL.pcapng); -: standard output"},
	{"seconds", 0, "S", option_number, offsetof(struct capture_args, seconds), &seconds_range,
	 "ends after that time (300)"},
	{"packets", 0, "N", option_number, offsetof(struct capture_args, packets), &packets_range,
	 "ends after so many frames"},
	{"size", 0, "MB", option_number, offsetof(struct capture_args, size), &size_range,
	 "ends when the file has that size (100)"},
	OPTIONS_END,
};

/* What goes on. */
struct session {
	struct cli *cli;
	struct sg_capture *media;
	struct capture_sip *sip;
	struct pcapng pcapng;
	uint64_t most_packets, most_octets;
	uint64_t end_ns; /* CLOCK_MONOTONIC */
	uint64_t media_in, media_out, sip_packets;
	uint64_t to_real_ns;  /* from CLOCK_MONOTONIC to CLOCK_REALTIME */
	const char *ended_by; /* NULL: it goes on */
};

static uint64_t packets_of(const struct session *session)
{
	return session->media_in + session->media_out + session->sip_packets;
}

/* False: there is enough. */
static bool take(struct session *session, const struct pcapng_frame *frame)
{
	if (session->ended_by)
		return false;
	pcapng_write(&session->pcapng, frame);
	if (session->pcapng.octets >= session->most_octets)
		session->ended_by = "size";
	return true;
}

static void look_at_count(struct session *session)
{
	if (session->most_packets && packets_of(session) >= session->most_packets)
		session->ended_by = "packets";
}

static void on_frame(void *context, const struct sg_frame *frame)
{
	struct session *session = context;
	bool outbound = frame->direction == SG_CAPTURE_OUT;
	const struct pcapng_frame written = {
		.time_ns = frame->time_ns + session->to_real_ns,
		.ifindex = frame->ifindex,
		.outbound = outbound,
		.data = frame->data,
		.length = frame->length,
	};

	if (!take(session, &written))
		return;
	*(outbound ? &session->media_out : &session->media_in) += 1;
	look_at_count(session);
}

static void read_sip(struct session *session)
{
	struct pcapng_frame frame;

	while (!session->ended_by && capture_sip_next(session->sip, &frame)) {
		if (take(session, &frame))
			session->sip_packets++;
		look_at_count(session);
	}
}

/* ---- the call -------------------------------------------------------------------------------- */

/* What is new of it is captured from now on. */
static void follow_call(struct session *session, const json_t *call)
{
	json_t *stream, *party;
	size_t i;

	json_array_foreach(json_object_get(call, "parties"), i, party)
	{
		capture_sip_add(session->sip, party);
	}
	json_array_foreach(json_object_get(call, "streams"), i, stream)
	{
		const json_t *number = json_object_get(stream, "number");

		if (json_is_integer(number))
			sg_capture_stream(session->media, (uint32_t)json_integer_value(number));
	}
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

static int refresh(struct session *session, bool *over)
{
	json_t *call;
	int code = ask(session->cli, &call);

	if (code != EXIT_OK)
		return code;
	follow_call(session, call);
	*over = is_over(call);
	json_decref(call);
	return EXIT_OK;
}

static int run(struct session *session)
{
	uint64_t next_ns = 0, linger_ns = 0;
	int code = EXIT_OK;

	while (code == EXIT_OK && !session->ended_by) {
		uint64_t now = cli_now_ns();
		bool over = false;

		if (!linger_ns && now >= next_ns) {
			code = refresh(session, &over);
			next_ns = now + REFRESH_MS * 1000000ull;
			linger_ns = over ? now + LINGER_MS * 1000000ull : 0;
		}
		if (sg_capture_poll(session->media, POLL_MS) < 0)
			session->ended_by = "error";
		read_sip(session);
		if (session->ended_by)
			break;
		if (cli_stop_requested(0))
			session->ended_by = "signal";
		else if (now >= session->end_ns)
			session->ended_by = "time";
		else if (linger_ns && now >= linger_ns)
			session->ended_by = "call";
	}
	return code;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static int open_sources(struct session *session)
{
	struct cli *cli = session->cli;
	struct sg_error err = {""};
	int ret = capture_sip_open(&session->sip);

	if (ret)
		return output_error(&cli->out, EXIT_FAILED, "no packet socket for the SIP: %s%s",
				    strerror(-ret), ret == -EPERM ? ": run as root" : "");
	ret = sg_capture_open(&session->media, cli->relay, on_frame, session, &err);
	return ret ? cli_refused(cli, ret, &err) : EXIT_OK;
}

static int report(const struct session *session, const char *name)
{
	struct cli *cli = session->cli;
	uint64_t lost = sg_capture_lost(session->media) + capture_sip_lost(session->sip);
	json_t *data =
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "file", name, "ended_by",
			  session->ended_by ? session->ended_by : "error", "media_in",
			  (json_int_t)session->media_in, "media_out",
			  (json_int_t)session->media_out, "sip", (json_int_t)session->sip_packets,
			  "octets", (json_int_t)session->pcapng.octets, "lost", (json_int_t)lost);

	output_line(&cli->out, data,
		    "%s: %llu media frames in, %llu out, %llu of SIP, %llu lost; ended by %s", name,
		    (unsigned long long)session->media_in, (unsigned long long)session->media_out,
		    (unsigned long long)session->sip_packets, (unsigned long long)lost,
		    session->ended_by ? session->ended_by : "error");
	return EXIT_OK;
}

static int capture_into(struct session *session, FILE *file, const char *name)
{
	struct cli *cli = session->cli;
	int code = open_sources(session);

	if (code == EXIT_OK) {
		cli_hold_signals();
		pcapng_begin(&session->pcapng, file);
		code = run(session);
	}
	if (fflush(file) || ferror(file))
		code = output_error(&cli->out, EXIT_FAILED, "%s: %s", name, strerror(errno));
	if (code == EXIT_OK && file != stdout)
		report(session, name);
	sg_capture_close(session->media);
	capture_sip_close(session->sip);
	return code;
}

static struct session session_for(struct cli *cli)
{
	const struct capture_args *args = cli->args;
	uint64_t now = cli_now_ns();
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	return (struct session){
		.cli = cli,
		.most_packets = args->packets,
		.most_octets = (uint64_t)(args->size ? args->size : SIZE_DEFAULT) * MB,
		.end_ns = now + (args->seconds ? args->seconds : SECONDS_DEFAULT) * 1000000000ull,
		.to_real_ns = (uint64_t)real.tv_sec * 1000000000u + (uint64_t)real.tv_nsec - now,
	};
}

static int capture_run(struct cli *cli)
{
	const struct capture_args *args = cli->args;
	struct session session = session_for(cli);
	char name[256];
	json_t *call;
	FILE *file;
	int code = ask(cli, &call);

	if (code != EXIT_OK)
		return code;
	if (is_over(call))
		code = output_error(&cli->out, EXIT_FAILED,
				    "call %s is over: `segue trace` has what "
				    "is left of it",
				    cli->operand[0]);
	json_decref(call);
	if (code != EXIT_OK)
		return code;
	snprintf(name, sizeof(name), "%s%s", args->file ? args->file : cli->operand[0],
		 args->file ? "" : ".pcapng");
	file = strcmp(name, "-") ? fopen(name, "wbe") : stdout;
	if (!file)
		return output_error(&cli->out, EXIT_FAILED, "%s: %s", name, strerror(errno));
	code = capture_into(&session, file, name);
	if (file != stdout && fclose(file) && code == EXIT_OK)
		code = output_error(&cli->out, EXIT_FAILED, "%s: %s", name, strerror(errno));
	return code;
}

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "CALL",
		.help = "Writes the frames of a call that is up into a pcapng file, media and SIP, "
			"as "
			"they come and as they leave, until it is over.",
		.run = capture_run,
		OPERANDS(1, 1),
		.access = ACCESS_WRITE,
		OPTIONS(capture_options, struct capture_args),
	},
};

const struct object capture_object = {
	.name = "capture",
	.help = "the packets of a call into a file",
	OBJECT_COMMANDS(commands),
};
