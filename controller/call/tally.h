/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many calls each subscriber has begun, and how many each trunk carries: what
 * calls.subscriber_most and trunks[].most are asked about. Only who has a call is remembered.
 */
#ifndef SEGUE_TALLY_H
#define SEGUE_TALLY_H

#include "base/hash.h"

enum tally_kind {
	TALLY_SUBSCRIBER, /* by address-of-record */
	TALLY_TRUNK,	  /* by name, whatever the configuration of today says of it */
};

struct tally {
	struct hash_seed seed;
	struct hash table;
};

/* One name and its calls; whoever took it gives it back. */
struct tally_entry;

/* 0 or -ENOMEM. */
int tally_init(struct tally *tally, const struct hash_seed *seed);
/* All entries were given back. */
void tally_free(struct tally *tally);
/* One call more of that name. NULL: no memory. */
struct tally_entry *tally_take(struct tally *tally, enum tally_kind kind, struct str name);
/* One call less; NULL is fine. */
void tally_give(struct tally *tally, struct tally_entry *entry);
/* The calls of that name; 0 when it has none. */
size_t tally_of(const struct tally *tally, enum tally_kind kind, struct str name);

#endif
