/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registrar (SG-5, RFC 3261 10.3): answers REGISTER, keeps the location, knows the subscribers,
 * and says for other rooms who a request comes from.
 */
#ifndef SEGUE_REGISTRAR_H
#define SEGUE_REGISTRAR_H

#include "registrar/location.h"
#include "sip/digest.h"
#include "sip/stack.h"

struct registrar;

struct registrar_config {
	char **domains; /* of ours; the first is the realm */
	size_t domain_count;
	unsigned min_expires, max_expires, default_expires; /* s; 0: 60, 7200, 3600 */
	enum digest_algorithm order[DIGEST_ALGORITHMS];
	size_t algorithms;	/* 0: SHA-256, then MD5 */
	unsigned nonce_seconds; /* that one is good for; 0: 300 */
	bool third_party;	/* may an authenticated user register for others? */
};

/* Called after a REGISTER changed bindings: `moved` is an instance that came back from another
 * address. */
typedef void registrar_moved_fn(void *context, struct str aor, const struct binding *moved,
				const struct sip_flow *before);

/* Called for each request with credentials: were they a subscriber's? */
typedef void registrar_proof_fn(void *context, const struct sip_flow *flow, bool good);

int registrar_alloc(struct registrar **out, struct sip_stack *stack, struct location *location,
		    struct store *store, struct log *log, const struct registrar_config *config,
		    struct error *err);
void registrar_free(struct registrar *registrar);
void registrar_on_move(struct registrar *registrar, registrar_moved_fn *fn, void *context);
void registrar_on_proof(struct registrar *registrar, registrar_proof_fn *fn, void *context);

/* Answers the REGISTER. */
void registrar_receive(struct registrar *registrar, struct sip_server_tx *tx,
		       struct sip_message *request);

/* Is the host (of a URI) one of our domains, or an address that we listen on? */
bool registrar_is_ours(struct registrar *registrar, const struct sip_uri *uri);
/* "user@domain" of a URI of ours: unescaped user, lower-case host; `out` is emptied first. 0 or
 * -EINVAL. */
int registrar_aor(struct registrar *registrar, const struct sip_uri *uri, struct buf *out);
bool registrar_has_subscriber(struct registrar *registrar, struct str aor);

/*
 * Who sends this? Checks Proxy-Authorization (`proxy`) or Authorization. `aor` gets the user@domain
 * that was proven. False: it was answered already (401/407, 400, 403).
 */
bool registrar_authenticate(struct registrar *registrar, struct sip_server_tx *tx,
			    struct sip_message *request, bool proxy, struct buf *aor);

/* ---- subscribers (for the operator)
 * --------------------------------------------------------------- */

/* -EEXIST, -EINVAL (not of our domains, empty password), -ENOMEM. Only HA1 is kept. */
int registrar_subscriber_add(struct registrar *registrar, struct str aor, struct str password,
			     bool replace, struct error *err);
int registrar_subscriber_delete(struct registrar *registrar, struct str aor, struct error *err);
typedef int registrar_subscriber_fn(void *context, struct str aor);
void registrar_subscriber_each(struct registrar *registrar, registrar_subscriber_fn *fn,
			       void *context);

#endif
