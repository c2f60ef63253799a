/* SPDX-License-Identifier: BSD-2-Clause */
/* Segue in a lane, set up as an operator does: through the relay's library. */
#ifndef SG_BENCH_SUBJECT_H
#define SG_BENCH_SUBJECT_H

#include <stdint.h>

#include "lane.h"

struct sg_relay;

struct subject {
	struct sg_relay *relay;
	const struct lane *lane;
	int prog_fd;   /* our program on `in` */
	double memory; /* bytes of all maps, as the kernel accounts them */
	double add_us; /* of one sg_stream_add, mean */
};

/* Makes the maps in the private bpffs and attaches to both NICs of the lane. */
void subject_open(struct subject *subject, const struct lane *lane, const char *object_dir);
/* Installs flows base..base + count - 1 of the plan; with `copies` 2 a second path joins side B. */
void subject_install(struct subject *subject, uint32_t base, uint32_t count, unsigned copies);
/* Prints counters of drops that are not zero: why a run lost packets. */
void subject_drops(struct subject *subject);
void subject_close(struct subject *subject);

#endif
