/* SPDX-License-Identifier: BSD-2-Clause */
/* The media of a crowd: a socket and a numbered stream for each call, and what each receives. */
#ifndef TEST_CROWD_TALK_H
#define TEST_CROWD_TALK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TALK_MOST 65536u /* packets of a call, one way */

struct talk {
	int fd;
	uint16_t port; /* ours */
	bool on;
	struct sockaddr_in to;
	uint32_t ssrc;
	uint64_t next_ns; /* when the next packet is due */
	uint32_t sent;
	/* What came: whose, how many once, doubled, and such as are not of that source. */
	uint32_t heard_ssrc, once, doubled, strange;
	uint8_t seen[TALK_MOST / 8];
};

/* A socket at `port`, whose queue holds a minute of packets. False: errno says why. */
bool talk_open(struct talk *talk, struct in_addr host, uint16_t port, uint32_t ssrc);
/* Speaks to that address from `first_ns` on. */
void talk_start(struct talk *talk, const struct sockaddr_in *to, uint64_t first_ns);
/* Sends what is due, one packet at most. True if it did. */
bool talk_send(struct talk *talk, uint64_t now_ns, uint64_t interval_ns);
/* Takes all that has come. */
void talk_receive(struct talk *talk);

#endif
