/* SPDX-License-Identifier: BSD-2-Clause */
/* A handover as a picture: what is known of it (rtp-draw.c reads it) and how it is drawn. */
#ifndef TEST_PICTURE_H
#define TEST_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "drawing.h"
#include "rtplog.h"

#define DIRECTIONS 2
#define MARKS 16
#define MOVES 2

struct copy {		  /* of a packet, on a path */
	uint64_t time_ns; /* of arrival at the path's far end, or of its loss */
	unsigned path;
	int64_t index; /* of the packet since the sender's first */
	bool arrived;
	bool first; /* of its sequence number to arrive */
};

struct direction {
	const char *label, *remover; /* who takes out second copies */
	char end;		     /* of the path simulators where the packets come in */
	struct rtp_log sender, receiver;
	struct rtp_summary summary;
	uint64_t *sent_ns; /* by index, summary.sent entries */
	struct copy *copy;
	size_t copies;
	uint64_t removed;
	uint16_t first_sequence;
};

struct move {
	double join, leave; /* a handover lasts from the one to the other; 0 = unknown */
};

struct mark {
	double time; /* seconds after the start */
	const char *text;
};

struct picture {
	struct drawing drawing;
	const char *title, *out;
	const char *path_name[RTP_PATHS], *path_log[RTP_PATHS];
	unsigned paths;
	struct direction direction[DIRECTIONS];
	unsigned directions;
	uint64_t start_ns;
	double seconds; /* from the start to the last packet */
	struct move move[MOVES];
	unsigned moves;
	struct mark mark[MARKS];
	unsigned marks;
};

/* 0, or -1 with errno. */
int picture_draw(struct picture *picture);

#endif
