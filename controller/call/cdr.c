// SPDX-License-Identifier: BSD-2-Clause
/* The record of a call that is over, from the kernel's counters (SG-50). */
#include "call/handover.h"

#include <stdlib.h>

/* "name":N, as buf_addf would, but cheap: a busy controller writes thousands of records a second.
 */
static void add_number(struct buf *out, struct str name, uint64_t number)
{
	buf_add(out, STR(",\""));
	buf_add(out, name);
	buf_add(out, STR("\":"));
	buf_add_u64(out, number);
}

/* ... with two decimals. */
static void add_decimal(struct buf *out, struct str name, double number)
{
	uint64_t hundredths = number > 0 && number < 1e12 ? (uint64_t)(number * 100 + 0.5) : 0;

	add_number(out, name, hundredths / 100);
	buf_add_char(out, '.');
	buf_add_char(out, (char)('0' + hundredths / 10 % 10));
	buf_add_char(out, (char)('0' + hundredths % 10));
}

static void add_path(struct buf *out, const struct stream *stream, const struct sg_path_info *path)
{
	struct media_quality quality;
	struct netaddr remote = {.port = path->remote.port};
	char text[NETADDR_STRLEN];

	memcpy(remote.addr, path->remote.addr, sizeof(remote.addr));
	media_quality(&quality, path, stream->encoding);
	buf_add(out, path->side == SG_SIDE_A ? STR("{\"side\":\"a\",\"remote\":\"")
					     : STR("{\"side\":\"b\",\"remote\":\""));
	buf_add(out, str_of(netaddr_format(&remote, text)));
	buf_add_char(out, '"');
	add_number(out, STR("slot"), path->slot);
	add_number(out, STR("packets"), path->packets);
	add_number(out, STR("octets"), path->octets);
	add_number(out, STR("sent_packets"), path->sent_packets);
	add_number(out, STR("sent_octets"), path->sent_octets);
	add_number(out, STR("duplicates"), path->duplicates);
	add_number(out, STR("late"), path->late);
	add_number(out, STR("lost"), path->lost);
	add_decimal(out, STR("jitter_ms"), path->jitter_ms);
	add_decimal(out, STR("mos"), quality.mos);
	buf_add_char(out, '}');
}

/* All paths that the stream has had: those that carry it, and those that left or moved before. */
static void add_paths(struct buf *out, const struct stream *stream)
{
	struct sg_path_info past[SG_SIDES * SG_PATH_SLOTS * 2];
	size_t count = media_past(stream->media, past, sizeof(past) / sizeof(past[0]));
	struct sg_stream_info info;
	bool first = true;

	if (count > sizeof(past) / sizeof(past[0]))
		count = sizeof(past) / sizeof(past[0]);
	for (size_t i = 0; i < count; i++, first = false) {
		if (!first)
			buf_add_char(out, ',');
		add_path(out, stream, &past[i]);
	}
	if (media_info(stream->media, &info))
		return;
	for (size_t i = 0; i < info.paths; i++) {
		if (info.path[i].state != SG_PATH_LIVE)
			continue;
		if (!first)
			buf_add_char(out, ',');
		first = false;
		add_path(out, stream, &info.path[i]);
	}
}

static void add_stream(struct buf *out, struct stream *stream)
{
	buf_add(out, STR("{\"encoding\":\""));
	buf_add(out, str_of(stream->encoding));
	buf_add(out, STR("\",\"paths\":["));
	if (stream->media)
		add_paths(out, stream);
	buf_add(out, STR("]}"));
}

static void add_handovers(struct buf *out, const struct call *call)
{
	json_t *reports = list_empty(&call->moves) ? NULL : handover_reports(call);
	char *text = reports ? json_dumps(reports, JSON_COMPACT) : NULL;

	if (text) {
		buf_add(out, STR(",\"handovers\":"));
		buf_add(out, str_of(text));
	}
	free(text);
	json_decref(reports);
}

static void write_details(struct call *call, struct buf *out)
{
	buf_reset(out);
	buf_add(out, STR("{\"streams\":["));
	for (size_t i = 0; i < call->streams; i++) {
		if (i)
			buf_add_char(out, ',');
		add_stream(out, &call->stream[i]);
	}
	buf_add_char(out, ']');
	add_handovers(out, call);
	buf_add_char(out, '}');
}

void cdr_write(struct call *call, const char *why, int status)
{
	struct buf *details = &call->calls->extra;
	struct store_cdr cdr = {
		.call_id = str_of(call->id),
		.caller = str_of(call->from),
		.callee = str_of(call->to),
		.started_ns = call->started_ns,
		.answered_ns = call->answered_ns,
		.ended_ns = call_now_ns(call),
		.reason = str_of(why),
		.status = call->answered_ns ? 200 : status,
		.handovers = call->handovers,
	};

	if (!call->calls->store || call->subscription)
		return;
	write_details(call, details);
	cdr.details = buf_error(details) ? STR("{}") : buf_str(details);
	/* What did not fit is counted and logged by the store. */
	store_add_cdr(call->calls->store, &cdr);
}
