/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a pcapng file (draft-ietf-opsawg-pcapng): Ethernet frames with NIC and direction. */
#ifndef SEGUE_TOOL_PCAPNG_H
#define SEGUE_TOOL_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PCAPNG_NICS 64u

struct pcapng {
	FILE *file;
	uint64_t octets;	   /* written */
	uint32_t nic[PCAPNG_NICS]; /* ifindex; its place is its number in the file */
	unsigned nics;
};

struct pcapng_frame {
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint32_t ifindex;
	bool outbound;
	const void *data; /* from the Ethernet header on */
	uint32_t length;
};

/* Writes the head. The file stays the caller's, who looks at ferror(). */
void pcapng_begin(struct pcapng *pcapng, FILE *file);
void pcapng_write(struct pcapng *pcapng, const struct pcapng_frame *frame);

#endif
