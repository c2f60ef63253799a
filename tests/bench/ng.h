/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of rtpengine's NG protocol: bencoded dictionaries over UDP, each behind a cookie. */
#ifndef SG_BENCH_NG_H
#define SG_BENCH_NG_H

#include <stddef.h>
#include <stdint.h>

struct ng {
	int fd;
	unsigned cookie;
	char reply[8192]; /* the last reply's dictionary */
	size_t reply_length;
};

/* Connects to 127.0.0.1:port in the present namespace and pings; 0, or -1 if nobody answers yet. */
int ng_open(struct ng *ng, uint16_t port);
void ng_close(struct ng *ng);

/* An address and a port for RTP, both in network byte order. */
struct ng_end {
	uint32_t address;
	uint16_t port;
};

/*
 * Sets up a call from party A to party B (offer from A, answer from B). `flags` is a bencoded list
 * for both messages ("le": none). The ends that A and B have to send to are written to for_a and
 * for_b; A is behind rtpengine's interface a, B behind b. Ends the bench if rtpengine refuses.
 */
void ng_connect(struct ng *ng, const char *id, const char *flags, const struct ng_end *a,
		const struct ng_end *b, struct ng_end *for_a, struct ng_end *for_b);
/*
 * Sets up call number `call` between party A and party B of the bench's address plan. Gives the
 * address and port that A has to send to, in network byte order.
 */
void ng_call(struct ng *ng, uint32_t call, uint32_t *address, uint16_t *port);

#endif
