/* SPDX-License-Identifier: BSD-2-Clause */
/* A relay that only writes down what it is told, and lies when it is asked to. */
#ifndef SEGUE_TESTS_FAKE_MEDIA_H
#define SEGUE_TESTS_FAKE_MEDIA_H

#include "call/media.h"

#define FAKE_STREAMS 64
#define FAKE_STORY 8192

struct media_stream {
	struct media *media;
	bool used;
	char name[64];
	uint32_t number;
	struct media_path path[SG_SIDES];
	unsigned slot[SG_SIDES];
	bool mux, opaque;
	enum sg_direction direction;
	uint64_t created_ns, last_packet_ns;
	bool has_joined[SG_SIDES]; /* a second path, and when it was heard last */
	struct media_path joined[SG_SIDES];
	uint64_t joined_ns[SG_SIDES];
	media_event_fn *event;
	void *event_context;
	/* What waits for fake_media_finish. */
	media_done_fn *done;
	void *context;
};

struct media {
	struct media_stream stream[FAKE_STREAMS];
	unsigned ports;	   /* that may be reserved */
	unsigned reserved; /* not given back and not installed */
	uint16_t next_port;
	bool taken[UINT16_MAX + 1]; /* by a stream, by local port */
	bool slow;		    /* installs and moves wait for fake_media_finish */
	int refuse;		    /* negative errno: installs and moves are refused */
	int refuse_b;		    /* ... moves of side B only */
	bool no_ipv6;
	char story[FAKE_STORY]; /* "install x.0 both; move a ...; " since fake_media_tell */
};

void fake_media_init(struct media *media);
unsigned fake_media_streams(const struct media *media);
/* The only stream; fails when there is not exactly one. */
struct media_stream *fake_media_only(struct media *media);
/* The waiting operations are done now, with that result; returns how many waited. */
unsigned fake_media_finish(struct media *media, int result);
/* As if the kernel had reported it. */
void fake_media_report(struct media_stream *stream, enum media_event_kind kind, enum sg_side side,
		       unsigned slot);
/* Forgets the story so far. */
void fake_media_tell(struct media *media);

#endif
