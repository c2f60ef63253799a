/* SPDX-License-Identifier: BSD-2-Clause */
/* An address and port: IPv4 as ::ffff:a.b.c.d, network order; the port in host order. */
#ifndef SEGUE_NETADDR_H
#define SEGUE_NETADDR_H

#include <sys/socket.h>

#include "base/str.h"

#define NETADDR_STRLEN 56 /* "[ffff:...:ffff]:65535" and the NUL */

struct netaddr {
	uint8_t addr[16];
	uint16_t port; /* 0: none */
};

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]", no port: out->port becomes `port`. -EINVAL. */
int netaddr_parse_host(struct netaddr *out, struct str host, uint16_t port);
/* "192.0.2.1:5060" or "[2001:db8::1]:5060", the port required. -EINVAL. */
int netaddr_parse(struct netaddr *out, struct str text);
bool netaddr_is_ipv4(const struct netaddr *a);
/* All bits of the address zero (0.0.0.0 or ::). */
bool netaddr_is_any(const struct netaddr *a);
bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b);
bool netaddr_eq(const struct netaddr *a, const struct netaddr *b);
/* `bits` of the address are alike; for IPv4 pairs bits are of 32, else of 128. */
bool netaddr_in_prefix(const struct netaddr *a, const struct netaddr *prefix, unsigned bits);
/* Return `out`. The host alone is without brackets; in a URI IPv6 wants them: netaddr_format_uri.
 */
char *netaddr_format(const struct netaddr *a, char out[NETADDR_STRLEN]);
char *netaddr_format_host(const struct netaddr *a, char out[NETADDR_STRLEN]);
char *netaddr_format_uri(const struct netaddr *a, char out[NETADDR_STRLEN]); /* host, no port */
/* IPv4 becomes AF_INET; returns the length. */
socklen_t netaddr_to_sockaddr(const struct netaddr *a, struct sockaddr_storage *out);
void netaddr_from_sockaddr(struct netaddr *out, const struct sockaddr *sa);
/*
 * Our address towards it, by the kernel's routes (a connected UDP socket); port 0. `mtu` (may be
 * NULL): of the way there as far as the kernel knows it, bytes of a packet. Negative errno.
 */
int netaddr_source_for(struct netaddr *out, unsigned *mtu, const struct netaddr *remote);

#endif
