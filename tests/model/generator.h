/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes long traces of one stream for the reference model and for what is compared with it. From
 * one seed always the same trace.
 *
 * Each side has a sender whose packets travel on two paths with a skew of up to 450 ms, lose
 * packets independently of each other and overtake each other within and beyond W; now and then
 * something happens to it: both paths lose all for up to 60 s, it falls silent, restarts, jumps,
 * changes its SSRC, sends with more SSRCs than there are windows, or stray and repeated packets
 * arrive. Sequence numbers wrap all the time. With `admission` also forged sources, packets that
 * are not RTP, RTCP, and changes of route and of next hops.
 */
#ifndef SEGUE_TESTS_GENERATOR_H
#define SEGUE_TESTS_GENERATOR_H

#include "model.h"
#include "rng.h"

#define GENERATOR_PAYLOAD_MAX 64
#define GENERATOR_PATHS                                                                            \
	4		   /* slots 0..3 of each side are used; 0 and 1 carry the sender's copies  \
			    */
#define GENERATOR_THRASH 8 /* SSRCs that a sender may use at once */
#define GENERATOR_FLIGHT 32768

struct generator_options {
	uint64_t seed;
	struct model_params params; /* the model's: the generator aims at their edges */
	bool admission;
	bool mux;
	unsigned ssrcs; /* that there are at all; 0: any number */
};

enum generator_kind {
	GENERATOR_PACKET,
	GENERATOR_ROUTE, /* the route changes to `route` */
	GENERATOR_HOP,	 /* the next hop of a path becomes usable or not */
};

struct generator_item {
	enum generator_kind kind;
	struct model_packet packet; /* .payload points into `payload` below */
	uint8_t payload[GENERATOR_PAYLOAD_MAX];
	uint64_t route;
	unsigned side, slot; /* of GENERATOR_HOP */
	bool usable;
};

/* One copy on its way. */
struct generator_flight {
	uint64_t time_ns;
	uint64_t order; /* breaks ties, so that the trace does not depend on the heap */
	uint32_t ssrc;
	uint16_t sequence;
	uint8_t side;
	uint8_t path;
	bool rtcp;
};

struct generator_voice {
	uint32_t ssrc;
	uint16_t sequence;
};

struct generator_sender {
	struct generator_voice voice[GENERATOR_THRASH];
	unsigned voices; /* in use: 1, or more while it thrashes */
	uint64_t next_ns;
	uint64_t ptime_ns;
	uint64_t delay_ns[2];
	uint32_t loss_permille[2];
	uint64_t lost_until_ns; /* both paths lose everything */
	uint64_t dead_until_ns[2];
	uint32_t reorder_permille;
	uint32_t reorder_packets; /* an overtaken packet is late by up to so many */
};

struct generator {
	struct generator_options options;
	struct rng rng;
	struct generator_sender sender[SG_SIDES];
	uint64_t now_ns;
	uint64_t order;
	uint64_t route;
	struct generator_flight flight[GENERATOR_FLIGHT]; /* a heap, earliest first */
	size_t flying;
};

/* `generator` is large: not for the stack. */
void generator_init(struct generator *generator, const struct generator_options *options);
/* The stream as it is before the first item: paths, route, parameters, empty windows. */
void generator_stream(const struct generator *generator, struct model_stream *stream);
/* Endless. */
void generator_next(struct generator *generator, struct generator_item *item);

#endif
