/* SPDX-License-Identifier: BSD-2-Clause */
/* Where users are: bindings of addresses-of-record to contacts (RFC 3261 10, RFC 5626, PH-1..PH-5).
 */
#ifndef SEGUE_LOCATION_H
#define SEGUE_LOCATION_H

#include "base/hash.h"
#include "base/list.h"
#include "base/timer.h"
#include "sip/transport.h"
#include "store/store.h"

#define LOCATION_BINDINGS 16u  /* of one address-of-record */
#define LOCATION_MOST 1000000u /* of all */

struct location;

struct binding {
	struct list node;
	char *contact; /* URI */
	char *params;  /* of the Contact header as written, from the first ';' on, to be given back;
			  without expires, ua_id, if_q and if_no, which are written anew */
	char *path;    /* Path header value, "" for none (RFC 3327) */
	char *call_id; /* of the REGISTER */
	uint32_t cseq;
	char *instance;	      /* +sip.instance, or ua_id; "" for none */
	uint32_t reg_id;      /* reg-id, or if_no; 0: none */
	unsigned q;	      /* thousandths */
	unsigned if_q;	      /* thousandths: rank of the interface within the instance (PH-3) */
	bool has_ua_id;	      /* spoke ua_id / if_q: the answer has if_no (PH-1) */
	struct sip_flow flow; /* where the REGISTER came from */
	bool use_flow;	      /* send there: a connection, or behind NAT */
	bool flow_only;	      /* there is no other way: without the flow the binding is dead */
	uint64_t expires_ms;  /* of wheel_now_ms() */
	uint64_t changed_ms;
};

int location_alloc(struct location **out, struct wheel *wheel, struct store *store,
		   struct log *log);
void location_free(struct location *location);
/* Bindings from the store: those not yet expired. */
int location_load(struct location *location, struct error *err);

/* Of one device: of these only the first one that lookup gives is tried, and the next only after
 * 408, 430 or a transport error (PH-3, RFC 5626 7). */
bool binding_same_instance(const struct binding *a, const struct binding *b);

/*
 * The bindings of an address-of-record ("alice@example.net", lower-case host) in the order to try
 * them: highest q first. Those of one instance stand together, highest if_q first, then the most
 * recent, at the place that the first of them deserves. Returns how many are written. The pointers
 * are good until the next turn of the loop.
 */
size_t location_lookup(struct location *location, struct str aor, const struct binding *out[],
		       size_t room);
size_t location_count(const struct location *location); /* bindings */
/* Visits all bindings; return non-zero to end. The location must not be changed meanwhile. */
typedef int location_fn(void *context, struct str aor, const struct binding *binding);
void location_each(struct location *location, location_fn *fn, void *context);
/* Removes a binding by its contact, or all when contact is empty; returns how many. */
size_t location_remove(struct location *location, struct str aor, struct str contact);
/* A connection is gone: bindings that can only be reached by it leave (RFC 5626 5.3). */
void location_closed(struct location *location, const struct sip_flow *flow);

#endif
