/* SPDX-License-Identifier: BSD-2-Clause */
/* The last packets before a disagreement, and what each side said about them. */
#ifndef SEGUE_TESTS_RECENT_H
#define SEGUE_TESTS_RECENT_H

#include <inttypes.h>
#include <stdio.h>

#include "model.h"

#define RECENT 20

struct recent_packet {
	uint64_t number, time_ns;
	unsigned side;
	int path;
	uint32_t ssrc;
	uint16_t sequence;
	uint32_t wanted, got; /* enum sg_reason, bit 31: late */
};

struct recent {
	struct recent_packet packet[RECENT];
	uint64_t count;
};

static inline void recent_add(struct recent *recent, const struct recent_packet *packet)
{
	struct recent_packet *place = &recent->packet[recent->count++ % RECENT];

	*place = *packet;
	place->number = recent->count;
}

static inline void recent_print(const struct recent *recent)
{
	uint64_t first = recent->count > RECENT ? recent->count - RECENT : 0;

	printf("# packet         time_ns side path       ssrc   seq  model  tested (8xxxxxxx: "
	       "late)\n");
	for (uint64_t i = first; i < recent->count; i++) {
		const struct recent_packet *p = &recent->packet[i % RECENT];

		printf("# %6" PRIu64 " %15" PRIu64 " %4u %4d 0x%08x %5u %6x  %6x\n", p->number,
		       p->time_ns, p->side, p->path, p->ssrc, p->sequence, p->wanted, p->got);
	}
}

#endif
