/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model: what the data path has to decide about one packet, written from MP-1..MP-16
 * and from nothing else. It shares no code with bpf/ or segue/window.h; only the conventions of
 * segue/abi.h (route word, reasons). Made to be read: slow, with explicit sets.
 *
 * One thread, no time of its own: each packet says when it arrives. Times are nanoseconds and never
 * run backwards.
 */
#ifndef SEGUE_TESTS_MODEL_H
#define SEGUE_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <segue/abi.h>

#define MODEL_WINDOW_MAX 1024

struct model_params {
	unsigned window; /* W, 64..MODEL_WINDOW_MAX */
	uint64_t reset_ns;
	uint64_t restart_ns;
};

/* ---- the window of one SSRC, and the four of a side (MP-5, MP-7, MP-8) ----------------------- */

/* Extended numbers count on where 16 bits wrap; they start high enough never to go below zero. */
struct model_ssrc {
	bool used;
	uint32_t ssrc;
	uint64_t accepted_ns;		 /* when the last packet was accepted */
	uint64_t highest;		 /* extended sequence number */
	uint64_t seen[MODEL_WINDOW_MAX]; /* accepted and less than W behind highest, in no order */
	size_t seen_count;
	bool outside_known;
	uint16_t outside; /* sequence number of the previous packet out of the window */
};

struct model_window {
	struct model_ssrc slot[SG_SSRCS];
};

/* SG_NONE to pass; SG_DUPLICATE, SG_JUMP, SG_TOO_LATE. *late: passes behind the highest. */
enum sg_reason model_window_accept(struct model_window *window, const struct model_params *params,
				   uint32_t ssrc, uint16_t sequence, uint64_t now_ns, bool *late);

/* ---- a stream and a packet ------------------------------------------------------------------- */

struct model_endpoint {
	uint8_t addr[16]; /* network order, IPv4 v4-mapped */
	uint16_t port;	  /* host order */
};

/* Indexed by SG_RTP and SG_RTCP; with mux both are the same. */
struct model_path {
	bool used;
	struct model_endpoint local[SG_COMPONENTS];
	struct model_endpoint remote[SG_COMPONENTS];
	bool hop_usable;
};

struct model_stream {
	struct model_params params;
	uint64_t route; /* as in segue/abi.h */
	struct model_path path[SG_SIDES][SG_PATH_SLOTS];
	struct model_window window[SG_SIDES]; /* by the side that sends to us */
};

struct model_packet {
	uint64_t time_ns;
	unsigned side;		     /* whose port it came to */
	enum sg_component component; /* of that port */
	struct model_endpoint local; /* its destination */
	struct model_endpoint source;
	const uint8_t *payload; /* of UDP */
	size_t length;
};

struct model_verdict {
	enum sg_reason reason; /* SG_NONE: forwarded */
	uint8_t copies;	       /* forwarded: mask of the other side's path slots, one copy each */
	bool rtcp;
	bool late;	     /* forwarded although behind the highest sequence number */
	int path;	     /* slot that it arrived on, -1 if no path of the side has the source */
	bool windowed;	     /* it was asked of the window; the next three are set */
	enum sg_reason once; /* what the window said */
	uint32_t ssrc;
	uint16_t sequence;
};

void model_decide(struct model_stream *stream, const struct model_packet *packet,
		  struct model_verdict *verdict);

#endif
