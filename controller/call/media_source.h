/* SPDX-License-Identifier: BSD-2-Clause */
/* Our media addresses, each with its ports, and which of them serves which party. */
#ifndef SEGUE_CALL_MEDIA_SOURCE_H
#define SEGUE_CALL_MEDIA_SOURCE_H

#include "base/error.h"
#include "base/netaddr.h"
#include "call/portpool.h"
#include "config.h"

#define MEDIA_ADDRESSES 32u /* as many as the relay has slots for (SG_ADDRESS_SLOTS) */
#define MEDIA_ROUTES 4096u  /* parties whose route is remembered */

struct media_address {
	struct netaddr at; /* port 0 */
	const char *interface;
	struct portpool *pool;
	bool present; /* an address of this machine now */
};

struct media_route {
	uint8_t addr[16];
	uint64_t until_ms; /* 0: empty */
	unsigned address;
};

struct media_source {
	struct media_address address[MEDIA_ADDRESSES];
	unsigned count;
	struct media_route route[MEDIA_ROUTES];
};

/* The first address of each family on each interface of `config`, which must outlive it. */
int media_source_alloc(struct media_source **out, const struct config *config, struct error *err);
void media_source_free(struct media_source *source);
/* Links, addresses or routes changed. */
void media_source_refresh(struct media_source *source);
/* NULL: not one of ours. */
struct media_address *media_source_find(struct media_source *source, const uint8_t addr[16]);
bool media_source_has(const struct media_source *source, bool ipv4);
/*
 * The address that packets to `party` would leave from. A choice costs a look-up of the route, at
 * most one a second for each party; none where there is but one address of the family. NULL: there
 * is none of the family.
 */
struct media_address *media_source_towards(struct media_source *source, const struct netaddr *party,
					   uint64_t now_ms);

#endif
