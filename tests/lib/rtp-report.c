// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtp-report: what became of each direction, from the packet logs that rtp-peer wrote.
 * "received once" = given to the application; "doubled" = came twice by one path. A packet that is
 * sent or received on two paths counts as two copies; the receiver takes the second one out itself.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rtplog.h"

static const char usage[] = "usage: rtp-report table|json|lost LABEL SENDER.csv RECEIVER.csv "
			    "[LABEL SENDER RECEIVER]...\n"
			    "  table  a table for people\n"
			    "  json   an object for each LABEL\n"
			    "  lost   the sequence numbers that never arrived, one a line\n";

static void print_lost(const struct rtp_summary *summary, const struct rtp_log *sender,
		       const struct rtp_log *receiver)
{
	bool *got = calloc(summary->sent + 1, sizeof(*got));
	int64_t done = -1;

	if (!got)
		return;
	for (size_t i = 0; i < receiver->count; i++) {
		const struct rtp_record *r = &receiver->record[i];

		if (r->kind == RTP_RECEIVED && r->verdict == RTP_FIRST)
			got[r->index] = true;
	}
	for (size_t i = 0; i < sender->count; i++) {
		const struct rtp_record *r = &sender->record[i];

		if (r->kind != RTP_SENT || r->index == done)
			continue;
		done = r->index;
		if (!got[done])
			printf("%u\n", r->sequence);
	}
	free(got);
}

static void print_heading(void)
{
	printf("  %-10s %6s %14s %6s %8s %10s %12s %16s %12s\n", "direction", "sent",
	       "received once", "lost", "doubled", "reordered", "copies sent", "copies received",
	       "longest gap");
}

static void print_row(const char *label, const struct rtp_summary *s)
{
	printf("  %-10s %6" PRIu64 " %14" PRIu64 " %6" PRIu64 " %8" PRIu64 " %10" PRIu64
	       " %12" PRIu64 " %16" PRIu64 " %9.0f ms\n",
	       label, s->sent, s->once, s->lost, s->doubled, s->reordered, s->copies, s->received,
	       s->gap_ms);
}

static bool report(const char *what, char **argument, bool first)
{
	struct rtp_log sender = {0}, receiver = {0};
	struct rtp_summary summary;
	bool good = rtp_log_read(&sender, argument[1]) && rtp_log_read(&receiver, argument[2]) &&
		    rtp_analyse(&summary, &sender, &receiver);

	if (good && strcmp(what, "lost") == 0) {
		print_lost(&summary, &sender, &receiver);
	} else if (good && strcmp(what, "json") == 0) {
		printf("%s\"%s\": ", first ? "{" : ",\n", argument[0]);
		rtp_summary_json(&summary, stdout);
	} else if (good) {
		print_row(argument[0], &summary);
	}
	rtp_log_free(&sender);
	rtp_log_free(&receiver);
	return good;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool json = strcmp(what, "json") == 0;
	bool table = strcmp(what, "table") == 0;

	if ((!json && !table && strcmp(what, "lost") != 0) || argc < 5 || (argc - 2) % 3) {
		fputs(usage, stderr);
		return 2;
	}
	if (table)
		print_heading();
	for (int i = 2; i < argc; i += 3) {
		if (!report(what, &argv[i], i == 2))
			return 1;
	}
	if (json)
		puts("}");
	return 0;
}
