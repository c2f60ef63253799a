/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses with ports as text, and the UDP sockets between two of them. */
#ifndef TEST_ENDPOINT_H
#define TEST_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct endpoint_pair {
	struct sockaddr_storage local, remote;
};

/* "192.0.2.1:5004=192.0.2.2:30000" or with IPv6 addresses in brackets. */
bool endpoint_pair_parse(struct endpoint_pair *out, const char *text);
/*
 * A non-blocking UDP socket bound to the local end and connected to the remote one, so that what
 * comes from anyone else is not received. Both ports are moved up by `offset`. -1: errno says why.
 */
int endpoint_pair_open(const struct endpoint_pair *pair, uint16_t offset);

#endif
