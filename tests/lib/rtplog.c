// SPDX-License-Identifier: BSD-2-Clause
#include "rtplog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"rtp-sent", "rtp-received", "rtcp-sent", "rtcp-received",
					 "note"};

/* ---- the log --------------------------------------------------------------------------------- */

bool rtp_log_append(struct rtp_log *log, const struct rtp_record *record)
{
	struct rtp_record *slot;

	if (log->count == log->room) {
		size_t room = log->room ? log->room * 2 : 1024;
		struct rtp_record *grown = realloc(log->record, room * sizeof(*grown));

		if (!grown)
			return false;
		log->record = grown;
		log->room = room;
	}
	slot = &log->record[log->count++];
	*slot = *record;
	slot->note = record->note ? strdup(record->note) : NULL;
	return !record->note || slot->note;
}

bool rtp_log_write(const struct rtp_log *log, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	fputs("kind,time_ns,path,ssrc,sequence,sent_ns,intact,note\n", file);
	for (size_t i = 0; i < log->count; i++) {
		const struct rtp_record *r = &log->record[i];

		fprintf(file, "%s,%" PRIu64 ",%d,%" PRIu32 ",%u,%" PRIu64 ",%d,%s\n",
			kind_names[r->kind], r->time_ns, r->path, r->ssrc, r->sequence, r->sent_ns,
			r->intact, r->note ? r->note : "");
	}
	return fclose(file) == 0;
}

static bool parse_record(struct rtp_record *out, char *line)
{
	char kind[16];
	int intact, note = 0;
	unsigned sequence;

	memset(out, 0, sizeof(*out));
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%15[^,],%" SCNu64 ",%d,%" SCNu32 ",%u,%" SCNu64 ",%d,%n", kind,
		   &out->time_ns, &out->path, &out->ssrc, &sequence, &out->sent_ns, &intact,
		   &note) < 7 ||
	    !note)
		return false;
	out->sequence = (uint16_t)sequence;
	out->intact = intact != 0;
	for (unsigned i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++) {
		if (strcmp(kind, kind_names[i]) != 0)
			continue;
		out->kind = (enum rtp_kind)i;
		out->note = out->kind == RTP_NOTE ? line + note : NULL;
		return out->path >= -1 && out->path < RTP_PATHS;
	}
	return false;
}

bool rtp_log_read(struct rtp_log *log, const char *path)
{
	FILE *file = fopen(path, "r");
	struct rtp_record record;
	char line[256];
	bool good = file && fgets(line, sizeof(line), file); /* the heading */

	while (good && fgets(line, sizeof(line), file)) {
		good = parse_record(&record, line) && rtp_log_append(log, &record);
		if (!good)
			fprintf(stderr, "%s: not a packet log: %s\n", path, line);
	}
	if (!file)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	else
		fclose(file);
	return good;
}

void rtp_log_free(struct rtp_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->record[i].note);
	free(log->record);
	memset(log, 0, sizeof(*log));
}

/* ---- what it says ------------------------------------------------------------------------------
 */

struct span {
	bool begun;
	uint32_t ssrc;
	int64_t first, last; /* extended sequence numbers */
	int64_t newest;	     /* what the next is unwrapped against */
};

static int64_t unwrap(struct span *span, uint16_t sequence)
{
	int64_t extended;

	if (!span->begun) {
		/* One turn up: what arrives behind the first must not become negative. */
		span->begun = true;
		span->first = span->last = span->newest = 65536 + (int64_t)sequence;
	}
	extended = span->newest + (int16_t)(sequence - (uint16_t)span->newest);
	if (extended > span->newest)
		span->newest = extended;
	return extended;
}

/* Extended sequence numbers of the records of one kind, and the lowest and highest of them. */
static void number(struct rtp_log *log, enum rtp_kind kind, struct span *span)
{
	for (size_t i = 0; i < log->count; i++) {
		struct rtp_record *r = &log->record[i];

		if (r->kind != kind)
			continue;
		if (!span->begun)
			span->ssrc = r->ssrc;
		r->verdict = r->ssrc == span->ssrc ? RTP_FIRST : RTP_FOREIGN;
		if (r->verdict == RTP_FOREIGN)
			continue;
		r->index = unwrap(span, r->sequence);
		if (r->index < span->first)
			span->first = r->index;
		if (r->index > span->last)
			span->last = r->index;
	}
}

static void rebase(struct rtp_log *log, enum rtp_kind kind, int64_t first)
{
	for (size_t i = 0; i < log->count; i++) {
		if (log->record[i].kind == kind)
			log->record[i].index -= first;
	}
}

static void count_sender(struct rtp_summary *out, const struct rtp_log *sender)
{
	for (size_t i = 0; i < sender->count; i++) {
		const struct rtp_record *r = &sender->record[i];

		if (r->path < 0)
			continue;
		if (r->kind == RTP_SENT) {
			out->copies++;
			out->path[r->path].sent++;
		} else if (r->kind == RTCP_SENT) {
			out->path[r->path].rtcp_sent++;
		}
	}
}

struct arrival {	/* of one sequence number */
	unsigned paths; /* mask of those it came by */
};

