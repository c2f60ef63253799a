/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an RTP endpoint sent and received, packet by packet, and what that says about a direction:
 * each sequence number once, lost, twice, out of order.
 */
#ifndef TEST_RTPLOG_H
#define TEST_RTPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RTP_PATHS 2

enum rtp_kind { RTP_SENT, RTP_RECEIVED, RTCP_SENT, RTCP_RECEIVED, RTP_NOTE };

enum rtp_verdict {
	RTP_FIRST,   /* given to the application */
	RTP_COPY,    /* came by the other path before: removed by the receiver */
	RTP_DOUBLED, /* came by the same path before: nobody should have sent it */
	RTP_FOREIGN, /* another SSRC than the sender's */
};

struct rtp_record {
	enum rtp_kind kind;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	int path;	  /* RTP_SENT: -1 when no path was on */
	uint32_t ssrc;
	uint16_t sequence;
	uint64_t sent_ns; /* as the sender wrote it into the payload; 0 if it could not be read */
	bool intact;	  /* payload as it was sent */
	char *note;	  /* RTP_NOTE, else NULL; owned */
	/* Filled in by rtp_analyse(): packets since the sender's first. */
	int64_t index;
	enum rtp_verdict verdict;
};

struct rtp_log {
	struct rtp_record *record;
	size_t count, room;
};

struct rtp_path_count {
	uint64_t sent, received, first;
	uint64_t rtcp_sent, rtcp_received;
};

/* One direction: the sender's sent packets, the receiver's received ones. */
struct rtp_summary {
	uint32_t ssrc;
	uint64_t sent;	   /* packets, however many copies of each */
	uint64_t copies;   /* sent */
	uint64_t received; /* copies received */
	uint64_t once;	   /* sequence numbers given to the application */
	uint64_t lost, doubled, removed, foreign, corrupt;
	uint64_t reordered; /* given to the application behind a higher sequence number */
	uint64_t depth;	    /* the furthest behind */
	double gap_ms;	    /* longest silence at the application */
	double delay_min_ms, delay_max_ms;
	struct rtp_path_count path[RTP_PATHS];
};

/* Copies the record (and its note). False without memory. */
bool rtp_log_append(struct rtp_log *log, const struct rtp_record *record);
bool rtp_log_write(const struct rtp_log *log, const char *path);
bool rtp_log_read(struct rtp_log *log, const char *path);
void rtp_log_free(struct rtp_log *log);

/*
 * `sender` may be NULL: then the packets that were sent are taken to be those from the lowest to
 * the highest received, and path[].sent stays 0. Sets index and verdict in both logs.
 */
bool rtp_analyse(struct rtp_summary *out, struct rtp_log *sender, struct rtp_log *receiver);
void rtp_summary_json(const struct rtp_summary *summary, FILE *out);

#endif
