// SPDX-License-Identifier: BSD-2-Clause
#include "packetlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ua_packetlog {
	FILE *file; /* NULL: nothing is kept */
};

int ua_packetlog_open(struct ua_packetlog **out, const char *path, struct error *err)
{
	struct ua_packetlog *log = calloc(1, sizeof(*log));

	if (!log)
		return error_set(err, -ENOMEM, "no memory for a log of packets");
	if (path) {
		log->file = fopen(path, "we");
		if (!log->file) {
			free(log);
			return error_set(err, -errno, "%s: %s", path, strerror(errno));
		}
		setvbuf(log->file, NULL, _IOLBF, 0); /* others look at it while we run */
		fputs("kind,time_ns,path,ssrc,sequence,sent_ns,intact,note\n", log->file);
	}
	*out = log;
	return 0;
}

void ua_packetlog_close(struct ua_packetlog *log)
{
	if (log && log->file)
		fclose(log->file);
	free(log);
}

static void line(const struct ua_packetlog *log, const char *kind, uint64_t now_us, int network,
		 const struct rtp *rtp)
{
	if (log->file)
		fprintf(log->file, "%s,%" PRIu64 ",%d,%" PRIu32 ",%u,0,1,\n", kind, now_us * 1000,
			network, rtp->ssrc, rtp->sequence);
}

void ua_packetlog_sent(struct ua_packetlog *log, uint64_t now_us, int network,
		       const struct rtp *rtp)
{
	line(log, "rtp-sent", now_us, network, rtp);
}

void ua_packetlog_received(struct ua_packetlog *log, uint64_t now_us, int network,
			   const struct rtp *rtp)
{
	line(log, "rtp-received", now_us, network, rtp);
}

void ua_packetlog_note(struct ua_packetlog *log, uint64_t now_us, const char *note)
{
	if (log->file)
		fprintf(log->file, "note,%" PRIu64 ",0,0,0,0,1,%s\n", now_us * 1000, note);
}
