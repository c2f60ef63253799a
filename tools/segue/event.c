/* SPDX-License-Identifier: BSD-2-Clause */
/* segue event follow: the kernel's events as they come, read without consuming them. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "values.h"
#include "view.h"

#define POLL_MS 100 /* how soon a signal or the timeout is noticed */

static const struct range count_range = {1, 1000000000};
static const struct range timeout_range = {1, 86400};

struct follow_args {
	unsigned count, timeout_s;
};

static const struct option follow_options[] = {
	{"count", 0, "N", option_number, offsetof(struct follow_args, count), &count_range,
	 "end after N events"},
	{"timeout", 0, "S", option_number, offsetof(struct follow_args, timeout_s), &timeout_range,
	 "end after S seconds; 1 if --count was not reached"},
	OPTIONS_END,
};

struct watch {
	struct cli *cli;
	unsigned seen, wanted;
};

static void event_source(const struct sg_event *event, struct sg_endpoint *source)
{
	memcpy(source->addr, event->addr, sizeof(source->addr));
	source->port = ntohs(event->port);
}

static json_t *view_event(const struct sg_event *event, const char *type, const char *stream)
{
	struct sg_endpoint source;

	event_source(event, &source);
	return json_pack("{s:I, s:s, s:o, s:I, s:s, s:i, s:s, s:o, s:i, s:I, s:I, s:i, s:i, s:i}",
			 "time_ns", (json_int_t)event->time_ns, "type", type, "stream",
			 output_optional(stream), "generation", (json_int_t)event->generation,
			 "side", side_name(event->side ? SG_SIDE_B : SG_SIDE_A), "index",
			 (int)event->slot, "component", event->component ? "rtcp" : "rtp",
			 "address", view_address(source.addr), "port", (int)source.port, "ssrc",
			 (json_int_t)event->ssrc, "old_ssrc", (json_int_t)event->old_ssrc,
			 "sequence", (int)event->sequence, "old_sequence", (int)event->old_sequence,
			 "mtu", (int)event->mtu);
}

/* What an event of this type says beyond where it happened. */
static void write_detail(const struct sg_event *event, char *out, size_t size)
{
	if (event->type == SG_EVENT_PATH_MTU)
		snprintf(out, size, " mtu %u", event->mtu);
	else if (event->type == SG_EVENT_SSRC_CHANGE)
		snprintf(out, size, " ssrc 0x%08" PRIx32 " after 0x%08" PRIx32, event->ssrc,
			 event->old_ssrc);
	else if (event->type == SG_EVENT_NEXT_HOP)
		out[0] = 0;
	else
		snprintf(out, size, " ssrc 0x%08" PRIx32 " sequence %u", event->ssrc,
			 event->sequence);
}

static void print_event(const struct sg_event *event, void *context)
{
	struct watch *watch = context;
	const char *type = sg_event_name(event->type);
	struct sg_endpoint source;
	char stream[SG_NAME_LEN], detail[64], from[SG_ENDPOINT_STRLEN];

	/* One poll may deliver more than was asked for. */
	if (watch->wanted && watch->seen == watch->wanted)
		return;
	watch->seen++;
	if (!type)
		type = "unknown";
	event_source(event, &source);
	cli_stream_name(watch->cli, event->stream, stream);
	write_detail(event, detail, sizeof(detail));
	output_line(&watch->cli->out, view_event(event, type, stream), "%.3f %s %s %s %u from %s%s",
		    (double)event->time_ns / 1e9, type, *stream ? stream : "(removed)",
		    side_name(event->side ? SG_SIDE_B : SG_SIDE_A), event->slot,
		    sg_endpoint_format(&source, from), detail);
}

static int event_follow(struct cli *cli)
{
	const struct follow_args *args = cli->args;
	struct watch watch = {.cli = cli, .wanted = args->count};
	uint64_t end = cli_now_ns() + args->timeout_s * 1000000000ull;
	struct sg_events *events;
	struct sg_error err = {""};
	int rc = sg_events_open(&events, cli->relay, &err);

	if (rc < 0)
		return output_error(&cli->out, EXIT_FAILED, "%s",
				    *err.text ? err.text : strerror(-rc));
	cli_hold_signals();
	while (rc >= 0 && !cli_stop_requested(0)) {
		if (args->count && watch.seen == args->count)
			break;
		if (args->timeout_s && cli_now_ns() >= end)
			break;
		rc = sg_events_poll(events, POLL_MS, print_event, &watch);
	}
	sg_events_close(events);
	if (rc < 0)
		return output_error(&cli->out, EXIT_FAILED, "events: %s", strerror(-rc));
	if (watch.seen < args->count)
		return output_error(&cli->out, EXIT_FAILED, "%u of %u events came in time",
				    watch.seen, args->count);
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "follow",
		.operands = "",
		.help = "Prints the kernel's events as they come, one on a line.",
		.run = event_follow,
		.access = ACCESS_READ,
		OPTIONS(follow_options, struct follow_args),
	},
};

const struct object event_object = {
	.name = "event",
	.help = "what the kernel reports",
	OBJECT_COMMANDS(commands),
};
