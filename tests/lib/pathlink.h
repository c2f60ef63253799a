/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated path: two Ethernet interfaces (ends a and b), frames carried between them with delay,
 * jitter, loss, reordering and cuts for each direction. The direction "ab" is from a to b.
 */
#ifndef TEST_PATHLINK_H
#define TEST_PATHLINK_H

#include <stdio.h>

#include "delayq.h"
#include "frame.h"

#define LINK_DROPS 16

enum link_fate {
	FATE_FORWARD,
	FATE_LOSS,  /* random */
	FATE_DROP,  /* a drop predicate matched */
	FATE_CUT,   /* the path was cut, before or while the frame was on its way */
	FATE_QUEUE, /* more frames under way than the queue holds */
	FATE_ERROR, /* the far interface refused it */
	FATE_COUNT
};

/* What one direction does to a frame. */
struct link_shape {
	uint64_t delay_ns;
	uint64_t jitter_ns;  /* added: uniform in [0, jitter]; order is kept */
	double loss;	     /* probability, of frames that match `lossy` */
	double reorder;	     /* probability of being held back */
	double twice;	     /* likewise, of being sent twice, as some networks do */
	uint64_t reorder_ns; /* by so much, letting others pass */
	bool cut;
	uint64_t last_release_ns;
	uint64_t random;
};

struct link_end {
	const char *name;
	int fd;
	struct link_shape shape; /* of frames that come in here */
	uint64_t count[FATE_COUNT];
	uint64_t partial; /* frames whose checksum their sender left to the hardware */
};

struct pathlink {
	struct link_end end[2];
	struct delayq queue;
	struct frame_match lossy;
	struct frame_match drop[LINK_DROPS];
	size_t drops;
	FILE *log;     /* CSV, NULL = none */
	FILE *pcap[2]; /* forwarded, dropped; NULL = none */
};

/* Opens both interfaces and takes a seed for the random decisions. 0 or -errno, said on stderr. */
int pathlink_open(struct pathlink *link, const char *a, const char *b, uint64_t seed,
		  size_t queue_limit);
int pathlink_log(struct pathlink *link, const char *csv, const char *pcap,
		 const char *pcap_dropped);
/* Takes every frame that waits at an end. */
void pathlink_receive(struct pathlink *link, unsigned end);
/* Sends what is due. Returns the time of the next release, 0 if nothing waits. */
uint64_t pathlink_release(struct pathlink *link);
/*
 * cut|heal [ab|ba], delay MS|jitter MS|loss PERCENT|double PERCENT|reorder PERCENT:MS [ab|ba],
 * lossy PREDICATE (of loss and doubling), drop PREDICATE, nodrop. False if not understood.
 */
bool pathlink_command(struct pathlink *link, const char *text);
/* One line of JSON: frames by direction and fate, frames that the kernel dropped before us. */
void pathlink_summary(const struct pathlink *link, FILE *out);
void pathlink_close(struct pathlink *link);

#endif