static enum rtp_verdict judge(struct arrival *arrival, int path)
{
	unsigned bit = 1u << path;
	enum rtp_verdict verdict = RTP_FIRST;

	if (arrival->paths & bit)
		verdict = RTP_DOUBLED;
	else if (arrival->paths)
		verdict = RTP_COPY;
	arrival->paths |= bit;
	return verdict;
}

struct application { /* what it has got so far */
	int64_t highest;
	uint64_t last_ns;
};

static void deliver(struct rtp_summary *out, struct application *app, const struct rtp_record *r)
{
	double delay_ms = ((double)r->time_ns - (double)r->sent_ns) / 1e6;
	double gap_ms = app->last_ns ? (double)(r->time_ns - app->last_ns) / 1e6 : 0;

	out->once++;
	out->path[r->path].first++;
	if (gap_ms > out->gap_ms)
		out->gap_ms = gap_ms;
	app->last_ns = r->time_ns;
	if (r->index < app->highest) {
		out->reordered++;
		if ((uint64_t)(app->highest - r->index) > out->depth)
			out->depth = (uint64_t)(app->highest - r->index);
	} else {
		app->highest = r->index;
	}
	if (!r->sent_ns)
		return;
	if (delay_ms > out->delay_max_ms)
		out->delay_max_ms = delay_ms;
	if (out->once == 1 || delay_ms < out->delay_min_ms)
		out->delay_min_ms = delay_ms;
}

static void count_rtp(struct rtp_summary *out, struct application *app, struct arrival *arrivals,
		      struct rtp_record *r)
{
	out->received++;
	out->path[r->path].received++;
	if (!r->intact)
		out->corrupt++;
	if (r->verdict == RTP_FOREIGN || r->index < 0 || r->index >= (int64_t)out->sent) {
		r->verdict = RTP_FOREIGN;
		out->foreign++;
		return;
	}
	r->verdict = judge(&arrivals[r->index], r->path);
	if (r->verdict == RTP_DOUBLED)
		out->doubled++;
	else if (r->verdict == RTP_COPY)
		out->removed++;
	else
		deliver(out, app, r);
}

static bool count_receiver(struct rtp_summary *out, struct rtp_log *receiver)
{
	struct arrival *arrivals = calloc(out->sent + 1, sizeof(*arrivals));
	struct application app = {0};

	if (!arrivals)
		return false;
	for (size_t i = 0; i < receiver->count; i++) {
		struct rtp_record *r = &receiver->record[i];

		if (r->kind == RTP_RECEIVED)
			count_rtp(out, &app, arrivals, r);
		else if (r->kind == RTCP_RECEIVED)
			out->path[r->path].rtcp_received++;
	}
	free(arrivals);
	return true;
}

bool rtp_analyse(struct rtp_summary *out, struct rtp_log *sender, struct rtp_log *receiver)
{
	struct span span = {0};
	int64_t first;

	memset(out, 0, sizeof(*out));
	if (sender) {
		number(sender, RTP_SENT, &span);
		out->sent = span.begun ? (uint64_t)(span.last - span.first + 1) : 0;
		first = span.first;
		rebase(sender, RTP_SENT, first);
		count_sender(out, sender);
		/* The receiver's first packet is near the sender's first, not near its last. */
		span.newest = first;
		number(receiver, RTP_RECEIVED, &span);
	} else {
		number(receiver, RTP_RECEIVED, &span);
		out->sent = span.begun ? (uint64_t)(span.last - span.first + 1) : 0;
		first = span.first;
	}
	rebase(receiver, RTP_RECEIVED, first);
	out->ssrc = span.ssrc;
	if (!count_receiver(out, receiver))
		return false;
	out->lost = out->sent - out->once;
	return true;
}

void rtp_summary_json(const struct rtp_summary *s, FILE *out)
{
	fprintf(out,
		"{\"ssrc\": %" PRIu32 ", \"sent\": %" PRIu64 ", \"copies_sent\": %" PRIu64
		", \"copies_received\": %" PRIu64 ", \"received_once\": %" PRIu64
		", \"lost\": %" PRIu64 ", \"doubled\": %" PRIu64 ", \"removed\": %" PRIu64
		", \"foreign\": %" PRIu64 ", \"corrupt\": %" PRIu64 ", \"reordered\": %" PRIu64
		", \"reorder_depth\": %" PRIu64 ", \"max_gap_ms\": %.3f, \"min_delay_ms\": %.3f, "
		"\"max_delay_ms\": %.3f, \"paths\": [",
		s->ssrc, s->sent, s->copies, s->received, s->once, s->lost, s->doubled, s->removed,
		s->foreign, s->corrupt, s->reordered, s->depth, s->gap_ms, s->delay_min_ms,
		s->delay_max_ms);
	for (unsigned i = 0; i < RTP_PATHS; i++) {
		const struct rtp_path_count *p = &s->path[i];

		fprintf(out,
			"%s{\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"first\": %" PRIu64
			", \"rtcp_sent\": %" PRIu64 ", \"rtcp_received\": %" PRIu64 "}",
			i ? ", " : "", p->sent, p->received, p->first, p->rtcp_sent,
			p->rtcp_received);
	}
	fputs("]}", out);
}
