/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a transaction is found by (RFC 3261 17.1.3, 17.2.3, 8.2.2.2): two keyed hashes, 128 bits
 * together, of the parts that identify it. So that no text has to be kept for comparing. Private to
 * sip/.
 */
#ifndef SEGUE_SIP_TRANSACTION_H
#define SEGUE_SIP_TRANSACTION_H

#include "base/hash.h"
#include "sip/message.h"

#define SIP_BRANCH_COOKIE STR("z9hG4bK")

struct tx_key {
	uint64_t bucket, check;
};

/* Two independent secrets. */
struct tx_seeds {
	struct hash_seed bucket, check;
};

struct tx_node {
	struct tx_key key;
};

/* ---- the table (transaction_table.c) -----------------------------------------------------------
 *
 * Buckets of one cache line, with 51 bits of the key beside each pointer: finding touches that line
 * and then only the node that is meant, however many live. A full bucket sends what else belongs to
 * it to the next one, and counts what it has sent. It grows a few buckets at a time.
 */

#define TX_BUCKET 5u

struct tx_bucket {
	uint64_t entry[TX_BUCKET]; /* pointer and 19 bits of the key; 0: free */
	uint32_t check[TX_BUCKET]; /* 32 bits more */
	uint32_t passed;	   /* nodes that have gone further: 0 ends a search */
};

struct tx_buckets {
	struct tx_bucket *bucket;
	size_t mask;
	void *memory; /* that the buckets lie in, aligned */
};

struct tx_table {
	struct tx_buckets now, old; /* `old` is being moved into `now` */
	size_t count, moved;	    /* old buckets below `moved` are empty */
};

int tx_table_init(struct tx_table *table); /* 0 or -ENOMEM */
/* The nodes stay with their objects. */
void tx_table_free(struct tx_table *table);
/* -ENOMEM when it is full and cannot grow. */
int tx_add(struct tx_table *table, struct tx_node *node, struct tx_key key);
/* A node that is in the table. */
void tx_remove(struct tx_table *table, const struct tx_node *node);
struct tx_node *tx_find(const struct tx_table *table, struct tx_key key);
/* Each in turn, while none is added or removed; NULL at the end. *cursor starts at 0. */
struct tx_node *tx_walk(const struct tx_table *table, size_t *cursor);

/* ---- keys --------------------------------------------------------------------------------------
 * `table`: where it will be looked up; its memory is fetched while the rest is computed.
 */

/* The server transaction of a request, taken as if its method were `method` (ACK finds INVITE). */
struct tx_key tx_key_server(const struct tx_seeds *seeds, const struct tx_table *table,
			    const struct sip_message *request, struct str method);
/* The client transaction with that branch of ours. */
struct tx_key tx_key_client(const struct tx_seeds *seeds, const struct tx_table *table,
			    struct str branch, struct str method);
/* What two copies of one request have alike that came by two ways (RFC 3261 8.2.2.2). */
struct tx_key tx_key_merged(const struct tx_seeds *seeds, const struct tx_table *table,
			    const struct sip_message *request);

#endif
